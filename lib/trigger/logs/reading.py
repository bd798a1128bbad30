"""Reads the new lines of one container's log: ContainerLogs.

The times in a log can go back: somebody set the clock, or two streams wrote at the same moment. `since` works
differently by API version:

- From 1.42 on, the engine sends everything after the first line that is not older than `since`. One call suffices.
- Before 1.42, it leaves out every line that is older, also later ones. So the last 20, 500 or 16,000 lines are read
  without `since`, until the last line of the last poll is among them (`_Window`). If it is not, the log is read from
  one hour before that line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

from lib.engine import Engine, Version
from lib.engine.answer.streams import Logs
from lib.trigger.clock import EDGE_SECONDS, SECOND, unix_time
from lib.trigger.containers.container import Container
from lib.trigger.logs.frames import Frame, framed, terminal
from lib.trigger.logs.position import Position, Tail, read

ENDED = ("exited", "dead", "created", "removing")
# How long to wait for the newline of a partial line.
PATIENCE_SECONDS = 10
# Upper bound of one call, and of a pause in its answer.
SECONDS = 10.0
WINDOWS = (20, 500, 16_000)
"""Numbers of last lines to ask an older engine for, in this order."""
_SINCE_SHOWS_ALL = Version(1, 42)
# How far before the last line an older engine is asked by time, in nanoseconds.
_BACK = 3600 * SECOND
# A time in nanoseconds that is later than any in a log.
_NEVER = 1 << 63
_QUERY = ("stdout", "stderr", "timestamps", "since", "until", "tail")


def read_on(engine: Engine, container: Container, before: Position, *, now: int, limit: int) -> Tail:
    """Return the lines after `before`, up to EDGE_SECONDS before the engine's time `now` (seconds).

    At least one line is returned, and then no more than `limit` bytes. Raises EngineError.
    """
    until = (now - EDGE_SECONDS) * SECOND
    settled = until - PATIENCE_SECONDS * SECOND
    if container.status in ENDED:
        # No process writes to this log any more, so it is read to its end.
        until = settled = _NEVER
    elif before.time > until:
        # The engine's clock is behind the last line: an end by time would hide all lines.
        until = _NEVER
    since = before.time
    if before.count and engine.version < _SINCE_SHOWS_ALL:
        for lines in WINDOWS:
            with _opened(engine, container, {"tail": str(lines)}) as frames:
                window = _Window(frames, before.time, until, lines)
                tail = read(window, before, settled=settled, limit=limit)
                if not tail.gap and window.suffices():
                    return tail
        since = max(since - _BACK, 1)
    query = {"since": unix_time(since)} if since else {}
    query |= {"until": unix_time(until)} if until < _NEVER else {}
    with _opened(engine, container, query) as frames:
        return read(_from(frames, before.time), before, settled=settled, limit=limit)


def last_lines(engine: Engine, container: Container, lines: int, limit: int) -> Tail:
    """Return the last `lines` lines of a container's log, at most `limit` bytes after the first. Raises EngineError."""
    with _opened(engine, container, {"tail": str(lines)}) as frames:
        return read(frames, Position(), settled=_NEVER, limit=limit)


@contextmanager
def _opened(engine: Engine, container: Container, query: Mapping[str, str]) -> Iterator[Iterator[Frame]]:
    fields: dict[str, Any] = {"id": container.id, "stdout": True, "stderr": True, "timestamps": True, **query}
    with engine.logs("/containers/{id}/logs", fields, query=_QUERY, tty=None) as logs:
        logs.pace(SECONDS, SECONDS)
        yield _timed(logs)


def _timed(logs: Logs) -> Iterator[Frame]:
    chunks = logs.frames()
    for first in chunks:  # `logs.tty` is known only after the first chunk
        whole = chain((first,), chunks)
        yield from terminal(whole) if logs.tty else framed(whole)


def _from(frames: Iterable[Frame], time: int) -> Iterator[Frame]:
    """Yield the frames from the first one that is not older than `time` (nanoseconds)."""
    rest = iter(frames)
    for frame in rest:
        if frame.time >= time:
            yield frame
            yield from rest


class _Window:
    """The last `lines` frames of a log, from the first not older than `time` up to the first later than `until`.

    Both times are in nanoseconds. If the window `suffices`, the log's first frame with `time` or later is in it. Times
    that went back are an exception; then the reader does not find the position in the window.
    """

    def __init__(self, frames: Iterator[Frame], time: int, until: int, lines: int) -> None:
        self._frames, self._time, self._until, self._lines = frames, time, until, lines
        self._count = 0
        self._begins_before = False

    def __iter__(self) -> Iterator[Frame]:
        begun, over = False, False
        for frame in self._frames:
            self._count += 1
            if not begun and frame.time < self._time:
                self._begins_before = True
                continue
            begun = True
            over = over or frame.time > self._until
            if not over:
                yield frame

    def suffices(self) -> bool:
        """Return whether the window begins before `time` or is the whole log; call it after the frames were read."""
        return self._begins_before or self._count + sum(1 for _ in self._frames) < self._lines
