"""A poll's time, and whose turn it is when the last poll did not reach all objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib.trigger.faults import Faults
from lib.trigger.marks.compact import mark, number, pieces

T = TypeVar("T")
TURN = 10
_ALL = 1 << (6 * TURN)


@dataclass
class Turn:
    """What polls of all triggers keep beside their own state. `until`: the end of this poll by the monotonic clock.

    `first` is the mark of the first object that the last poll did not reach.
    """

    until: float = float("inf")
    first: str = ""
    faults: Faults = field(default_factory=Faults)
    _next: str = ""

    @property
    def left(self) -> float:
        """Seconds until the poll has to end."""
        return max(self.until - time.monotonic(), 0)

    def order(self, things: Sequence[T], key: Callable[[T], str]) -> Sequence[T]:
        """Return the things, beginning with those that the last poll did not reach.

        By marks, so that there is a beginning also where the first of them is gone.
        """
        if not self.first or not things:
            return things
        begin = number(self.first)
        places = [(number(mark(key(thing), TURN)) - begin) % _ALL for thing in things]
        start = places.index(min(places))
        return [*things[start:], *things[:start]]

    def missed(self, key: str) -> None:
        """Note an object that was not reached; the first of them is the next poll's first."""
        self._next = self._next or mark(key, TURN)
        self.faults.kept(key)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form, {} where there is nothing to keep."""
        return self.faults.to_state() | ({"turn": self._next} if self._next else {})

    def without_faults(self) -> dict[str, Any]:
        """Return the JSON form where there is no room for the failures; then they are told again."""
        kept = self.to_state()
        return {name: kept[name] for name in ("turn", "faultCount") if name in kept}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], seconds: float) -> Turn:
        """Read `to_state`; what cannot be read is as if nothing had been kept."""
        until = time.monotonic() + seconds
        try:
            (first,) = pieces(state.get("turn", ""), TURN) or ("",)
            return cls(until, first, Faults.from_state(state))
        except (ValueError, TypeError):
            return cls(until)
