"""Waiting for something to become so, with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

DEADLINE = 300.0
"""Seconds. It ends what hangs; what is only slow, beside other tests on a busy machine, has all the time it needs."""
A_MOMENT = 0.1
"""Seconds given to what must not come: it would come at once."""
_PAUSE = 0.01


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """The first true value of `condition()`; fails when there is none in time."""
    deadline = time.monotonic() + DEADLINE
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {DEADLINE} s for {what}")
        time.sleep(_PAUSE)  # what has no event is looked at again and again
    return value


def take(seconds: float) -> None:
    """What a stand-in does that takes its time as the real thing would; a test never waits like this."""
    time.sleep(seconds)


def ended(thread: threading.Thread) -> None:
    """Return when the thread has ended."""
    thread.join(DEADLINE)
    if thread.is_alive():
        raise TimeoutError(f"{thread.name} goes on after {DEADLINE} s")
