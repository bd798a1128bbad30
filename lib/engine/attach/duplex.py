"""Upgraded connections (ContainerAttach, ExecStart, Session): a request, then raw bytes in both directions.

One thread serves both directions. While it sends stdin, it reads what arrives, so that neither side waits for the
other. Then it closes stdin and reads until the connection ends.
"""

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
    """An upgraded connection after its head; leaving its block ends it.

    The engine ends it when the process ends, and also when the engine itself dies; ExecInspect and ContainerInspect
    tell which it was. `input_taken` is False if the process ended before it took all of its stdin. If `keeps_input` is
    set, stdin is not closed.
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
        """Whether the engine switched protocols (101). With 200 it takes the connection over, too."""
        return self.status == 101  # noqa: PLR2004

    def send(self, data: bytes) -> None:
        """Send all of `data`; what arrives meanwhile is kept for `chunks`. Raises StreamCut, TimeoutError."""
        with _cutting():
            self._link.write(data)

    def close_input(self) -> None:
        """Close the process's stdin; its output goes on (unix and TCP: shutdown, TLS: our close_notify)."""
        with _cutting():
            self._link.end_writing()

    def chunks(self, feed: Iterable[bytes] | None = None) -> Iterator[bytes]:
        """Yield the output until the connection ends; call it once.

        `feed` is the stdin: it is sent while output is read, and then stdin is closed, unless `keeps_input` was set.
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
        """Pass on the body of an answer that is no upgrade (200): chunked, with a length, or up to the end."""
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
            yield b""  # no data; the reader checks the time
        if self._feed is not None and self.input_taken and not self.keeps_input:
            self._close_taken()
        with _cutting():
            while data := self._read():
                yield data

    def _exchange(self, piece: bytes) -> Iterator[bytes]:
        """Send a piece of stdin; yield what arrives meanwhile."""
        view = memoryview(piece)
        with _cutting():
            while view:
                try:
                    sent = self._link.send(view)
                    self._fed = self._fed or sent > 0
                    view = view[sent:]
                    arrived = self._link.receive()
                except (BrokenPipeError, ConnectionResetError):
                    # The process ended without reading its input; its output may still arrive.
                    self.input_taken = False
                    return
                if not arrived:
                    yield b""  # no data; the reader checks the time
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
            # A process that ended with unread input causes this; if no input was sent, it is a fault.
            if not self._fed:
                raise
            self.input_taken = False
            return b""

    def _close_taken(self) -> None:
        try:
            self._link.end_writing()
        except TimeoutError:
            raise
        except OSError:  # the process ended meanwhile: there is no stdin to close
            self.input_taken = False

    def shut_down(self) -> None:
        """End the connection under a thread that reads or writes it; that thread then closes it."""
        self._link.shut_down()

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
    """Connect, send `request` (head and body, see `request_head`), and read the head of the answer.

    `connect` returns a connected unix or TCP socket without TLS; give `tls` instead, since only then stdin can be
    closed alone. `timeout` is in seconds, for the TLS handshake, and again for the request and the head. Raises
    Unreachable, TlsRefused, OutcomeUnknown (after the request was sent) and, for a status that is neither 101 nor 2xx,
    the error with the engine's own text.
    """
    link = open_link(connect, timeout, tls, server_name)
    try:
        return Duplex(link, shake_hands(link, request, method, path, timeout))
    except BaseException:
        link.close()
        raise


class _cutting(StreamExit):  # noqa: N801 - reads as a function
    """Translates faults to StreamCut, but passes a TimeoutError on to the layer that set the limit."""

    def __init__(self) -> None:
        super().__init__(_HINT, times=False)
