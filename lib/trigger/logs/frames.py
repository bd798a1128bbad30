"""Splits the engine's answer to ContainerLogs into the messages of the log driver, each with its time.

Without a TTY the engine sends frames, and each frame is one message (`framed`). With a TTY it sends bytes without
frames (`terminal`): a message ends at a line end, or after 16 KiB if the engine cut a long line. A cut shows only by
the next message, which begins with the same time again. Both need `timestamps=true`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lib.trigger.clock import nanoseconds
from lib.trigger.marks.compact import mark

Chunk = tuple[str, bytes]

HASH = 6
"""Digits of a frame's mark, 36 bits: another frame has the same mark with a chance of 1 in 7 * 10^10."""
_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ")
_NEXT = re.compile(rb"\r(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) )")
_LONGEST_TIME = 64
# The engine cuts lines after so many bytes; on a TTY each piece begins with the time of the line.
_FRAGMENT = 16384
# Upper bound in bytes of one message: output that the engine does not cut must not fill the memory.
_LONGEST = 1 << 20


@dataclass(frozen=True)
class Frame:
    """One message of a log driver: a line, or a piece of a long one.

    `stream`: stdout or stderr. `time`: Unix nanoseconds, 0 if it has none. `data`: with its line end. `ended`: whether
    a line ends with it.
    """

    stream: str
    time: int
    data: bytes
    ended: bool

    @property
    def hash(self) -> str:
        """A mark of the content, HASH digits."""
        return mark([self.stream, self.time, self.data.hex()], HASH)


def framed(chunks: Iterable[Chunk]) -> Iterator[Frame]:
    """Yield a frame for each (stream, payload); each payload begins with its time. Raises StreamFailed for no time."""
    for stream, payload in chunks:
        yield _frame(stream, payload)


def terminal(chunks: Iterable[Chunk]) -> Iterator[Frame]:
    """Yield the frames in the output of a TTY, which has line ends and the times of fragments as its only borders."""
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
    """Return the offset at which the frame that begins at `start` ends, 0 if more bytes are needed.

    `begun`: the frame continues a line. The driver `local` of Engine 20.10 ends such a line with a CR only.
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
