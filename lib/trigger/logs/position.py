"""Finds the stored position in a log again and joins what follows it into lines (docs/triggers.md#containerlogs).

A time does not identify a frame: many frames can have the same time, and times can go back. So a `Position` counts
the frames since the first one with the largest time read, and has a mark of them. `read` gets the frames from that time
on and works in three phases:

1. Anchor (`_Reader._anchor`). Skip as many frames as the position counts, and compare their mark. If it matches, the
   position is found. If the time is missing, the log was rotated; if the mark differs, it was rewritten. Both are a
   gap; the frames with later times, and all after them, are read as new.
2. Join (`_Reader._add`). Collect the frames of each stream until a line ends.
3. Settle (`_Reader._settle`). When no line is open, the lines are taken and the position moves behind them. So an
   unfinished line stays before the position and is read again by the next poll, with all that follows it.

There is no I/O in here: lib/trigger/logs/reading.py calls the engine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from lib.engine.errors import LimitReached, NoAnswer, StreamFailed
from lib.trigger.logs.frames import HASH, Frame
from lib.trigger.marks.compact import mark

Gap = Literal["rotated", "rewritten"]

_NO_HASH = "A" * HASH
# Upper bound in bytes of unfinished lines; above it they are closed as they are, and the rest is a new line.
_PENDING = 4 << 20


@dataclass(frozen=True)
class Position:
    """The last frame of a log that was read.

    `time`: the largest time read, in Unix nanoseconds. `count`: frames from the first with that time to the last one
    read. `hash`: a mark of all these frames, since pieces of long lines are often equal. A `count` of 0 stands for a
    time without a frame: every later frame is new. `of_last`: `hash` is of the last frame only (version 1.0).
    """

    time: int = 0
    count: int = 0
    hash: str = _NO_HASH
    of_last: bool = field(default=False, compare=False)

    def after(self, frame: Frame) -> Position:
        """Return the position after one more frame."""
        if frame.time > self.time or not self.count:
            return Position(max(frame.time, self.time), 1, frame.hash)
        return Position(self.time, self.count + 1, chained(self.hash, frame))


def chained(before: str, frame: Frame) -> str:
    """Return the mark of several frames: those with the mark `before`, and `frame` after them."""
    return mark([before, frame.hash], HASH)


@dataclass(frozen=True)
class Line:
    """A line, joined from its frames; `whole` is False if its end is missing.

    `time` is in Unix nanoseconds, `data` has the line end. `place` is (time, count) of the position after the line. It
    differs for lines of equal time and content, and does not depend on where a read began.
    """

    stream: str
    time: int
    place: tuple[int, int]
    data: bytes
    whole: bool

    @property
    def text(self) -> str:
        """The line as text, without its line end."""
        return self._content.decode("utf-8", "replace")

    @property
    def lossy(self) -> bool:
        """Whether the line has bytes that are no UTF-8; `text` has U+FFFD in their place."""
        try:
            self._content.decode()
        except UnicodeDecodeError:
            return True
        return False

    @property
    def _content(self) -> bytes:
        return self.data.removesuffix(b"\n").removesuffix(b"\r")


@dataclass
class Tail:
    """Result of one read.

    `position`: where the next read begins. `gap`: why the old position was not found, None if it was. `more`: the read
    stopped before the end of the log, at its limit or because of an error; the next poll continues.
    """

    position: Position
    lines: list[Line] = field(default_factory=list)
    gap: Gap | None = None
    more: bool = False


def read(frames: Iterable[Frame], before: Position, *, settled: int, limit: int) -> Tail:
    """Return the lines after `before`; `frames` are those of the log from the time of `before` on.

    An unfinished line at the end is held back with all that follows it, unless its time is before `settled` (Unix
    nanoseconds). At least one line is returned, and then no more than `limit` bytes. Raises LimitReached, NoAnswer and
    StreamFailed of `frames` if there are no new lines; if there are, these are returned, and the next read meets the
    error.
    """
    reader = _Reader(before, limit)
    try:
        for frame in frames:
            if not reader.take(frame):
                reader.tail.more = True
                return reader.tail
    except (LimitReached, NoAnswer, StreamFailed):
        if not reader.tail.lines:
            raise
        reader.tail.more = True
        return reader.tail
    reader.finish(settled)
    return reader.tail


class _Reader:
    """Does the three phases of this file; `tail` is the result up to the last frame after which no line is open."""

    def __init__(self, before: Position, limit: int) -> None:
        self._before, self._limit, self._size = before, limit, 0
        self._skipped = self._pending = 0
        self._mark = ""
        self._passed: list[Frame] = []
        self._anchored = not before.count
        self._position = Position(before.time) if not before.count else before
        self._open: dict[str, list[Frame]] = {}
        self._ready: list[Line] = []
        self.tail = Tail(before)

    def take(self, frame: Frame) -> bool:
        """Take a frame; return False if the limit of bytes is reached."""
        if not self._anchored:
            self._anchor(frame)
            return True
        if (
            not self._before.count
            and self._position.count == 0
            and self._before.time
            and frame.time <= self._before.time
        ):
            return True
        self._add(frame)
        return self._size < self._limit

    def _anchor(self, frame: Frame) -> None:
        """Skip a frame that was read before; if the frames are not as the position says, report a gap."""
        if not self._skipped and frame.time > self._before.time:
            self._lose("rotated", [frame])
            return
        self._skipped += 1
        self._mark = chained(self._mark, frame) if self._mark else frame.hash
        if frame.time > self._before.time:
            self._passed.append(frame)
        if self._skipped < self._before.count:
            return
        if self._before.hash == (frame.hash if self._before.of_last else self._mark):
            self._anchored = True
            self._position = self.tail.position = replace(self._before, hash=self._mark, of_last=False)
        else:
            self._lose("rewritten", self._passed)

    def _lose(self, gap: Gap, frames: list[Frame]) -> None:
        self.tail.gap, self._anchored = gap, True
        self._position = Position()
        for frame in frames:
            self._add(frame)

    def _add(self, frame: Frame) -> None:
        self._position = self._position.after(frame)
        pieces = self._open.setdefault(frame.stream, [])
        if pieces and pieces[0].time != frame.time:
            self._close(frame.stream, whole=False)
            pieces = self._open.setdefault(frame.stream, [])
        pieces.append(frame)
        if frame.ended:
            self._close(frame.stream, whole=True)
        self._pending += len(frame.data)
        if self._pending > _PENDING:
            self._close_all()
        if not self._open:
            self._settle()

    def _close_all(self) -> None:
        for stream in list(self._open):
            self._close(stream, whole=False)

    def _close(self, stream: str, *, whole: bool) -> None:
        pieces = self._open.pop(stream)
        place = (self._position.time, self._position.count)
        data = b"".join(piece.data for piece in pieces)
        self._ready.append(Line(stream, pieces[0].time, place, data, whole))

    def _settle(self) -> None:
        self.tail.lines += self._ready
        self.tail.position = self._position
        self._size += sum(len(line.data) for line in self._ready)
        self._ready, self._pending = [], 0

    def finish(self, settled: int) -> None:
        """Handle the end of the log: a position that was not found, and unfinished lines (see `read`)."""
        if not self._anchored:
            self._lose("rewritten" if self._skipped else "rotated", self._passed)
            if not self._passed:
                self.tail.position = Position(self._before.time)
        if self._open and all(pieces[0].time < settled for pieces in self._open.values()):
            self._close_all()
            self._settle()
