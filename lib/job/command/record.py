"""The engine's record of a command (exec), and the mark by which a run knows its own.

An exec has no name and no label. The keys that would detach a terminal mean nothing to a command without one, are kept,
and are shown again: so the mark stands there, as letters from a to p.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.repeat import Run

_LETTERS = dict(zip("0123456789abcdef", "abcdefghijklmnop", strict=True))
_OF_RUN, _OF_SPEC = 20, 10
"""Letters of the mark, each 4 bits. The run's id has 12 more, which the engine never sees."""
_OF_CONTAINER = 12
_REFUSED = (126, 127, 128)
"""What engines tell of a command that they could not start; 128 (28.5) for any reason but the program."""
_UNTOLD = 126


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of a run, and of what it was asked to do.

    `unbegun` is what a delivery leaves to the next one where it has begun nothing; no engine knows it.
    """

    run: str
    spec: str
    unbegun: str

    @classmethod
    def of(cls, run: Run, spec: str) -> Mark:
        """Return the mark of a run with a wish (its hash).

        The wish may hold secrets, and who sees the mark could try guesses of them: so the whole id of the run goes in.
        """
        return cls(
            _letters(run.id.replace("-", ""))[:_OF_RUN],
            _hashed(run.id, spec)[:_OF_SPEC],
            _hashed(run.id, "unbegun")[:_OF_RUN],
        )

    @property
    def keys(self) -> str:
        """Return it as the engine takes it in DetachKeys."""
        return ",".join(self.run + self.spec)

    def variable(self, container: str) -> str:
        """Return it as a variable of the command's environment, by which its processes are found.

        Containers may share their processes, so it names the container (by its id) as well.
        """
        return f"DOCKER_ENGINE_CONNECTOR_RUN={self.run}{self.spec}-{container[:_OF_CONTAINER]}"

    def is_run_of(self, record: Record) -> bool:
        """Whether a record is of this run, whatever it was asked to do."""
        return len(record.mark) == _OF_RUN + _OF_SPEC and record.mark.startswith(self.run)

    def is_on(self, record: Record) -> bool:
        """Whether a record is of this run and this wish."""
        return record.mark == self.run + self.spec


@dataclass(frozen=True, slots=True)
class Record:
    """One look at an exec; `exit_code` is None until it has ended."""

    id: str
    container: str
    mark: str
    running: bool
    exit_code: int | None
    pid: int

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Record:
        """Read an answer of ExecInspect."""
        code = told.get("ExitCode")
        return cls(
            id=str(told["ID"]),
            container=str(told.get("ContainerID") or ""),
            mark=_mark(told.get("DetachKeys")),
            running=bool(told["Running"]),
            exit_code=None if code is None else int(code),
            pid=int(told.get("Pid") or 0),
        )

    @property
    def is_fresh(self) -> bool:
        """Whether it was made and not started."""
        return not self.running and self.exit_code is None

    @property
    def is_over(self) -> bool:
        """Whether its command has ended, or could not be started."""
        return not self.running and self.exit_code is not None

    @property
    def is_refused(self) -> bool:
        """Whether the engine could not start its command: such a one never had a process.

        Podman tells a process id of none that has ended, and no mark in the form that is read here.
        """
        return self.is_over and not self.pid and self.exit_code in _REFUSED and bool(self.mark)

    @property
    def is_doubtful(self) -> bool:
        """Whether its code may be none: 20.10 says so of what has written after its client had gone."""
        return self.is_over and bool(self.pid) and self.exit_code == _UNTOLD


def look_for(engine: Engine, identity: str) -> Record | None:
    """Return an exec by its id; None where the engine has it no more."""
    try:
        return engine.get("/exec/{id}/json", {"id": identity}).read(Record.of)
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def _hashed(*parts: str) -> str:
    return _letters(hashlib.sha256(" ".join(parts).encode()).hexdigest())


def _letters(digits: str) -> str:
    return "".join(_LETTERS[digit] for digit in digits)


def _mark(keys: object) -> str:
    try:
        return base64.b64decode(str(keys or ""), validate=True).decode("ascii", "replace")
    except binascii.Error:
        return ""
