"""The messages of a log driver as the engine sends them, each with its time: framed, or as a TTY wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lib.trigger.clock import nanoseconds
from lib.trigger.marks.compact import mark

Chunk = tuple[str, bytes]

HASH = 6
"""Digits of a frame's mark, 36 bits: another frame passes for it once in 7 * 10^10 times."""
_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ")
_NEXT = re.compile(rb"\r(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) )")
_LONGEST_TIME = 64
# The engine cuts lines at this size; on a TTY every piece repeats the time of the line.
_FRAGMENT = 16384
# Output that is not cut like that must not fill the memory.
_LONGEST = 1 << 20


@dataclass(frozen=True)
class Frame:
    """One message of a log driver: a line, or a piece of a long one."""

    stream: str
    time: int
    data: bytes
    ended: bool

    @property
    def hash(self) -> str:
        """A mark of its content."""
        return mark([self.stream, self.time, self.data.hex()], HASH)


def framed(chunks: Iterable[Chunk]) -> Iterator[Frame]:
    """Read frames that begin with their times (timestamps=true)."""
    for stream, payload in chunks:
        yield _frame(stream, payload)


def terminal(chunks: Iterable[Chunk]) -> Iterator[Frame]:
    """Read the output of a TTY, where only line ends, and the times of fragments, part the frames."""
    held, begun = b"", False
    for _, chunk in chunks:
        held = held + chunk if held else chunk
        start = 0
        while end := _end(held, start, begun=begun):
            frame = _frame("stdout", held[start:end])
            begun = not frame.ended and not (begun and held.endswith(b"\r", start, end))
            yield frame if begun or frame.ended else replace(frame, ended=True)
            start = end
        held = held[start:]
    if held:
        yield _frame("stdout", held)


def _end(held: bytes, start: int, *, begun: bool) -> int:
    """Return where the frame ends that begins at `start`, 0 where its end has not come yet.

    `begun`: it goes on with a line; the driver local of Engine 20.10 ends such a line with a CR only.
    """
    match = _TIME.match(held, start)
    follows = (match.end() if match else start) + _FRAGMENT
    line_end = held.find(b"\n", start, follows)
    within = line_end if line_end >= 0 else follows
    next_line = _NEXT.search(held, match.end(), within + _LONGEST_TIME) if begun and match else None
    if next_line and next_line.start() < within:
        return next_line.start() + 1
    if line_end < 0 and match and held.startswith(match[0], follows):
        return follows
    if line_end < 0:
        line_end = held.find(b"\n", follows)
    if line_end >= 0:
        return line_end + 1
    return start + _LONGEST if len(held) - start > _LONGEST else 0


def _frame(stream: str, payload: bytes) -> Frame:
    match = _TIME.match(payload)
    time = nanoseconds(match[1].decode()) if match else 0
    data = payload[match.end() :] if match else payload
    return Frame(stream, time, data, payload.endswith(b"\n"))
