"""Limits of streams: items, bytes, seconds, silence. A stream that reaches one ends without an error and names it.

Two classes work together. Paced, directly above the socket, keeps the time limits. Bounded, above the parsers, counts
items and bytes, and turns a LimitReached that comes up through the parsers into the end of the stream.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar

from lib import jsontext
from lib.engine.closing import Closing
from lib.engine.errors import LimitReached

T = TypeVar("T")
Clock = Callable[[], float]
Pace = Callable[[float | None, float | None], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a step takes from a stream; None means no limit. Seconds may be fractions."""

    max_items: int | None = None
    max_bytes: int | None = None
    max_seconds: float | None = None
    idle_seconds: float | None = None


class Timed(Protocol):
    """A source whose waiting can be limited."""

    def set_timeout(self, seconds: float | None) -> None:
        """Wait at most `seconds` for the next piece, then raise; None: no limit."""


class Paced:
    """Chunks under time limits; it belongs directly above the socket, below everything that joins chunks.

    Only here is the time checked while parts of an item arrive (a progress bar on a TTY never ends its line). Before
    each chunk, the source's `set_timeout` gets the seconds that are left. When they have passed, a LimitReached goes
    up through the parsers, which first hand out their whole items.
    """

    def __init__(
        self, chunks: Iterable[bytes], source: Timed | None = None, clock: Clock = time.monotonic
    ) -> None:
        self._chunks = iter(chunks)
        self._source = source
        self._clock = clock
        self._idle: float | None = None
        self._until: float | None = None

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all, counted from now; None: no limit."""
        self._idle = idle
        self._until = None if seconds is None else self._clock() + seconds

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._idle is None and self._until is None:
            return next(self._chunks)
        began = self._clock()
        left = None if self._until is None else self._until - began
        if left is not None and left <= 0:
            raise _over("maxSeconds")
        if self._source is not None:
            self._source.set_timeout(min(wait for wait in (self._idle, left) if wait is not None))
        try:
            return next(self._chunks)
        except StopIteration:
            raise
        except Exception:
            # The clock decides, not the class of the error: sockets, pools and TLS have different ones.
            now = self._clock()
            if self._until is not None and now >= self._until:
                raise _over("maxSeconds") from None
            if self._idle is not None and now - began >= self._idle:
                raise _over("idleSeconds") from None
            raise


def _over(limit: str) -> LimitReached:
    return LimitReached(f"The stream was ended by the limit {limit}", limit=limit, hint=f"Raise {limit}")


class Bounded(Closing, Generic[T]):
    """An iterator that ends at the first limit; `truncated` then names the setting, else it is None.

    A stream counts as truncated when `max_items` is reached, also if no more items follow: to wait for one more might
    take for ever.
    """

    def __init__(
        self,
        source: Iterator[T],
        limits: Limits,
        size: Callable[[T], int] | None = None,
        pace: Pace | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        if limits.max_bytes is not None and size is None:
            raise ValueError("max_bytes without a size would bound nothing")
        self._source = source
        self._limits = limits
        self._size = size
        self._clock = clock
        self._until = None if limits.max_seconds is None else clock() + limits.max_seconds
        self.truncated: str | None = None
        self.items = 0
        self.bytes = 0
        pace = pace or getattr(source, "pace", None)
        if pace is not None:
            pace(limits.idle_seconds, limits.max_seconds)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self.truncated is None:
            self.truncated = self._exhausted()
        if self.truncated is not None:
            raise StopIteration
        try:
            item = next(self._source)
        except LimitReached as reached:
            self.truncated = reached.limit
            raise StopIteration from None
        if self._size is not None:
            self.bytes += self._size(item)
            if self._limits.max_bytes is not None and self.bytes > self._limits.max_bytes:
                self.truncated = "maxBytes"
                raise StopIteration
        self.items += 1
        return item

    def _exhausted(self) -> str | None:
        if self._limits.max_items is not None and self.items >= self._limits.max_items:
            return "maxItems"
        if self._until is not None and self._clock() >= self._until:
            return "maxSeconds"
        return None

    def close(self) -> None:
        """Close the source and its connection."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()


def capped(pieces: Iterable[bytes], limit: int, what: str = "The archive is longer") -> Iterator[bytes]:
    """Pass bytes on; LimitReached(maxBytes) for more than `limit` of them. `what` begins its text."""
    came = 0
    for piece in pieces:
        came += len(piece)
        if came > limit:
            raise LimitReached(f"{what} than {limit} bytes", limit="maxBytes", hint="Raise maxBytes")
        yield piece


def record_bytes(record: Mapping[str, Any]) -> int:
    """Return the bytes of a JSON record, as the `size` of `bounded`."""
    return len(jsontext.encode(record))


def bounded(
    source: Iterator[T],
    limits: Limits,
    size: Callable[[T], int] | None = None,
    pace: Pace | None = None,
    clock: Clock = time.monotonic,
) -> Bounded[T]:
    """Return `source` under `limits`; `size` returns the bytes of an item, without which `max_bytes` is a ValueError.

    `pace`, or else the source's method of that name (Lines, Logs, Archive, Duplex), gets the time limits and keeps
    them also while it waits, see Paced. Without one, the time is checked between two items only.
    """
    return Bounded(source, limits, size, pace, clock)
