"""Upgraded connections (ContainerAttach, ExecStart, Session): a request, then raw bytes in both directions."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from lib.engine.closing import Closing
from lib.engine.errors import StreamCut
from lib.engine.frames import Frame, frames, raw
from lib.engine.http.faults import identity_refused
from lib.engine.httphead import Head, Lost, Malformed, TooSlow, body, read_head, refused
from lib.engine.limits import Paced
from lib.engine.link import Link, open_link

_REFUSAL_LONGEST = 65536


class Duplex(Closing):
    """An open connection after its head. One thread does both directions; leaving the block ends it.

    The engine ends it when the process ends, and the same way when the engine itself dies: which it was,
    ExecInspect and ContainerInspect know.
    """

    def __init__(self, link: Link, head: Head) -> None:
        self.status = head.status
        self.headers: Mapping[str, str] = head.headers
        self.input_taken = True
        self.keeps_input = False
        self._head = head
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
        try:
            yield from body(self._head, self._chunks)
        except Malformed as fault:
            raise StreamCut(f"The stream was cut: {fault}") from fault

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
                    view = view[self._link.send(view) :]
                    arrived = self._link.receive()
                except (BrokenPipeError, ConnectionResetError):
                    # The process ended without reading its input; its output may still be on the way.
                    self.input_taken = False
                    return
                if arrived:
                    data = self._read()
                    if not data:
                        self.input_taken = False
                        return
                    yield data

    def _read(self) -> bytes:
        try:
            return self._link.read()
        except ConnectionResetError:
            # What becomes of a process that ended with input unread; without a feed it is a fault.
            if self._feed is None:
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
    """Connect, send `request` (head and body, see httphead.request_head), read the head of the answer.

    `connect` returns a connected unix or TCP socket, never an SSL one: give `tls` instead, since only then
    the input can be closed alone. `timeout` holds for the handshake and for the head. Raises TlsRefused,
    Lost (after the request was sent) and, for a status from 400 up, the error with the engine's own text.
    """
    link = open_link(connect, timeout, tls, server_name)
    try:
        head = _ask(link, request)
        _check(link, head, method, path)
    except BaseException:
        link.close()
        raise
    link.set_timeout(None)
    return Duplex(link, head)


def _ask(link: Link, request: bytes) -> Head:
    try:
        # An engine that refuses at once, or ends the handshake at last, has said why before it closed.
        with suppress(BrokenPipeError, ConnectionResetError):
            link.write(request)
        head, rest = read_head(link.read)
    except TimeoutError as fault:
        raise TooSlow("the engine did not answer in time") from fault
    except ssl.SSLEOFError as fault:
        raise Lost("the connection ended before an answer") from fault
    except ssl.SSLError as fault:
        raise identity_refused(fault) from fault
    except OSError as fault:
        raise Lost(f"the connection was lost: {fault}") from fault
    except Malformed as fault:
        raise Lost(str(fault)) from fault
    link.push_back(rest)
    return head


def _check(link: Link, head: Head, method: str, path: str) -> None:
    if head.status >= 400:  # noqa: PLR2004
        text = _text(link, head)
        raise refused(head, text, method, path)


def _text(link: Link, head: Head) -> bytes:
    """Read what the engine says; a text that is cut or does not end still says something."""
    text = b""
    with suppress(OSError, Malformed):
        for piece in body(head, iter(link.read, b"")):
            text += piece
            if len(text) > _REFUSAL_LONGEST:
                break
    return text


@contextmanager
def _cutting() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise  # a time limit, told by the layer that set it
    except OSError as fault:
        raise StreamCut(
            f"The connection was lost: {fault.strerror or fault}",
            hint="The engine or the way to it went down; ask ExecInspect or ContainerInspect how it ended",
        ) from fault
