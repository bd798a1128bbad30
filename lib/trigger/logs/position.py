"""Where a log was left, to the frame, and what stands behind it (docs/triggers.md#containerlogs): no I/O in here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from lib.engine.errors import LimitReached, NoAnswer, StreamFailed
from lib.trigger.logs.frames import HASH, Frame
from lib.trigger.marks.compact import mark

Gap = Literal["rotated", "rewritten"]

_NO_HASH = "A" * HASH
# What waits for a line to end must not fill the memory; then the line is told in parts.
_PENDING = 4 << 20


@dataclass(frozen=True)
class Position:
    """The last frame that was delivered, findable again although many frames may have its time.

    `time` is the largest time delivered, in nanoseconds. `count`: frames from the first with that time to the last
    one delivered; `hash` is a mark of all of them, since pieces of long lines are often equal. A count of 0 means no
    frame but a moment: everything later is new. `of_last`: the mark is of the last frame only, as version 1.0 had it.
    """

    time: int = 0
    count: int = 0
    hash: str = _NO_HASH
    of_last: bool = field(default=False, compare=False)

    def after(self, frame: Frame) -> Position:
        """Return the position behind one more frame."""
        if frame.time > self.time or not self.count:
            return Position(max(frame.time, self.time), 1, frame.hash)
        return Position(self.time, self.count + 1, chained(self.hash, frame))


def chained(before: str, frame: Frame) -> str:
    """Return the mark of the frames that have the mark `before`, and one more."""
    return mark([before, frame.hash], HASH)


@dataclass(frozen=True)
class Line:
    """A line put together; `whole` is False where its end never came.

    `place` is where it ended: the largest time until then, and the number of frames since the first with that time. It
    tells lines of one time and content apart, wherever a reading began.
    """

    stream: str
    time: int
    place: tuple[int, int]
    data: bytes
    whole: bool

    @property
    def text(self) -> str:
        """The line without its end."""
        return self._content.decode("utf-8", "replace")

    @property
    def lossy(self) -> bool:
        """Whether it has bytes that are no UTF-8, which `text` replaces by U+FFFD."""
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
    """What a reading brought. `more`: it stopped at its limit of bytes; the next poll goes on."""

    position: Position
    lines: list[Line] = field(default_factory=list)
    gap: Gap | None = None
    more: bool = False


def read(frames: Iterable[Frame], before: Position, *, settled: int, limit: int) -> Tail:
    """Return what is new behind `before`, where the log was read from its time on.

    An unfinished line at the end is held back, and all that follows it, unless its time is before `settled`. At
    least one line is taken, then no more than `limit` bytes. Where reading fails behind lines that are new, they are
    returned, and the next reading will see the failure.
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
    """Skips what was delivered, joins what is new; `tail` stands after the last frame that leaves no line open."""

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
        """Take a frame; False once the limit is reached."""
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
        """Pass over what was delivered; anything that is not as it was means that something was lost."""
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
        """Deal with the end of the log: lines that never ended, an anchor that is not there."""
        if not self._anchored:
            self._lose("rewritten" if self._skipped else "rotated", self._passed)
            if not self._passed:
                self.tail.position = Position(self._before.time)
        if self._open and all(pieces[0].time < settled for pieces in self._open.values()):
            self._close_all()
            self._settle()
