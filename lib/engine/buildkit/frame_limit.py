"""Bounds what an engine can make this side do for nothing: frames of HTTP/2 that bring no data, one after the other.

Each frame alone is small and lawful: settings, pings, resets, headers, windows. Without a bound, a row of them without
an end would keep a thread busy for as long as the build lasts.
"""

from __future__ import annotations

from collections.abc import Iterable

from h2.events import DataReceived

from lib.engine.buildkit.calls import BrokenSessionError

MOST_EMPTY = 4 << 20
"""Bytes in a row that bring nothing; the longest that have a use are an error with its details, in headers of 1 MiB."""


class FrameLimit:
    """Counts what comes on one connection."""

    def __init__(self) -> None:
        self._empty = 0

    def take(self, size: int, events: Iterable[object]) -> None:
        """Count `size` bytes and what they held. Raises BrokenSessionError above the limit."""
        if any(isinstance(event, DataReceived) and event.data for event in events):
            self._empty = 0
            return
        self._empty += size
        if self._empty > MOST_EMPTY:
            raise BrokenSessionError(f"the engine sent more than {MOST_EMPTY} bytes that are no data")

    def moved(self) -> None:
        """Note that data of this side could be sent: what the engine said was of use."""
        self._empty = 0
