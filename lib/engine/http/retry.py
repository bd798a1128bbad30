"""Repeats failed calls: any call if nothing was done yet, only reads if the request was sent."""

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
"""Seconds of the longest pause, without the random part. If a server asks for more, the call fails at once.

The message may come again later.
"""


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `attempts` tries, with pauses of `first`, twice that, ... seconds, each up to 20 % longer by chance.

    If the server names a pause (`Busy.retry_after`, seconds), it is taken instead, but at least `first`.
    """

    attempts: int = 3
    first: float = 0.1

    def run(self, call: Callable[[], T], *, reads: bool, cancelled: threading.Event, again: bool = True) -> T:
        """Return the result of `call`, or raise its last error; `cancelled` ends a pause and the tries.

        `reads`: the call changes nothing. `again`: its body can be sent a second time.
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
        # Without a named pause there is no repeat: a server that counts requests would count it, too.
        return again and error.retry_after is not None and error.retry_after <= LONGEST_WAIT
    if not reads or isinstance(error, TimedOut):  # a slow engine is still slow a moment later
        return False
    return isinstance(error, NoAnswer) or (isinstance(error, EngineFault) and error.status in _PASSING)
