"""Reads on in one container's log: ContainerLogs.

Times of a log can go back: the clock was set, or two streams wrote at once. Engines from API 1.42 on show all that
follows the first line that is not older than `since`. Older ones leave out every line that is older, so there the last
lines are read whatever their times, as many as it takes to find the one that was read last. Only where that is far
back they are read by time, from an hour before it.
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
# A line without an end is waited for, so long; then it is told as it stands.
PATIENCE_SECONDS = 10
SECONDS = 10.0
WINDOWS = (20, 500, 16_000)
"""How many of a log's last lines an older engine is asked for, until the last one that was read is among them."""
_SINCE_SHOWS_ALL = Version(1, 42)
_BACK = 3600 * SECOND
_NEVER = 1 << 63
_QUERY = ("stdout", "stderr", "timestamps", "since", "until", "tail")


def read_on(engine: Engine, container: Container, before: Position, *, now: int, limit: int) -> Tail:
    """Return what is new in a log by the engine's time `now` (seconds): one line, then no more than `limit` bytes."""
    until = (now - EDGE_SECONDS) * SECOND
    settled = until - PATIENCE_SECONDS * SECOND
    if container.status in ENDED:
        # Nobody writes to its log any more.
        until = settled = _NEVER
    elif before.time > until:
        # With the engine's clock behind the last line, the end of the window would hide everything.
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
    """Return the last lines of a container's log."""
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
    for first in chunks:  # with it, it is known what kind of output this is
        whole = chain((first,), chunks)
        yield from terminal(whole) if logs.tty else framed(whole)


def _from(frames: Iterable[Frame], time: int) -> Iterator[Frame]:
    """Leave out what comes before the first frame that is not older than `time`."""
    rest = iter(frames)
    for frame in rest:
        if frame.time >= time:
            yield frame
            yield from rest


class _Window:
    """The last `lines` frames of a log, from the first not older than `time` to the first later than `until`.

    If it `suffices`, the log's first frame with that time, or a later one, does not stand before them. (Only if times
    went back it can; then the frame that was read last is not found where it should be.)
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
        """Whether it begins before that time, or is the whole log; call it after all that was wanted was read."""
        return self._begins_before or self._count + sum(1 for _ in self._frames) < self._lines
