"""HTTP/2 from the first byte on: the address of an engine from 29.2 on takes it without a request before it.

Over unix and TCP nothing announces it (prior knowledge), TLS agrees on it by ALPN. An engine that does not speak it
answers in HTTP/1.1, or closes; one that does sends its settings first (RFC 9113, 3.4).
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress

from lib.engine.answer.limits import Paced
from lib.engine.attach.duplex_socket import DuplexSocket, open_link
from lib.engine.closing import Closing
from lib.engine.errors import NotSupported
from lib.engine.http.faults import Exit, StreamExit

PROTOCOLS = ("h2", "http/1.1")
"""What is offered by ALPN: an engine without HTTP/2 takes the second, and does not end the handshake."""
_FRAME_HEAD = 9
_SETTINGS = 4
_LONGEST = 16_384
_SETTING = 6
_HINT = "The engine or the way to it went down"


class Http2Link(Closing):
    """A connection on which HTTP/2 was begun; leaving its block ends it."""

    def __init__(self, link: DuplexSocket) -> None:
        self._link = link
        self._chunks = Paced(self._arriving(), link)

    def send(self, data: bytes) -> None:
        """Send all of `data`; what arrives meanwhile is kept for `chunks`. Raises StreamCut, TimeoutError."""
        with StreamExit(_HINT, times=False):
            self._link.write(data)

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the engine until the connection ends. Raises StreamCut, and LimitReached under `pace`."""
        return self._chunks

    def limit(self, seconds: float | None) -> None:
        """Have reads and writes raise TimeoutError after `seconds` from now; None: no limit."""
        self._link.set_timeout(seconds)

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all, from now; then LimitReached is raised."""
        self._chunks.pace(idle, seconds)

    def _arriving(self) -> Iterator[bytes]:
        with StreamExit(_HINT, times=False):
            while data := self._link.read():
                yield data

    def shut_down(self) -> None:
        """End the connection under a thread that reads or writes it; that thread then closes it."""
        self._link.shut_down()

    def close(self) -> None:
        """End the connection."""
        self._link.close()


def open_http2(
    connect: Callable[[], socket.socket],
    preface: bytes,
    *,
    timeout: float | None,
    tls: ssl.SSLContext | None = None,
    server_name: str = "",
) -> Http2Link:
    """Connect, send the client's `preface` and settings, and wait for the engine's settings, which stay to be read.

    `tls` offers PROTOCOLS. `timeout` is in seconds, for the TLS handshake, and again for the first frame. Raises
    Unreachable, TlsRefused, OutcomeUnknown where nothing is answered, and NotSupported where it is no HTTP/2.
    """
    link = open_link(connect, timeout, tls, server_name)
    try:
        _begin(link, preface, timeout, agreed=tls is None or link.protocol == PROTOCOLS[0])
    except BaseException:
        link.close()
        raise
    return Http2Link(link)


def _begin(link: DuplexSocket, preface: bytes, timeout: float | None, *, agreed: bool) -> None:
    if not agreed:
        raise _none("TLS did not agree on it")
    link.set_timeout(timeout)
    with Exit(reads=False):
        first = _first(link, preface)
    if len(first) < _FRAME_HEAD:
        raise _none("the connection was closed on its first bytes")
    if not _is_settings(first):
        raise _none("it answers in HTTP/1.1" if first.startswith(b"HTTP/") else "it begins otherwise")
    link.push_back(first)
    link.set_timeout(None)


def _first(link: DuplexSocket, preface: bytes) -> bytes:
    """Return the first bytes of the engine, fewer than the head of a frame if it ends the connection."""
    data = b""
    with suppress(ConnectionError, ssl.SSLEOFError):  # so end those who do not know the preface
        with suppress(BrokenPipeError, ConnectionResetError):  # the answer may be there all the same
            link.write(preface)
        while len(data) < _FRAME_HEAD and (piece := link.read()):
            data += piece
    return data


def _is_settings(data: bytes) -> bool:
    """Whether the data begins with settings as HTTP/2 begins with: no acknowledgement, and of the connection."""
    size = int.from_bytes(data[:3], "big")
    return (
        data[3:_FRAME_HEAD] == bytes([_SETTINGS, 0, 0, 0, 0, 0]) and size <= _LONGEST and not size % _SETTING
    )


def _none(why: str) -> NotSupported:
    return NotSupported(f"the address does not speak HTTP/2: {why}")
