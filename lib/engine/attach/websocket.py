"""ContainerAttachWebsocket: binary frames in both directions, by the library websocket-client over a DuplexSocket.

Import it late: few steps need the library.
"""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import cast

from websocket import (
    ABNF,
    WebSocketConnectionClosedException,
    WebSocketException,
    WebSocketTimeoutException,
)
from websocket import WebSocket as Frames

from lib.engine.answer.frames import Frame, raw
from lib.engine.answer.limits import Paced
from lib.engine.attach.duplex_socket import DuplexSocket, open_link
from lib.engine.attach.handshake import LOOK, shake_hands
from lib.engine.closing import Closing
from lib.engine.errors import OutcomeUnknown, StreamCut, StreamFailed
from lib.engine.http.bounds import FRAME_BYTES
from lib.engine.http.reader import Reader
from lib.engine.http.request_head import request_head
from lib.engine.http.response import Headers

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PIECE = 65536
_NORMAL = 1000  # the code of a normal close (RFC 6455, 7.4.1); a close may have no code
_DATA = (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT)


class WebSocket(Closing):
    """An attached websocket, with the methods of Duplex. The engine sends no stream frames: all output is stdout."""

    def __init__(self, link: DuplexSocket, reader: Reader) -> None:
        self.status = reader.status
        self.headers: Mapping[str, str] = Headers(reader.fields)
        self.input_taken = True
        self.keeps_input = False
        self._link = link
        self._arrivals = _Socket(link)
        # Fragments are handed on as they come: the data is a stream, not messages.
        self._socket = Frames(skip_utf8_validation=True, fire_cont_frame=True)
        self._socket.sock = cast("socket.socket", self._arrivals)
        self._socket.connected = True
        self._in_message = self._fed = False
        self._feed: Iterable[bytes] | None = None
        self._chunks = Paced(self._arriving(), link)

    def send(self, data: bytes) -> None:
        """Send one binary message; what arrives meanwhile is kept for `chunks`. Raises StreamCut, TimeoutError."""
        try:
            self._socket.send_binary(data)
        except WebSocketTimeoutException:
            raise TimeoutError("the engine stopped reading") from None
        except (OSError, WebSocketException) as fault:
            raise _cut(fault) from fault

    def close_input(self) -> None:
        """Close the process's stdin by a close frame; the engine still sends output."""
        try:
            self._socket.send_close()
        except (OSError, WebSocketException) as fault:
            raise _cut(fault) from fault

    def chunks(self, feed: Iterable[bytes] | None = None) -> Iterator[bytes]:
        """Yield the output until the connection ends; call it once.

        `feed` is the stdin; then stdin is closed, unless `keeps_input` was set. `input_taken` is False if the process
        ended before it took all of it. Raises StreamCut, and LimitReached under `pace`.
        """
        self._feed = feed
        return (chunk for chunk in self._chunks if chunk)

    def frames(self, feed: Iterable[bytes] | None = None) -> Iterator[Frame]:
        """Yield the output as (stream, payload)."""
        return raw(self.chunks(feed))

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all, from now; then LimitReached is raised."""
        self._chunks.pace(idle, seconds)

    def _arriving(self) -> Iterator[bytes]:
        for piece in _split(self._feed or ()):
            if not self._taken(self.send, piece):
                break
            self._fed = True
            yield b""  # no data; the reader checks the time
            while self._link.receive():
                message = self._message()
                if message is None:
                    self.input_taken = False
                    return
                yield message
        if self._feed is not None and self.input_taken and not self.keeps_input:
            self._taken(self.close_input)
        while (message := self._message()) is not None:
            yield message

    def _taken(self, act: Callable[..., None], *arguments: bytes) -> bool:
        try:
            act(*arguments)
        except StreamCut:  # the process ended; its output may still arrive
            self.input_taken = False
        return self.input_taken

    def _message(self) -> bytes | None:
        self._arrivals.count = 0
        self._arrivals.replying = True
        try:
            kind, frame = self._socket.recv_data_frame(control_frame=True)
        except WebSocketTimeoutException:
            raise TimeoutError("nothing came in time") from None
        except WebSocketConnectionClosedException as fault:
            if self._arrivals.count or self._in_message:
                raise _cut("it ended inside a frame or message") from fault
            return None  # an engine ends the connection without a close frame
        except (OSError, WebSocketException) as fault:
            if self._fed and isinstance(fault, ConnectionResetError):
                self.input_taken = False
                return None  # as in Duplex: the process ended with unread input
            raise _cut(fault) from fault
        finally:
            self._arrivals.replying = False
        if kind == ABNF.OPCODE_CLOSE:
            if self._in_message:
                raise _cut("it was closed inside a message")
            code = int.from_bytes(frame.data[:2]) or _NORMAL
            if code != _NORMAL:
                raise _cut(f"the websocket was closed with {code}")
            return None
        if kind not in _DATA:
            return b""  # a ping or pong: no data; the reader checks the time
        self._in_message = not frame.fin
        return bytes(frame.data)

    def close(self) -> None:
        """End the connection."""
        self._link.close()


class _Socket:
    """The part of a socket's interface that websocket-client uses, over a DuplexSocket.

    `count` is the number of bytes read for the present frame. `replying` says that what is sent answers a ping or
    close.
    """

    def __init__(self, link: DuplexSocket) -> None:
        self._link = link
        self.count = 0
        self.replying = False

    def recv(self, amount: int) -> bytes:
        data = self._link.read()
        self.count += min(len(data), amount)
        if self.count > FRAME_BYTES:
            raise StreamFailed(f"A frame of the websocket is longer than {FRAME_BYTES} bytes")
        self._link.push_back(data[amount:])
        return data[:amount]

    def send(self, data: bytes) -> int:
        try:
            self._link.write(data)
        except (BrokenPipeError, ConnectionResetError):
            # The engine may be gone before our reply to its ping or close; its data must still be read.
            if not self.replying:
                raise
        return len(data)

    def gettimeout(self) -> float | None:
        return self._link.timeout

    def settimeout(self, seconds: float | None) -> None:
        self._link.set_timeout(seconds)

    def close(self) -> None:
        self._link.close()


def open_websocket(
    connect: Callable[[], socket.socket],
    target: str,
    headers: Sequence[tuple[str, str]] = (),
    *,
    path: str,
    timeout: float | None,
    host: str = "docker",
    tls: ssl.SSLContext | None = None,
    server_name: str = "",
) -> WebSocket:
    """Connect and do the websocket handshake; the rest is as for `open_duplex`.

    `target` is path and query, `host` the Host header.
    """
    key = base64.b64encode(os.urandom(16)).decode()
    request = request_head("GET", target, [("Host", host), *_asked(key), *headers])
    link = open_link(connect, timeout, tls, server_name)
    try:
        reader = shake_hands(link, request, "GET", path, timeout, only_101=True)
        _check(Headers(reader.fields), key, path)
        return WebSocket(link, reader)
    except BaseException:
        link.close()
        raise


def _asked(key: str) -> list[tuple[str, str]]:
    upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")]
    return [*upgrade, ("Sec-WebSocket-Key", key), ("Sec-WebSocket-Version", "13")]


def _check(headers: Mapping[str, str], key: str, path: str) -> None:
    """Raise OutcomeUnknown unless the answer is to our request (RFC 6455, 4.1)."""
    accepted = base64.b64encode(
        hashlib.sha1(f"{key}{_MAGIC}".encode(), usedforsecurity=False).digest()
    ).decode()
    if headers.get("Upgrade", "").lower() != "websocket" or headers.get("Sec-WebSocket-Accept") != accepted:
        raise OutcomeUnknown(
            "The outcome is unknown: the engine switched to something that is no websocket",
            method="GET",
            path=path,
            hint=LOOK,
        )


def _cut(fault: Exception | str) -> StreamCut:
    return StreamCut(
        f"The connection was lost: {fault}",
        hint="The engine or the way to it went down; ask ContainerInspect how it ended",
    )


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]
