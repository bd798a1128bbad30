"""Waiting for a state of the engine: look, judge, pause, until the state is there, the time is up or the step ends.

A pause begins with 0.05 seconds and grows by a third up to 5, and the end of the step ends it at once. So a look finds
a short program's end soon, and a long wait costs the engine 12 small calls a minute. Nothing stays open between looks.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib.job.errors import Interrupted, JobError

T = TypeVar("T")
FIRST_PAUSE, LONGEST_PAUSE, GROWTH = 0.05, 5.0, 1.3


class TimeIsUp(JobError):
    """A wait used up the time of the step; the setting whenTimeIsUp says what becomes of it. `details` are emitted."""


@dataclass(slots=True)
class Deadline:
    """The time of one stay in the step, in seconds from now."""

    seconds: float
    began: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds that are left, 0 where there are none."""
        return max(self.seconds - self.spent, 0.0)


def until(
    deadline: Deadline,
    cancelled: threading.Event,
    look: Callable[[], T],
    reached: Callable[[T], bool],
    late: Callable[[T], tuple[str, dict[str, Any]]],
) -> T:
    """Return the first look that has reached what is waited for.

    `late` says of the last look what is missing, as (sentence, details). Raises TimeIsUp at the deadline, Interrupted
    when the step has to end, and whatever `look` and `reached` raise.
    """
    pause = FIRST_PAUSE
    while True:
        if cancelled.is_set():
            raise Interrupted
        found = look()
        if reached(found):
            return found
        if deadline.left <= 0:
            text, details = late(found)
            raise TimeIsUp(text, **details)
        if cancelled.wait(min(pause, deadline.left)):
            raise Interrupted
        pause = min(pause * GROWTH, LONGEST_PAUSE)
