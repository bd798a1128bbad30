"""Rate limits (protocol 3.5): fixed windows, the first of a window pass at once, the others wait for the next."""

from __future__ import annotations

import threading
import time


class Throttle:
    """Lets `limit` callers pass per `interval` milliseconds, in the order in which they came."""

    def __init__(self, limit: int, interval: int) -> None:
        self._limit = limit
        self._seconds = interval / 1000
        self._lock = threading.Lock()
        self._start = 0.0
        self._used = 0

    def wait(self, cancelled: threading.Event | None = None) -> None:
        """Return when the caller may go on, or as soon as `cancelled` is set."""
        pause = self._reserve(time.monotonic())
        if pause <= 0:
            return
        if cancelled is None:
            time.sleep(pause)
        else:
            cancelled.wait(pause)

    def _reserve(self, now: float) -> float:
        """Take the next free place and return how far away it is, in seconds."""
        with self._lock:
            if now >= self._start + self._seconds:
                self._start, self._used = now, 0
            elif self._used >= self._limit:
                self._start, self._used = self._start + self._seconds, 0
            self._used += 1
            return self._start - now
