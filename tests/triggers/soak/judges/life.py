"""The life of one container as its events tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.triggers.soak.step import Window

Moment = tuple[float, str, Mapping[str, str]]
STATUS = {"create": "created", "start": "up", "die": "ended", "destroy": "gone"}
QUIET = ("kill", "resize", "rename", "health_status: healthy", "health_status: unhealthy", "top", "attach")

LATE = 1
"""Seconds after an end in which the kill that led to it is published."""


@dataclass(frozen=True)
class Life:
    """`events` in the order of the stream, times in seconds."""

    events: Sequence[Moment]

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

    def quiet(self, window: Window) -> bool:
        """Whether nothing that changes its status happened while a poll looked, nor just after."""
        return all(done in QUIET for _, done, _ in self.between(window.begin, window.end + 1))

    def there(self, window: Window) -> bool:
        """Whether it was there during a whole poll."""
        return self.status_at(window.begin) not in ("", "gone") and self.status_at(window.end) != "gone"

    def surely_up(self, window: Window) -> bool:
        """Whether it was up during a poll, or came after it: its later ends are no poll's yet."""
        return self.quiet(window) and self.status_at(window.begin) in ("", "up", "created")

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
