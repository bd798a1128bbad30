"""How a command is known again: the run's mark in its detach keys, the one text that engines keep of an exec.

An exec has no name and no labels. For a command without a terminal the keys that would leave it mean nothing, and an
engine shows them when the exec is inspected.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.answer.limits import Limits, bounded
from lib.engine.errors import EngineError, NoSuchOperation, NotFound
from lib.engine.request.query import filters, seconds
from lib.job.repeat import Run
from lib.job.work import Work

_LENGTH = 30
_NOT_STARTED = (126, 127)
_RING = Limits(max_bytes=4 * 1024 * 1024, max_items=1_000, idle_seconds=10, max_seconds=30)
_MOST = 300
"""Execs that are looked at: an engine remembers 256 events."""


@dataclass(frozen=True, slots=True)
class Exec:
    """One look at a command; `code` is None until it has ended, `pid` 0 where it never ran."""

    id: str
    running: bool
    code: int | None
    pid: int
    keys: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Exec:
        """Read an answer of ExecInspect."""
        code = told.get("ExitCode")
        keys = told.get("DetachKeys") or ""
        return cls(
            id=str(told["ID"]),
            running=bool(told["Running"]),
            code=None if code is None else int(code),
            pid=int(told.get("Pid") or 0),
            keys=base64.b64decode(str(keys)).decode("latin-1"),
        )

    @property
    def is_over(self) -> bool:
        return not self.running and self.code is not None

    @property
    def never_ran(self) -> bool:
        """Whether its start was given up: there is no such program, or (20.10) the client was gone that moment."""
        return self.is_over and not self.pid and self.code in _NOT_STARTED


def mark_of(run: Run) -> str:
    """Return the mark of a run: letters from a to p, which any engine takes as detach keys."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in run.id.replace("-", "")[:_LENGTH])


def detach_keys(run: Run) -> str:
    """Return the mark as ContainerExec takes it."""
    return ",".join(mark_of(run))


def look(work: Work, identity: str) -> Exec | None:
    """Return a command, None where the engine does not remember it."""
    try:
        return work.engine.get("/exec/{id}/json", {"id": identity}).read(Exec.of)
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def earlier(work: Work, container: str) -> Exec | None:
    """Return the command that an earlier delivery of the message has prepared in a container, None for none.

    One that never ran is returned only where there is no other.
    """
    wanted, seen = mark_of(work.run), set[str]()
    gave_up: Exec | None = None
    for identity in _execs(work, container):
        if identity in seen or len(seen) >= _MOST:
            continue
        seen.add(identity)
        found = look(work, identity)
        if found and found.keys == wanted and not found.never_ran:
            return found
        gave_up = found if found and found.keys == wanted else gave_up
    return gave_up


def _execs(work: Work, container: str) -> Iterator[str]:
    """Yield ids of commands of a container: those that run or wait, then those of the events, newest first."""
    inspected = work.engine.get("/containers/{id}/json", {"id": container})
    yield from inspected.read(lambda told: [str(one) for one in told.get("ExecIDs") or ()])
    now = work.engine.get("/info").read(lambda told: str(told["SystemTime"]))
    window = {"since": 1, "until": now, "filters": {"container": [container], "event": ["exec_create"]}}
    query = (seconds("since"), seconds("until"), filters())
    try:
        with bounded(work.engine.lines("/events", window, query=query), _RING) as events:
            ids = [
                str(((one.get("Actor") or {}).get("Attributes") or {}).get("execID") or "") for one in events
            ]
    except (
        EngineError
    ):  # a proxy refuses the events: what the engine remembers of ended ones is not known then
        return
    yield from (one for one in reversed(ids) if one)
