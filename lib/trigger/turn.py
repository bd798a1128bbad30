"""The time of one poll, and the object that comes first because the last poll did not reach it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib.trigger.faults import Faults
from lib.trigger.marks.compact import mark, number, pieces

T = TypeVar("T")
TURN = 10
"""Digits of a mark in the state."""
_ALL = 1 << (6 * TURN)


@dataclass
class Turn:
    """What all triggers store beside their own state.

    `until`: the end of this poll by the monotonic clock, in seconds. `first`: mark of the first object that the last
    poll did not reach, "" if it reached all. `faults`: the failures of the last poll.
    """

    until: float = float("inf")
    first: str = ""
    faults: Faults = field(default_factory=Faults)
    _next: str = ""

    @property
    def left(self) -> float:
        """Seconds until the poll has to end, 0 if its time is over."""
        return max(self.until - time.monotonic(), 0)

    def order(self, things: Sequence[T], key: Callable[[T], str]) -> Sequence[T]:
        """Return the things, rotated so that those come first that the last poll did not reach.

        The first is the one whose mark is the nearest at or after `first`: that works also if the object is gone.
        """
        if not self.first or not things:
            return things
        begin = number(self.first)
        places = [(number(mark(key(thing), TURN)) - begin) % _ALL for thing in things]
        start = places.index(min(places))
        return [*things[start:], *things[:start]]

    def missed(self, key: str) -> None:
        """Store an object that was not reached; the next poll begins with the first of these."""
        self._next = self._next or mark(key, TURN)
        self.faults.kept(key)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form, {} if there is nothing to store."""
        return self.faults.to_state() | ({"turn": self._next} if self._next else {})

    def without_faults(self) -> dict[str, Any]:
        """Return the JSON form without the failures, if they have no room; then they are emitted again."""
        kept = self.to_state()
        return {name: kept[name] for name in ("turn", "faultCount") if name in kept}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], seconds: float) -> Turn:
        """Read `to_state`; `seconds` is how long this poll may take. A state that cannot be read counts as empty."""
        until = time.monotonic() + seconds
        try:
            (first,) = pieces(state.get("turn", ""), TURN) or ("",)
            return cls(until, first, Faults.from_state(state))
        except (ValueError, TypeError):
            return cls(until)
