"""A step of the soak: polls in a process of its own, which is killed at any point, and notes the time of each poll.

`python -m tests.triggers.soak.step MODULE CONFIG FOLDER PAUSE SEED` polls until one begins after FOLDER/stop is there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib.engine.errors import EngineError
from lib.sailor.message import Message
from tests.lab.waiting import DEADLINE, take
from tests.triggers.poll_harness import Lines, Surroundings, process


@dataclass(frozen=True)
class Told:
    """A message that got through at a time (seconds), or the error of a poll, which has no id."""

    at: float
    id: str
    body: dict[str, Any]


@dataclass(frozen=True)
class Window:
    """A poll whose snapshot was stored: what happened before `begin` it saw, what happened after `end` it did not."""

    begin: float
    end: float


@dataclass
class Journal:
    """An emitter on a disk. The snapshot and the times of its polls are stored at once, in one file."""

    folder: Path
    begun: float = 0
    room: int = 6_000_000

    def data(self, message: Message) -> None:
        take(0.005)  # as a broker does; it gives kills a chance to hit between two messages
        self._write(message.id or "", message.body)

    def error(self, error: BaseException) -> None:
        self._write("", {"kind": "error", "error": f"{type(error).__name__}: {error}"})

    def snapshot(self, snapshot: dict[str, Any]) -> None:
        polls = [one for one in _stored(self.folder)["polls"] if one[0] != self.begun]
        fresh = self.folder / "snapshot.new"
        fresh.write_text(
            json.dumps({"snapshot": snapshot, "polls": [*polls, [self.begun, time.time()]]}), encoding="utf-8"
        )
        fresh.rename(self.folder / "snapshot")

    def ended(self) -> None:
        """Note the poll also where its snapshot is the old one, which is not sent again."""
        self.snapshot(_stored(self.folder)["snapshot"])

    def _write(self, identity: str, body: Any) -> None:
        with (self.folder / "told").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": time.time(), "id": identity, "body": body}) + "\n")


def _stored(folder: Path) -> dict[str, Any]:
    file = folder / "snapshot"
    found: dict[str, Any] = {"snapshot": {}, "polls": []}
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else found


class Step:
    """A step that is killed and started again."""

    def __init__(self, module: str, config: dict[str, Any], folder: Path, pause: float, seed: int) -> None:
        self.module, self.folder, self.kills, self.seed = module, folder, 0, seed
        folder.mkdir()
        arguments = [module, json.dumps(config), str(folder), str(pause)]
        self._command = [sys.executable, "-m", "tests.triggers.soak.step", *arguments]
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [*self._command, f"{self.seed} {self.module} {self.kills}"]
        return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": "."})

    def kill(self) -> None:
        """SIGKILL, and a new one."""
        self._process.kill()
        self._process.wait()
        self.kills += 1
        with contextlib.suppress(FileNotFoundError), (self.folder / "told").open("a") as file:
            file.write("\n")  # a line may be cut
        self._process = self._start()

    def end(self) -> None:
        """Ask for a last poll."""
        (self.folder / "stop").touch()

    def ended(self) -> None:
        """Wait for the end of the last poll."""
        try:
            self._process.wait(DEADLINE)
        finally:
            self.close()

    def close(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()

    @property
    def size(self) -> int:
        """Bytes that were told so far."""
        file = self.folder / "told"
        return file.stat().st_size if file.exists() else 0

    @property
    def windows(self) -> list[Window]:
        """The polls whose snapshots were stored."""
        return [Window(*one) for one in _stored(self.folder)["polls"]]

    @property
    def told(self) -> list[Told]:
        """All that got through, in order."""
        found = []
        with contextlib.suppress(FileNotFoundError), (self.folder / "told").open(encoding="utf-8") as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    found.append(Told(**json.loads(line)))
        return found


def main(module: str, config: str, folder: Path, pause: float, seed: str) -> None:
    chance = random.Random(seed)
    journal, log = Journal(folder), Lines()
    last = False
    while not last:
        last = (folder / "stop").exists()
        journal.begun = time.time()
        try:
            poll(module, journal, log, json.loads(config))
        except EngineError as error:
            journal.error(error)
        take(0 if last else chance.random() * pause)


def poll(module: str, journal: Journal, log: Lines, config: dict[str, Any]) -> None:
    """One execution; a trigger that returns a message instead of telling has no snapshot of its own."""
    snapshot = _stored(journal.folder)["snapshot"]
    answer = process(module)(Surroundings(journal, log), Message(), config, snapshot)  # type: ignore[arg-type]
    if answer is not None:
        journal.data(replace(answer, id=str(answer.body["now"])))
    journal.ended()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
