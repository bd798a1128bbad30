"""Answers that come piece by piece: JSON lines, log lines, archives. Each is an iterator and a context manager.

The bytes go from the body through Paced, which keeps the time limits, into the parser of the class.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Generic, Self, TypeVar

from requests import Response

from lib.engine.answer.frames import Frame, frames, raw
from lib.engine.answer.jsonlines import records
from lib.engine.answer.limits import Paced
from lib.engine.answer.log_lines import LogLine, log_lines
from lib.engine.answer.progress import Progress
from lib.engine.closing import Closing
from lib.engine.errors import EngineError, OutcomeUnknown, StreamCut
from lib.engine.http.response import Body

T = TypeVar("T")
Record = dict[str, Any]


class Stream(Closing, Generic[T]):
    """An open answer; its errors name method and path. Leaving its block, or `close`, ends the connection."""

    def __init__(self, response: Response, method: str, path: str) -> None:
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.method, self.path = method, path
        self._response = response
        self._body: Body = response.raw  # type: ignore[assignment] # ours, see EngineAdapter
        self._spent = time.monotonic() - self._body.began
        self._chunks = Paced(self._body.stream(), self._body)
        self._items = self._open(self._chunks)

    def _open(self, chunks: Paced) -> Iterator[T]:
        raise TypeError(f"{type(self).__name__} opens nothing from {chunks}")

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all, from now; then LimitReached is raised.

        In the first call, `seconds` also include the time since the request began.
        """
        spent, self._spent = self._spent, 0.0
        self._chunks.pace(idle, None if seconds is None else seconds - spent)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            return next(self._items)
        except EngineError as error:
            error.method, error.path = error.method or self.method, error.path or self.path
            raise

    def close(self) -> None:
        """End the connection, whether the stream has ended or not."""
        self._response.close()


class Lines(Stream[Record]):
    """JSON lines, each an object; `each` converts one before it is handed on."""

    def __init__(
        self, response: Response, method: str, path: str, each: Callable[[Record], Record] | None = None
    ) -> None:
        self._each = each
        super().__init__(response, method, path)

    def _open(self, chunks: Paced) -> Iterator[Record]:
        return map(self._each, records(chunks)) if self._each else records(chunks)


class ProgressLines(Lines):
    """JSON lines that report the progress of work; if they are cut, OutcomeUnknown is raised.

    `progress` makes what sums them up, `hidden` are texts that no message may show, `output` is an archive that is
    there when the work has ended, and `closing` ends what the work needed beside this answer.
    """

    progress: Callable[[], Progress] = Progress
    hidden: Sequence[str] = ()
    output: Callable[[], Iterator[bytes]] | None = None
    closing: Callable[[], None] | None = None

    def close(self) -> None:
        """End the connection, and what the work needed beside it."""
        super().close()
        if self.closing:
            self.closing()

    def __next__(self) -> Record:
        try:
            return super().__next__()
        except StreamCut as cut:
            raise OutcomeUnknown(
                f"The outcome is unknown: {cut.message}",
                method=self.method,
                path=self.path,
                hint="Look whether the image or plugin is there before you repeat the call",
            ) from cut


class Raw(Stream[bytes]):
    """The bytes of an answer as they come."""

    def _open(self, chunks: Paced) -> Iterator[bytes]:
        return iter(chunks)


class Archive(Stream[bytes]):
    """A tar in pieces of bytes; `name` is a file name for it. Raises StreamCut or StreamFailed if it is not whole."""

    def __init__(self, response: Response, path: str, name: str) -> None:
        self.name = name
        super().__init__(response, "GET", path)

    def _open(self, chunks: Paced) -> Iterator[bytes]:
        from lib.engine.answer.tar_check import whole  # imported late: most steps never see an archive

        return whole(chunks)


class Logs(Stream[LogLine]):
    """Log lines of a container, service or task. `tty` is None until the first frame if it was not known before."""

    def __init__(self, response: Response, path: str, *, tty: bool | None, timestamps: bool) -> None:
        self.tty, self._timestamps = tty, timestamps
        super().__init__(response, "GET", path)

    def _open(self, chunks: Iterator[bytes]) -> Iterator[LogLine]:
        if self.tty is None:  # before the lines are taken apart, which a terminal's are in another way
            first = next(chunks, b"")
            self.tty = _of_a_terminal(first)
            chunks = chain((first,), chunks)
        yield from log_lines(self._framed(chunks), self._timestamps, self.tty)

    def _framed(self, chunks: Iterator[bytes]) -> Iterator[Frame]:
        return self._recognised(chunks) if self.tty is None else raw(chunks) if self.tty else frames(chunks)

    def _recognised(self, chunks: Iterator[bytes]) -> Iterator[Frame]:
        """Recognise a TTY by the first byte: the time of a line begins with a digit, a frame with a number below 4."""
        first = next(chunks, b"")
        self.tty = _of_a_terminal(first)
        yield from self._framed(chain((first,), chunks))

    def frames(self) -> Iterator[Frame]:
        """Return the frames (stream, payload) instead of lines; only one of the two can be read."""
        return self._framed(self._chunks)


def _of_a_terminal(first: bytes) -> bool:
    """Whether logs with times are a terminal's: they begin with the digits of a time, a frame with a number below 4."""
    return first[:1].isdigit()
