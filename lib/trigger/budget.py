"""Shares the bytes that one poll may read among readers that run at once."""

from __future__ import annotations

import threading


class Budget:
    """Gives each reader an equal share of what is left, so that one long log cannot take all bytes.

    `size`: bytes in all. `readers`: how many there are. `least`: lower bound of one share, in bytes.
    """

    def __init__(self, size: int, readers: int, least: int = 1000) -> None:
        self._left, self._readers, self._least = size, readers, least
        self._lock = threading.Lock()

    def take(self) -> int:
        """Return one reader's share in bytes."""
        with self._lock:
            share = max(self._left // max(self._readers, 1), self._least)
            self._readers -= 1
            self._left -= share
            return share

    def give_back(self, share: int, used: int) -> None:
        """Return what a reader did not use of its share to the others."""
        with self._lock:
            self._left += share - used
