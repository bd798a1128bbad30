"""What a trigger is given for one poll, and what it hands back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from lib.config.form import Form
from lib.engine import Engine
from lib.engine.errors import EngineError, LimitReached, ReadOnly, TimedOut, Unreachable
from lib.trigger.clock import SECOND, iso
from lib.trigger.cursor import CursorTooLarge
from lib.trigger.faults import MISSHAPEN, Fault
from lib.trigger.parallel import parallel
from lib.trigger.turn import Turn

AT_ONCE = 8
CALL_SECONDS = 10.0
"""One object's part of a poll; an engine answers for one in milliseconds."""
T = TypeVar("T")
R = TypeVar("R")


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
    """What a poll found, and the state to store once all of it is delivered (None: what was stored stays).

    `lazy`: the state need not be stored at once, but at the latest when the poll ends, however it does.
    """

    findings: Sequence[Finding] = ()
    state: State | None = None
    lazy: bool = False


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
    turn: Turn = field(default_factory=Turn)
    notices: list[Finding] = field(default_factory=list)
    """Warnings of `each`; they are emitted with what the poll found."""
    trigger: str = ""
    room: int = 1 << 62
    """Characters that the trigger's own state may have."""
    body_room: int = 1 << 62
    """Bytes of JSON that the body of a finding may have."""

    def each(
        self,
        things: Sequence[T],
        work: Callable[[Engine, T], R],
        *,
        key: Callable[[T], str],
        name: Callable[[T], str],
        fault: Callable[[T, Exception], Fault | None] | None = None,
        missed: Callable[[T], None] | None = None,
        at_once: int = AT_ONCE,
        seconds: float = CALL_SECONDS,
    ) -> Iterator[tuple[T, R]]:
        """Yield each thing with what `work` returns for it, in order; `work` gets an engine whose calls end in time.

        A thing that fails is told once as a warning, and not yielded; the others go on. Neither are those yielded that
        the poll's time does not suffice for: the next poll begins with them. `missed` is called for both, so that
        their places can be kept. `fault` says what is told of a failure (None: nothing). An engine that cannot be
        reached fails the poll. Use it once in a poll, with all things; what is left out of it counts as well again,
        see `skip`.
        """
        ordered = self.turn.order(things, key)
        miss = missed or (lambda _: None)
        begun = 0

        def call(thing: T) -> R:
            return work(self.engine.limited(max(min(seconds, self.turn.left), 0.001)), thing)

        for thing, outcome in parallel(ordered, call, at_once, self._over):
            begun += 1
            try:
                answer = outcome()
            except (Unreachable, ReadOnly):
                raise
            except (EngineError, *MISSHAPEN) as error:
                miss(thing)
                if not self._too_late(key(thing), error):
                    self.failed(key(thing), fault(thing, error) if fault else Fault.of(name(thing), error))
                continue
            yield thing, answer
        for thing in ordered[begun:]:
            self.turn.missed(key(thing))
            miss(thing)
        if begun < len(ordered):
            self.log.warning("The poll's time is over; the next one goes on", left=len(ordered) - begun)

    def skip(self, key: str) -> None:
        """Note a thing that is not asked in this poll: if it failed before, that is not told again."""
        self.turn.faults.kept(key)

    def _over(self) -> bool:
        return self.cancelled.is_set() or not self.turn.left

    def _too_late(self, key: str, error: Exception) -> bool:
        """Whether the poll's end and not the thing made the call fail; then it was not reached."""
        if self.cancelled.is_set():
            raise error
        if self.turn.left or not isinstance(error, TimedOut | LimitReached):
            return False
        self.turn.missed(key)
        return True

    def failed(self, key: str, fault: Fault | None) -> None:
        """Tell once that an object fails; for what is not asked one by one, such as an entry of a list."""
        if fault and (identity := self.turn.faults.failed(key, fault)):
            self.notices.append(self.warning(fault.reason, fault.text, identity, **fault.details))

    def need_room(self, characters: int) -> None:
        """Raise CursorTooLarge if a state of so many characters has no room; call it before anything is asked."""
        if characters > self.room:
            raise CursorTooLarge.of(self.trigger, characters, self.room)

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
