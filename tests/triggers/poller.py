"""A step that polls in a process of its own, so that it can be killed at any point, and what survives of it on disk.

`python -m tests.triggers.poller MODULE CONFIG FOLDER` polls until FOLDER/stop is there at the end of a poll.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.sailor.message import Message
from tests.lab.waiting import DEADLINE, take
from tests.triggers.poll_harness import Lines, Surroundings, process


@dataclass
class Disk:
    """An emitter that keeps what it is given where a kill cannot take it away."""

    folder: Path
    room: int = 6_000_000

    def data(self, message: Message) -> None:
        take(0.01)  # as a broker does; it gives kills a chance to hit between two messages
        with (self.folder / "emitted").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"id": message.id, "body": message.body}) + "\n")

    def snapshot(self, snapshot: dict[str, Any]) -> None:
        fresh = self.folder / "snapshot.new"
        fresh.write_text(json.dumps(snapshot), encoding="utf-8")
        fresh.rename(self.folder / "snapshot")


def stored(folder: Path) -> Any:
    """The last snapshot that got through."""
    file = folder / "snapshot"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def emitted(folder: Path) -> list[dict[str, Any]]:
    """All messages that got through, in order; the last may be cut in the middle by a kill."""
    found = []
    with contextlib.suppress(FileNotFoundError), (folder / "emitted").open(encoding="utf-8") as file:
        for line in file:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found


class Poller:
    """A polling process that is killed and started again."""

    def __init__(self, module: str, config: dict[str, Any], folder: Path) -> None:
        self.folder = folder
        self.kills = 0
        self._command = [
            sys.executable,
            "-m",
            "tests.triggers.poller",
            module,
            json.dumps(config),
            str(folder),
        ]
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, env={**os.environ, "PYTHONPATH": "."})

    def kill(self) -> None:
        """SIGKILL, and a new one."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self.kills += 1
        with (
            contextlib.suppress(FileNotFoundError),
            (self.folder / "emitted").open("a", encoding="utf-8") as file,
        ):
            file.write("\n")
        self._process = self._start()

    def finish(self) -> list[dict[str, Any]]:
        """Let it end after a whole poll; all that was emitted."""
        (self.folder / "stop").touch()
        try:
            assert self._process.wait(DEADLINE) == 0, "the last poll failed"
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return emitted(self.folder)


def main(module: str, config: str, folder: Path) -> None:
    chance = random.Random()
    while True:
        last = (folder / "stop").exists()
        process(module)(Surroundings(Disk(folder), Lines()), Message(), json.loads(config), stored(folder))
        if last:
            return
        take(chance.random() / 3)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
