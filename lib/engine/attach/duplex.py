"""Upgraded connections (ContainerAttach, ExecStart, Session): a request, then raw bytes in both directions."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping

from lib.engine.answer.frames import Frame, frames, raw
from lib.engine.answer.limits import Paced
from lib.engine.attach.duplex_socket import DuplexSocket, open_link
from lib.engine.attach.handshake import shake_hands
from lib.engine.closing import Closing
from lib.engine.http.faults import StreamExit
from lib.engine.http.reader import Reader
from lib.engine.http.response import Headers

_HINT = "The engine or the way to it went down; ask ExecInspect or ContainerInspect how it ended"


class Duplex(Closing):
    """An open connection after its head. One thread does both directions; leaving the block ends it.

    The engine ends it when the process ends, and the same way when the engine itself dies: which it was,
    ExecInspect and ContainerInspect know.
    """

    def __init__(self, link: DuplexSocket, reader: Reader) -> None:
        self.status = reader.status
        self.headers: Mapping[str, str] = Headers(reader.fields)
        self.input_taken = True
        self.keeps_input = False
        self._reader = reader
        self._fed = False
        self._link = link
        self._feed: Iterable[bytes] | None = None
        self._chunks = Paced(self._arriving(), link)

    @property
    def upgraded(self) -> bool:
        """Whether the engine switched protocols (101); with 200 it hijacked the connection all the same."""
        return self.status == 101  # noqa: PLR2004

    def send(self, data: bytes) -> None:
        """Send all of `data`; what arrives meanwhile is held for `chunks`. Raises StreamCut."""
        with _cutting():
            self._link.write(data)

    def close_input(self) -> None:
        """End the process's stdin; output goes on (unix and TCP: shutdown, TLS: our close_notify)."""
        with _cutting():
            self._link.end_writing()

    def chunks(self, feed: Iterable[bytes] | None = None) -> Iterator[bytes]:
        """Yield the output until the connection ends; to be called once.

        `feed` is the stdin: it is sent while output is read, so that neither has to wait for the other,
        and then the input is closed, unless `keeps_input` was set. `input_taken` is False if the process ended
        before it took all of it.
        Raises StreamCut, and LimitReached under `pace`.
        """
        self._feed = feed
        if self.upgraded:
            yield from (chunk for chunk in self._chunks if chunk)
            return
        while True:
            with _cutting():
                pieces = self._reader.take()
            if pieces:
                yield from pieces
            elif self._reader.complete:
                return
            else:
                with _cutting():
                    self._decode(next(self._chunks, None))

    def _decode(self, chunk: bytes | None) -> None:
        """Read the body of an answer that is no upgrade (200): chunked, of a length, or to the end."""
        if chunk is None:
            self._reader.end()
        elif chunk:
            self._reader.feed(chunk)

    def frames(self, feed: Iterable[bytes] | None = None, *, tty: bool) -> Iterator[Frame]:
        """Yield the output as (stream, payload); with a TTY all of it is stdout."""
        return raw(self.chunks(feed)) if tty else frames(self.chunks(feed))

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all, from now; then LimitReached is raised."""
        self._chunks.pace(idle, seconds)

    def _arriving(self) -> Iterator[bytes]:
        for piece in self._feed or ():
            yield from self._exchange(piece)
            if not self.input_taken:
                break
            yield b""  # nothing to read, but a moment to look at the time
        if self._feed is not None and self.input_taken and not self.keeps_input:
            self._close_taken()
        with _cutting():
            while data := self._read():
                yield data

    def _exchange(self, piece: bytes) -> Iterator[bytes]:
        """Send a piece of the feed; yield what arrives meanwhile."""
        view = memoryview(piece)
        with _cutting():
            while view:
                try:
                    sent = self._link.send(view)
                    self._fed = self._fed or sent > 0
                    view = view[sent:]
                    arrived = self._link.receive()
                except (BrokenPipeError, ConnectionResetError):
                    # The process ended without reading its input; its output may still be on the way.
                    self.input_taken = False
                    return
                if not arrived:
                    yield b""  # a moment to look at the time
                    continue
                data = self._read()
                if not data:
                    self.input_taken = False
                    return
                yield data

    def _read(self) -> bytes:
        try:
            return self._link.read()
        except ConnectionResetError:
            # What becomes of a process that ended with input unread; without any input it is a fault.
            if not self._fed:
                raise
            self.input_taken = False
            return b""

    def _close_taken(self) -> None:
        try:
            self._link.end_writing()
        except TimeoutError:
            raise
        except OSError:  # ended meanwhile: there is no input to close any more
            self.input_taken = False

    def close(self) -> None:
        """End the connection."""
        self._link.close()


def open_duplex(
    connect: Callable[[], socket.socket],
    request: bytes,
    *,
    method: str,
    path: str,
    timeout: float | None,
    tls: ssl.SSLContext | None = None,
    server_name: str = "",
) -> Duplex:
    """Connect, send `request` (head and body, see `request_head`), read the head of the answer.

    `connect` returns a connected unix or TCP socket, never an SSL one: give `tls` instead, since only then
    the input can be closed alone. `timeout` holds for the handshake, and again for the request and the head.
    Raises TlsRefused, OutcomeUnknown (after the request was sent) and, for a status that is neither 101 nor 2xx, the
    error with the engine's own text.
    """
    link = open_link(connect, timeout, tls, server_name)
    try:
        return Duplex(link, shake_hands(link, request, method, path, timeout))
    except BaseException:
        link.close()
        raise


class _cutting(StreamExit):  # noqa: N801 - reads as a function
    """Time limits pass: they are told by the layer that set them."""

    def __init__(self) -> None:
        super().__init__(_HINT, times=False)
