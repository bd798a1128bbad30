"""A real server, on a unix socket or on TCP, that does what a test tells it, one act per request."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.lab.waiting import ended

NO_HTTP2 = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"
PINGS = re.compile(rb"HEAD (?!/v[0-9])[^ ]{0,100}/_ping ")  # without a version, as it is asked for
Act = Callable[[socket.socket], None]


def say(data: bytes) -> Act:
    """Answer with these bytes and keep the connection."""
    return lambda peer: peer.sendall(data)


def say_and_close(data: bytes) -> Act:
    """Answer with these bytes and end the connection."""

    def act(peer: socket.socket) -> None:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_RDWR)

    return act


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def told(value: Any) -> Act:
    """A whole answer of JSON."""
    return say(answer(json.dumps(value).encode()))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def piece(data: bytes) -> bytes:
    """A chunk of a chunked answer."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def chunked(*records: Any, end: bytes = END) -> bytes:
    """A whole stream of JSON lines; without `end` it stays open."""
    return HEAD + b"".join(piece(json.dumps(record).encode() + b"\n") for record in records) + end


class Scripted:
    """Reads whole requests; the first goes to the first act, and so on. HEAD /_ping is answered by itself.

    Who begins HTTP/2 is answered as servers do that know nothing of it; `http2` takes their place, with the
    connection and what the client has said so far. Without a `folder` for its socket it listens on TCP.
    """

    def __init__(
        self,
        folder: Path | None,
        *acts: Act,
        ping: bytes = PING,
        http2: Callable[[socket.socket, bytes], None] | None = None,
    ) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._acts, self._ping = list(acts), ping
        self._http2 = http2 or (lambda peer, _: say_and_close(NO_HTTP2)(peer))
        if folder:
            self.path = str(folder / "engine.sock")
            self.url = f"unix://{self.path}"
            self._door = socket.socket(socket.AF_UNIX)
            self._door.bind(self.path)
            self._door.listen()
        else:
            self._door = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._peers: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def open(self) -> int:
        """Connections that the client has not closed yet."""
        return sum(thread.is_alive() for thread in self._threads[1:])

    def _accept(self) -> None:
        while True:
            try:
                peer = self._door.accept()[0]
            except OSError:
                return
            self.connections += 1
            self._peers.append(peer)
            thread = threading.Thread(target=self._serve, args=(peer,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            while request := self._request(peer):
                if PINGS.match(request):
                    head = self._ping.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                    peer.sendall(head.replace(b"Content-Length: 2", b"Content-Length: 0"))
                    continue
                if request.startswith(b"PRI "):
                    self._http2(peer, request)
                    return
                self.requests.append(request)
                self._acts.pop(0)(peer)
        except OSError:
            return

    @staticmethod
    def _request(peer: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = peer.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length: " in lower:
            length = int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            while len(body) < length:
                body += peer.recv(65536)
        elif b"transfer-encoding: chunked" in lower:
            while not body.endswith(b"0\r\n\r\n"):
                piece = peer.recv(65536)
                if not piece:
                    return head + b"\r\n\r\n" + body
                body += piece
        return head + b"\r\n\r\n" + body

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in (self._door, *self._peers):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            ended(thread)
