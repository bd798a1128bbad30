"""Makes text lines of the frames of logs, attach and exec: joins pieces, splits off times, decodes."""

from __future__ import annotations

import base64
import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lib.engine.answer.frames import Frame

_TIME = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ")
# Bytes. The engine cuts longer lines into messages of this size, each with the time of the first.
_FRAGMENT = 16384
# Bytes. A line without an end is handed out in parts of this size, so that it does not fill the memory.
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line without its end. `time` is RFC 3339 as the engine wrote it, to nanoseconds, or None.

    `stream` is stdin, stdout or stderr. `lossy` says that bytes that are not UTF-8 were replaced by U+FFFD.
    """

    stream: str
    time: str | None
    text: str
    lossy: bool = False
    raw: bytes | None = field(default=None, compare=False, repr=False)
    """The line's bytes if `lossy`, else None."""

    def as_base64(self) -> dict[str, str | bool | None]:
        """Return {stream, time, text, encoding}; the text is base64 of the line's exact bytes."""
        data = self.text.encode() if self.raw is None else self.raw
        text = base64.b64encode(data).decode()
        return {"stream": self.stream, "time": self.time, "text": text, "encoding": "base64"}

    def as_dict(self) -> dict[str, str | bool | None]:
        """Return {stream, time, text}, and lossy if it is true."""
        line: dict[str, str | bool | None] = {"stream": self.stream, "time": self.time, "text": self.text}
        return {**line, "lossy": True} if self.lossy else line


def log_lines(frames: Iterable[Frame], timestamps: bool = False, tty: bool = False) -> Iterator[LogLine]:
    """Yield the lines of each stream in the order of their ends; an unfinished last line is a line, too.

    With `timestamps` (ContainerLogs, timestamps=true) each frame begins with a time. A frame whose time is not that of
    the unfinished line begins a new line (the container was restarted). On a TTY (`raw` instead of `frames`) only
    lines begin with times, and the fragments of a long line repeat its time. If the source fails, the unfinished lines
    are yielded before its error is raised.
    """
    lines = _Lines(timestamps, tty)
    try:
        for stream, payload in frames:
            yield from lines.add(stream, payload)
    except Exception:
        yield from lines.rest()
        raise
    yield from lines.rest()


@dataclass(slots=True)
class _Open:
    """A line whose end has not come yet."""

    time: bytes | None = None
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0


class _Lines:
    def __init__(self, timestamps: bool, tty: bool) -> None:
        self._framed_times = timestamps and not tty
        self._inline_times = timestamps and tty
        self._open: dict[str, _Open] = {}

    def add(self, stream: str, payload: bytes) -> Iterator[LogLine]:
        """Take a frame and yield the lines that it completes."""
        line = self._open.get(stream)
        if line is None:
            line = self._open[stream] = _Open()
        if self._framed_times and (match := _TIME.match(payload)):
            if line.pieces and match[1] != line.time:
                yield self._take(stream, line)
            line.time, payload = match[1], payload[match.end() :]
        *whole, last = payload.split(b"\n")
        for piece in whole:
            line.pieces.append(piece)
            yield self._take(stream, line, ended=True)
        if last:
            line.pieces.append(last)
            line.size += len(last)
            if line.size >= _LONGEST:
                yield self._part(stream, line)

    def rest(self) -> Iterator[LogLine]:
        """Yield the unfinished lines."""
        for stream, line in self._open.items():
            if line.pieces:
                yield self._take(stream, line)

    def _take(self, stream: str, line: _Open, *, ended: bool = False) -> LogLine:
        data = line.pieces[0] if len(line.pieces) == 1 else b"".join(line.pieces)
        line.pieces.clear()
        line.size = 0
        if ended and data.endswith(b"\r"):
            data = data[:-1]
        return self._line(stream, line.time, data)

    def _part(self, stream: str, line: _Open) -> LogLine:
        data = b"".join(line.pieces)
        end = _character_end(data)
        line.pieces[:] = [data[end:]] if end < len(data) else []
        line.size = len(data) - end
        return self._line(stream, line.time, data[:end])

    def _line(self, stream: str, time: bytes | None, data: bytes) -> LogLine:
        if self._inline_times and (match := _TIME.match(data)):
            time, data = match[1], _without_repeats(data[match.end() :], match[0])
            if data.endswith(b"\r"):  # the \r ended a full fragment, its \n was alone in the next one
                data = data[:-1]
        try:
            text, raw = data.decode(), None
        except UnicodeDecodeError:
            text, raw = data.decode("utf-8", "replace"), data
        return LogLine(stream, time.decode() if time else None, text, raw is not None, raw)


def _without_repeats(data: bytes, time: bytes) -> bytes:
    parts, start = [], 0
    while data.startswith(time, start + _FRAGMENT):
        parts.append(data[start : start + _FRAGMENT])
        start += _FRAGMENT + len(time)
    return b"".join((*parts, data[start:]))


def _character_end(data: bytes) -> int:
    """Return where the last whole UTF-8 character ends: a cut inside one would damage both parts."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    return len(data) - len(decoder.getstate()[0])
