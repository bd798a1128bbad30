"""Trying again, knowing how far a call had come: nothing sent, always; sent, only what reads."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from lib.engine.errors import EngineError, EngineFault, NoAnswer, TimedOut, Unreachable

T = TypeVar("T")
_PASSING = (500, 502, 504)


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `attempts` tries; pauses of `first`, twice that, ... seconds, a fifth more or less."""

    attempts: int = 3
    first: float = 0.1

    def run(self, call: Callable[[], T], *, reads: bool, cancelled: threading.Event) -> T:
        """Return the outcome of `call`, or raise its last error. Shutting down (`cancelled`) ends it early."""
        for attempt in range(1, self.attempts + 1):
            try:
                return call()
            except EngineError as error:
                if attempt == self.attempts or not worth_repeating(error, reads=reads):
                    raise
            pause = self.first * 2 ** (attempt - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
            if cancelled.wait(pause):
                break
        return call()


def worth_repeating(error: EngineError, *, reads: bool) -> bool:
    """Whether the same call may be sent again and could end differently."""
    if isinstance(error, Unreachable):
        return error.retriable
    if not reads or isinstance(error, TimedOut):  # who was slow now is slow again at once
        return False
    return isinstance(error, NoAnswer) or (isinstance(error, EngineFault) and error.status in _PASSING)
