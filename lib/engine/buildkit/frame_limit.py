"""Bounds what an engine can make this side do for nothing: frames of HTTP/2 that bring no data, one after the other.

Each frame alone is small and lawful: settings, pings, resets, headers, windows. Without a bound, a row of them without
an end would keep a thread busy for as long as the build lasts. The library bounds the length of a frame, but takes it
in whole before it looks.
"""

from __future__ import annotations

from collections.abc import Sequence

from h2.events import DataReceived

from lib.engine.buildkit.calls import BrokenSessionError

MOST_BYTES = 2 << 20
"""Bytes in a row that bring nothing; the longest that have a use are an error with its details, in headers of 1 MiB."""
MOST_FRAMES = 10_000
"""Frames in a row that bring nothing; engines send a few for each piece of data."""


class FrameLimit:
    """Counts what comes on one connection."""

    def __init__(self) -> None:
        self._bytes = self._frames = 0

    def take(self, size: int, events: Sequence[object]) -> None:
        """Count `size` bytes and what they held. Raises BrokenSessionError above a limit."""
        if any(isinstance(event, DataReceived) and event.data for event in events):
            self.moved()
            return
        self._bytes += size
        self._frames += len(events)
        if self._bytes > MOST_BYTES or self._frames > MOST_FRAMES:
            raise BrokenSessionError("the engine sends frames without data, one after the other")

    def moved(self) -> None:
        """Note that data of this side could be sent: what the engine said was of use."""
        self._bytes = self._frames = 0
