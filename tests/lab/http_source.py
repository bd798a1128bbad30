"""A server on a real TCP socket that does what a test tells it with each request: a source that may misbehave."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.lab.waiting import A_MOMENT, DEADLINE, ended

Act = Callable[[socket.socket], None]


def content(body: bytes, status: str = "200 OK", *headers: str) -> Act:
    """Answer with a whole body."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""))
    return lambda peer: peer.sendall(head.encode() + body)


def raw(data: bytes) -> Act:
    """Answer with these bytes, and close."""
    return lambda peer: peer.sendall(data)


def redirect(location: str, status: str = "302 Found") -> Act:
    """Send the client to another place."""
    return content(b"<html>moved</html>", status, f"Location: {location}")


def trickle(head: bytes, piece: bytes) -> Act:
    """Send a piece again and again, never long silent, until the client goes."""

    def act(peer: socket.socket) -> None:
        peer.sendall(head)
        peer.settimeout(A_MOMENT)
        while True:
            peer.sendall(piece)
            with suppress(TimeoutError):
                if not peer.recv(1):
                    return

    return act


def endless(peer: socket.socket) -> None:
    """Send chunks as fast as they are taken, until the client goes."""
    peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


class HttpSource:
    """Each request goes to the next act, the last act stays; the connection is closed after each."""

    def __init__(self, *acts: Act, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self._acts = list(acts)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = self._door.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        self._tls = tls
        self.stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def header(self, name: str, request: int = 0) -> str | None:
        """Return a header of a request, None where it has none."""
        for line in self.requests[request].decode().split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None

    def _accept(self) -> None:
        while True:
            try:
                peer = self._door.accept()[0]
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(peer,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        with (
            suppress(OSError),
            self._tls.wrap_socket(plain, server_side=True) if self._tls else plain as peer,
        ):
            request = b""
            while b"\r\n\r\n" not in request:
                if not (piece := peer.recv(65536)):
                    return
                request += piece
            self.requests.append(request)
            act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
            act(peer)
            # Closed with something unread, the connection would be reset, and the answer lost with it.
            peer.shutdown(socket.SHUT_WR)
            peer.settimeout(DEADLINE)
            while peer.recv(65536):
                pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        for thread in self._threads:
            ended(thread)
