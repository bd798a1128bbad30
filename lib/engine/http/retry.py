"""Trying again, knowing how far a call had come: nothing done, always; sent, only what reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lib.backoff import growing_pause, spread
from lib.engine.errors import Busy, EngineError, EngineFault, NoAnswer, TimedOut, Unreachable

T = TypeVar("T")
_PASSING = (500, 502, 503, 504)
LONGEST_WAIT = 30.0
"""Seconds: whoever wants to be asked again later than this is not waited for; the message can come again instead."""


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `attempts` tries; pauses of `first`, twice that, ... seconds, up to a fifth more.

    A server that says when to come back (`Busy.retry_after`) is asked again then.
    """

    attempts: int = 3
    first: float = 0.1

    def run(self, call: Callable[[], T], *, reads: bool, cancelled: threading.Event, again: bool = True) -> T:
        """Return the outcome of `call`, or raise its last error. Shutting down (`cancelled`) ends it early.

        `again` says whether what is sent can be sent a second time.
        """
        for attempt in range(1, self.attempts + 1):
            try:
                return call()
            except EngineError as error:
                if attempt == self.attempts or not worth_repeating(error, reads=reads, again=again):
                    raise
                if cancelled.wait(self._pause(error, attempt)):
                    raise
        raise AssertionError("unreachable")

    def _pause(self, error: EngineError, attempt: int) -> float:
        told = error.retry_after if isinstance(error, Busy) else None
        return spread(
            growing_pause(attempt, self.first, LONGEST_WAIT) if told is None else max(told, self.first)
        )


def worth_repeating(error: EngineError, *, reads: bool, again: bool = True) -> bool:
    """Whether the same call may be sent again and could end differently."""
    if isinstance(error, Unreachable):
        return error.retriable
    if isinstance(error, Busy):
        # Without a time nobody is asked again at once: who counts requests would count that one, too.
        return again and error.retry_after is not None and error.retry_after <= LONGEST_WAIT
    if not reads or isinstance(error, TimedOut):  # who was slow now is slow again at once
        return False
    return isinstance(error, NoAnswer) or (isinstance(error, EngineFault) and error.status in _PASSING)
