"""Polls one trigger some times with the code of the folder that it is started in; prints the last poll as JSON.

`python poll_worker.py MODULE CONFIG FOLDER SOCKET POLLS`: FOLDER is for what does not fit into the snapshot,
SOCKET is where the calls are counted. The code may be that of an older version.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

sys.path[0] = ""


def main(module: str, config: str, folder: Path, counter: str, polls: int) -> None:
    """Poll."""
    from lib.trigger.cursor import CursorTooLarge
    from tests.triggers.poll_harness import PollHarness

    step = PollHarness(module, json.loads(config))
    if hasattr(step, "states"):
        from lib.sailor.standalone.folder import FolderStates

        step.states = FolderStates(folder)
    told: dict[str, Any] = {}
    try:
        for _ in range(polls):
            before, begun = calls(counter), time.perf_counter()
            step.poll()
            told = {"ms": (time.perf_counter() - begun) * 1000, "calls": calls(counter) - before}
    except CursorTooLarge as error:  # what an older version refuses is a result
        told = {"error": f"{type(error).__name__}"}
    told["snapshot"] = len(json.dumps(step.snapshot, separators=(",", ":")))
    told["object"] = max((file.stat().st_size for file in folder.rglob("*") if file.is_file()), default=0)
    print(json.dumps(told))


def calls(counter: str) -> int:
    """How many calls there were so far."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(counter)
        return int(asked.recv(20))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4], int(sys.argv[5]))
