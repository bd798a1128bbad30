"""What a trigger is given for one poll, and what it hands back."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from lib.engine import Engine
from lib.form import Form
from lib.polling.clock import SECOND, iso


class Storable(Protocol):
    """The state of a trigger."""

    def to_state(self) -> dict[str, Any]:
        """Return its JSON form for the snapshot."""


class Log(Protocol):
    """The part of the step's logger that polls use."""

    def debug(self, msg: object, **fields: Any) -> None:
        """Log for those who look closely."""

    def warning(self, msg: object, **fields: Any) -> None:
        """Log for those who operate."""


State = TypeVar("State", bound=Storable)


@dataclass(frozen=True)
class Finding:
    """One message to be: `identity` is what makes it the same message when it is told again."""

    body: Mapping[str, Any]
    identity: str
    notice: bool = False


@dataclass(frozen=True)
class Found(Generic[State]):
    """What a poll found, and the state to store once all of it is delivered (None: what was stored stays)."""

    findings: Sequence[Finding] = ()
    state: State | None = None


@dataclass(frozen=True)
class Poll(Generic[State]):
    """One poll: `now` is the engine's time in seconds, `state` what the last one left (None on a first run).

    `start` says what a first run tells: None nothing, else all that is not older than these nanoseconds.
    """

    engine: Engine
    form: Form
    now: int
    log: Log
    state: State | None = None
    start: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def gap(self, reason: str, text: str, identity: str, **details: Any) -> Finding:
        """Return the message that something may be missing, and why."""
        return self._notice("gap", reason, text, identity, details)

    def warning(self, reason: str, text: str, identity: str, **details: Any) -> Finding:
        """Return the message that something will be missing, or cannot be watched, unless somebody acts."""
        return self._notice("warning", reason, text, identity, details)

    def _notice(
        self, kind: str, reason: str, text: str, identity: str, details: Mapping[str, Any]
    ) -> Finding:
        self.log.warning(text, reason=reason)
        body = {
            "kind": kind,
            "reason": reason,
            "message": text,
            "timestamp": iso(self.now * SECOND),
            **details,
        }
        return Finding(body, f"{kind} {reason} {identity}", notice=True)
