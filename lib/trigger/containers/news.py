"""Decides whether a time is new to a poll: after the last poll, or after the start of a first run."""

from __future__ import annotations

from dataclasses import dataclass

from lib.trigger.clock import SECOND


@dataclass(frozen=True)
class News:
    """When a poll's news begins.

    `now`: the engine's second in which this poll began. `at`: that of the last poll, None on a first run. `start`: a
    first run emits changes from this time on, in nanoseconds; None: it emits nothing.
    """

    now: int
    at: int | None
    start: int | None

    def has(self, *times: int) -> bool:
        """Return whether one of these times (nanoseconds) is new; if the clock was set back, every time is."""
        if self.at is None:
            return self.start is not None and max(times) >= self.start
        return self.now < self.at or max(times) >= self.at * SECOND

    @property
    def since(self) -> int:
        """The time in nanoseconds after which everything is new."""
        if self.at is None:
            return self.start or 0
        return self.at * SECOND if self.now >= self.at else 0
