"""What is news to a poll that compares containers: what came after the last poll, or a first run's beginning."""

from __future__ import annotations

from dataclasses import dataclass

from lib.trigger.clock import SECOND


@dataclass(frozen=True)
class News:
    """`now` and `at`: the engine's seconds in which this poll began, and the last one (None: it is the first).

    `start`: from when on a first run tells, in nanoseconds; None: it tells nothing.
    """

    now: int
    at: int | None
    start: int | None

    def has(self, *times: int) -> bool:
        """Whether one of these times (nanoseconds) is news; all are after a clock was set back."""
        if self.at is None:
            return self.start is not None and max(times) >= self.start
        return self.now < self.at or max(times) >= self.at * SECOND

    @property
    def since(self) -> int:
        """Return the time after which all is news, in nanoseconds."""
        if self.at is None:
            return self.start or 0
        return self.at * SECOND if self.now >= self.at else 0
