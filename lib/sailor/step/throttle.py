"""Rate limits (protocol 3.5): in each window of fixed length `limit` callers pass at once, the others wait.

A caller reserves the next free place, at once if the window has one, else in a later window, and then sleeps until
that window begins.
"""

from __future__ import annotations

import threading
import time


class Throttle:
    """Lets `limit` callers pass per `interval` milliseconds, in the order of their calls; safe for threads."""

    def __init__(self, limit: int, interval: int) -> None:
        self._limit = limit
        self._seconds = interval / 1000
        self._lock = threading.Lock()
        self._start = 0.0
        self._used = 0

    def wait(self, cancelled: threading.Event | None = None) -> None:
        """Wait until the caller may pass; return earlier when `cancelled` is set."""
        pause = self._reserve(time.monotonic())
        if pause <= 0:
            return
        if cancelled is None:
            time.sleep(pause)
        else:
            cancelled.wait(pause)

    def _reserve(self, now: float) -> float:
        """Reserve the next free place and return the seconds until its window begins; `now` is time.monotonic()."""
        with self._lock:
            if now >= self._start + self._seconds:
                self._start, self._used = now, 0
            elif self._used >= self._limit:
                self._start, self._used = self._start + self._seconds, 0
            self._used += 1
            return self._start - now
