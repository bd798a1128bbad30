"""The life of one container as its events tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tests.triggers.soak.step import Window

Moment = tuple[float, str, Mapping[str, str]]
STATUS = {"create": "created", "start": "up", "die": "ended", "destroy": "gone"}

LATE = 1
"""Seconds after an end in which the kill that led to it is published."""
GOING = 5
"""Seconds before the event of a removal in which it may have begun."""


@dataclass(frozen=True)
class Life:
    """`events` in the order of the stream, times in seconds. `ordered`: when its removal by the soak began, or 0."""

    events: Sequence[Moment]
    ordered: float = 0

    @property
    def name(self) -> str:
        """Its last name."""
        return str(self.events[-1][2].get("name"))

    def between(self, begin: float, end: float) -> list[Moment]:
        """What happened surely after `begin` and before `end`."""
        return [one for one in self.events if begin < one[0] < end]

    def last_end(self, begin: float, end: float) -> tuple[float, int] | None:
        """Time and exit code of the last end."""
        ends = [(at, int(about["exitCode"])) for at, done, about in self.between(begin, end) if done == "die"]
        return ends[-1] if ends else None

    def status_at(self, at: float) -> str:
        """Its status as the events before a time leave it."""
        done = [STATUS[action] for when, action, _ in self.events if when < at and action in STATUS]
        return done[-1] if done else ""

    @cached_property
    def going(self) -> float:
        """From when on it may not be there any more: its log goes first, the event of its removal comes last."""
        gone = next((at for at, done, _ in self.events if done == "destroy"), float("inf"))
        end = self.last_end(0, gone)
        return self.ordered or max(gone - GOING, end[0] if end else 0) if gone < float("inf") else gone

    def there(self, window: Window) -> bool:
        """Whether it was surely there during a whole poll."""
        return self.status_at(window.begin) not in ("", "gone") and self.going > window.end

    def was_killed(self, at: float) -> bool:
        """Whether its end at a time was ordered: a signal since its last start.

        The engine publishes a kill after it has sent the signal: that may be just after the end.
        """
        began = max((when for when, done, _ in self.events if done == "start" and when < at), default=0)
        return any(done in ("kill", "stop") for _, done, _ in self.between(began, at + LATE))

    def seen_after(self, at: float, windows: Sequence[Window]) -> bool:
        """Whether the first poll that began after a time found it there."""
        later = next((one for one in windows if one.begin > at), None)
        return later is not None and self.there(later)

    def codes_near(self, at: float, seconds: float) -> list[int]:
        """The exit codes of the ends around a time."""
        return [
            int(about["exitCode"])
            for when, done, about in self.events
            if done == "die" and abs(when - at) < seconds
        ]

    def near(self, action: str, at: float, seconds: float) -> bool:
        """Whether something happened around a time."""
        return any(done == action and abs(when - at) < seconds for when, done, _ in self.events)
