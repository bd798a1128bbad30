"""One request and its answer on a connection, under one deadline.

The calls come in this order: `send` or `upload`, `head`, and then `content`, `error_text`, or `piece` up to b"".
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from lib.engine.errors import LimitReached
from lib.engine.http.bounds import ANSWER_BYTES, ERROR_BYTES, ERROR_SECONDS
from lib.engine.http.connection import BUFFER, NEVER, Connection
from lib.engine.http.faults import FAULTS, Exit, SettingReached
from lib.engine.http.reader import Reader
from lib.engine.timeouts import Timeout


class Exchange:
    """Sends a request and reads its answer. `began` is the moment of `time.monotonic` before its first byte.

    Raises OSError and Malformed, which the caller translates, and LimitReached.
    """

    def __init__(self, connection: Connection, method: str, limits: Timeout) -> None:
        self.connection = connection
        self.reader = Reader(method)
        self.limits = limits
        self.began = time.monotonic()
        self.sending = self._sent = False
        self._until = NEVER if limits.total is None else self.began + limits.total
        self._head_until = self._before(limits.first_byte)

    def send(self, request: bytes) -> None:
        """Send a request whose body is in memory; an engine that closes before its end may have answered already.

        A request above BUFFER is sent like an upload: an engine that refuses it may answer and read no more.
        """
        self.sending = True
        try:
            if len(request) > BUFFER:
                self._sent = self.connection.push(request, self.reader, self._head_until)
            else:
                self.connection.send(request, self._head_until)
                self._sent = True
        except TimeoutError:
            raise
        except OSError:
            pass

    def upload(self, first: bytes, pieces: Iterator[bytes], way_out: Exit) -> None:
        """Send a request piece by piece. `way_out` translates the faults of sending, but not the errors of `pieces`."""
        self.sending = True
        piece: bytes | None = first
        while piece is not None:
            with way_out:
                if not self._pushed(piece):
                    self._head_until = self._before(self.limits.first_byte)
                    return
            piece = next(pieces, None)
        self._sent = True
        self._head_until = self._before(self.limits.first_byte)

    def _pushed(self, piece: bytes) -> bool:
        try:
            return self.connection.push(piece, self.reader, self._before(self.limits.first_byte))
        except TimeoutError:
            raise self._timeout() from None

    def head(self) -> None:
        """Read up to the end of the answer's head."""
        while not self.reader.status:
            self._hear(self._head_until)

    def open(self) -> None:
        """Leave the body to a reader that sets its own limits: `total` does not hold any more."""
        self._until = NEVER

    def content(self) -> bytes:
        """Return the rest of a whole answer; raises LimitReached above ANSWER_BYTES."""
        reader = self.reader
        pieces = reader.take()
        if reader.complete:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        found = bytearray().join(pieces)
        while not reader.complete:
            piece = self.piece(self.limits.idle)
            found += piece
            if len(found) > ANSWER_BYTES:
                raise LimitReached(
                    f"The answer is longer than {ANSWER_BYTES} bytes",
                    limit="ANSWER_BYTES",
                    hint="Ask for less: filters, a limit, or fewer details",
                )
        return bytes(found)

    def error_text(self) -> bytes:
        """Return the text of an error, as far as it comes if it is cut, slow or endless; b"" if it is compressed."""
        self._until = self._before(ERROR_SECONDS)
        found = bytearray()
        try:
            while (piece := self.piece(None)) and len(found) < ERROR_BYTES:
                found += piece
        except FAULTS:
            self.connection.close()
        return b"" if self.reader.compressed else bytes(found[:ERROR_BYTES])

    def piece(self, idle: float | None) -> bytes:
        """Return the next piece of the body, b"" at its end; wait at most `idle` seconds for it."""
        reader = self.reader
        until = self._before(idle)
        while not (pieces := reader.take()):
            if reader.complete:
                return b""
            self._hear(until)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    @property
    def reusable(self) -> bool:
        """Whether the connection can take the next request."""
        return self._sent and self.reader.reusable

    def close(self) -> None:
        """End the connection."""
        self.connection.close()

    def _hear(self, until: float) -> None:
        try:
            self.connection.hear(self.reader, until)
        except TimeoutError:
            raise self._timeout() from None

    def _before(self, seconds: float | None) -> float:
        if seconds is None:
            return self._until
        until = time.monotonic() + seconds
        return min(self._until, until)

    def _timeout(self) -> TimeoutError:
        if self.limits.setting and time.monotonic() >= self._until:
            return SettingReached(self.limits.setting)
        return TimeoutError()
