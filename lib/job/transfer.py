"""The progress of a pull or a push, heard to its end within the time of the step."""

from __future__ import annotations

from collections.abc import Callable

from lib.engine.answer.progress import Record
from lib.engine.answer.streams import ProgressLines
from lib.engine.errors import LimitReached
from lib.job.errors import Interrupted
from lib.job.waiting import TimeIsUp
from lib.job.work import Work

_SILENCE = 900.0
"""Seconds in which a registry may send nothing."""


def heard(work: Work, lines: ProgressLines, feed: Callable[[Record], object], late: TimeIsUp) -> None:
    """Give each record to `feed`; raises Interrupted, what `feed` raises, `late` where the step has no time left."""
    lines.pace(_SILENCE, work.deadline.left)
    try:
        for record in lines:
            if work.context.cancelled.is_set():
                raise Interrupted
            feed(record)
    except LimitReached as limit:
        if limit.limit != "maxSeconds":
            raise
        raise late from None
