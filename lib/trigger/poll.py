"""What a trigger gets for one poll (`Poll`) and what it returns (`Found`, with findings and the new state)."""

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
"""Upper bound of the calls that run at the same time."""
CALL_SECONDS = 10.0
"""Upper bound of one object's call in seconds; engines normally answer within milliseconds."""
T = TypeVar("T")
R = TypeVar("R")


class Storable(Protocol):
    """What the state of a trigger has to offer."""

    def to_state(self) -> dict[str, Any]:
        """Return its JSON form for the snapshot."""


class Log(Protocol):
    """The part of the step's logger that polls use."""

    def debug(self, msg: object, **fields: Any) -> None:
        """Log a detail for developers; `fields` become fields of the record."""

    def warning(self, msg: object, **fields: Any) -> None:
        """Log what operators have to know."""


State = TypeVar("State", bound=Storable)


@dataclass(frozen=True)
class Finding:
    """A message that is not emitted yet.

    `identity` names what was found: findings with equal identities have the same message id. `notice`: it is a gap or
    a warning.
    """

    body: Mapping[str, Any]
    identity: str
    notice: bool = False


@dataclass(frozen=True)
class Found(Generic[State]):
    """Findings, and the state to store after they are confirmed (None: the stored state stays).

    `lazy`: the state may be stored later, at the latest at the end of the poll, also if the poll fails.
    """

    findings: Sequence[Finding] = ()
    state: State | None = None
    lazy: bool = False


@dataclass(frozen=True)
class Poll(Generic[State]):
    """The input of one poll.

    `now`: the engine's time in Unix seconds. `state`: the state of the last poll, None on a first run. `start`: what a
    first run emits: None for nothing, otherwise everything from this time on, in Unix nanoseconds.
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
    """Warnings of `each` and `failed`; they are emitted after the findings of the poll."""
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
        """Yield (thing, result of `work`) in order; at most `at_once` calls run at the same time.

        - `work` gets an engine whose calls end within `seconds`, or within the poll's time if that is shorter.
        - `key` identifies a thing from poll to poll, `name` is for people.
        - A thing that fails is not yielded. Its failure is emitted once as a warning, which `fault` can supply (None:
          no warning).
        - A thing that the poll's time does not suffice for is not yielded either. The next poll begins with it.
        - `missed` is called for both kinds, so that the trigger can keep their places.

        Raises Unreachable and ReadOnly: they fail the poll. Call it once in a poll, with all things: a thing that
        neither this nor `skip` gets counts as well again.
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
        """Keep the stored failure of a thing that this poll does not read, so that it is not emitted again."""
        self.turn.faults.kept(key)

    def _over(self) -> bool:
        return self.cancelled.is_set() or not self.turn.left

    def _too_late(self, key: str, error: Exception) -> bool:
        """Return whether a call failed because the poll's time was over; then the thing counts as not reached.

        Raises `error` if the step was cancelled.
        """
        if self.cancelled.is_set():
            raise error
        if self.turn.left or not isinstance(error, TimedOut | LimitReached):
            return False
        self.turn.missed(key)
        return True

    def failed(self, key: str, fault: Fault | None) -> None:
        """Add a warning if this failure is new; for things that `each` does not read, such as entries of a list."""
        if fault and (identity := self.turn.faults.failed(key, fault)):
            self.notices.append(self.warning(fault.reason, fault.text, identity, **fault.details))

    def need_room(self, characters: int) -> None:
        """Raise CursorTooLarge if the state may not have so many characters; call it before calls for single things."""
        if characters > self.room:
            raise CursorTooLarge.of(self.trigger, characters, self.room)

    def gap(self, reason: str, text: str, identity: str, **details: Any) -> Finding:
        """Return a gap: something may be missing. `reason` is a code, `details` are further fields of the body."""
        return self._notice("gap", reason, text, identity, details)

    def warning(self, reason: str, text: str, identity: str, **details: Any) -> Finding:
        """Return a warning: something will be missing, or cannot be watched, unless somebody acts. See `gap`."""
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
