"""ContainerAttachWebsocket: binary frames both ways, by the library websocket-client over our own link.

To be imported late: few steps need it.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from websocket import (
    ABNF,
    WebSocketBadStatusException,
    WebSocketConnectionClosedException,
    WebSocketException,
    WebSocketTimeoutException,
    create_connection,
)

from lib.engine.closing import Closing
from lib.engine.errors import StreamCut
from lib.engine.frames import Frame, raw
from lib.engine.httphead import Head, Lost, TooSlow, check_headers, refused
from lib.engine.limits import Paced
from lib.engine.link import Link, open_link


class WebSocket(Closing):
    """An attached websocket; the same verbs as a Duplex. The engine never frames it: all output is stdout."""

    def __init__(self, link: Link, opened: Any) -> None:
        self.status: int = opened.getstatus()
        self.headers: dict[str, str] = opened.getheaders()
        self.input_taken = True
        self.keeps_input = False
        self._link = link
        self._socket = opened
        self._feed: Iterable[bytes] | None = None
        self._chunks = Paced(self._arriving(), link)

    def send(self, data: bytes) -> None:
        """Send one binary message; what arrives meanwhile is held for `chunks`. Raises StreamCut."""
        try:
            self._socket.send_binary(data)
        except WebSocketTimeoutException:
            raise TimeoutError("the engine stopped reading") from None
        except (OSError, WebSocketException) as fault:
            raise _cut(fault) from fault

    def close_input(self) -> None:
        """End the process's stdin: a close frame, after which the engine still sends output."""
        try:
            self._socket.send_close()
        except (OSError, WebSocketException) as fault:
            raise _cut(fault) from fault

    def chunks(self, feed: Iterable[bytes] | None = None) -> Iterator[bytes]:
        """Yield the output until the connection ends; to be called once.

        `feed` is the stdin; then it is closed, unless `keeps_input` was set. `input_taken` is False if the
        process ended before it took all of it. Raises StreamCut, and LimitReached under `pace`.
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
        for piece in self._feed or ():
            if not self._taken(self.send, piece):
                break
            yield b""  # nothing to read, but a moment to look at the time
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
        except StreamCut:  # the process ended; its output may still be on the way
            self.input_taken = False
        return self.input_taken

    def _message(self) -> bytes | None:
        try:
            kind, data = self._socket.recv_data()
        except WebSocketTimeoutException:
            raise TimeoutError("nothing came in time") from None
        except WebSocketConnectionClosedException:
            return None  # an engine ends the connection without a close frame
        except BrokenPipeError:
            return None  # the engine was gone before our answer to its close frame
        except (OSError, WebSocketException) as fault:
            if self._feed is not None and isinstance(fault, ConnectionResetError):
                self.input_taken = False
                return None  # see Duplex: the process ended with input unread
            raise _cut(fault) from fault
        return None if kind == ABNF.OPCODE_CLOSE else bytes(data)

    def close(self) -> None:
        """End the connection."""
        self._link.close()


class _Socket:
    """The part of a socket's interface that websocket-client uses, over a link."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def recv(self, amount: int) -> bytes:
        data = self._link.read()
        self._link.push_back(data[amount:])
        return data[:amount]

    def send(self, data: bytes) -> int:
        self._link.write(data)
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
    tls: ssl.SSLContext | None = None,
    server_name: str = "",
) -> WebSocket:
    """Connect and shake hands; `target` is path and query, the rest is as for `open_duplex`."""
    check_headers(headers)
    link = open_link(connect, timeout, tls, server_name)
    try:
        opened = create_connection(
            f"ws://docker{target}",
            timeout=timeout,
            socket=_Socket(link),
            header=[f"{name}: {value}" for name, value in headers],
            suppress_origin=True,
            redirect_limit=0,
            skip_utf8_validation=True,
        )
    except WebSocketBadStatusException as fault:
        link.close()
        head = Head(fault.status_code, "", dict(fault.resp_headers or {}))
        raise refused(head, fault.resp_body or b"", "GET", path) from None
    except WebSocketTimeoutException as fault:
        link.close()
        raise TooSlow("the engine did not answer in time") from fault
    except (OSError, WebSocketException) as fault:
        link.close()
        raise Lost(f"no websocket was opened: {fault}") from fault
    link.set_timeout(None)
    return WebSocket(link, opened)


def _cut(fault: Exception) -> StreamCut:
    return StreamCut(
        f"The connection was lost: {fault}",
        hint="The engine or the way to it went down; ask ContainerInspect how it ended",
    )
