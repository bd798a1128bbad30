"""How many bytes a poll may take, shared among readers that run at once."""

from __future__ import annotations

import threading


class Budget:
    """What those before left over is shared out, so that a loud one cannot silence the others."""

    def __init__(self, size: int, readers: int, least: int = 1000) -> None:
        self._left, self._readers, self._least = size, readers, least
        self._lock = threading.Lock()

    def take(self) -> int:
        """Return one reader's share; at least `least`, so that each gets on."""
        with self._lock:
            share = max(self._left // max(self._readers, 1), self._least)
            self._readers -= 1
            self._left -= share
            return share

    def give_back(self, share: int, used: int) -> None:
        """Let the others have what a reader did not use."""
        with self._lock:
            self._left += share - used
