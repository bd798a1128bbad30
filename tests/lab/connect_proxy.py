"""An HTTP proxy that makes connections (CONNECT), with a login if it is to want one, and with the faults of proxies."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.lab.door import ENDING, Door, pump
from tests.lab.waiting import ended

CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
Act = Callable[[socket.socket], None]


def refusal(status: str, *headers: str) -> bytes:
    """A whole answer that refuses, with a page as proxies have it."""
    lines = [
        f"HTTP/1.1 {status}",
        *headers,
        "Content-Type: text/html",
        "Content-Length: 13",
        "",
        "<html></html>",
    ]
    return "\r\n".join(lines).encode()


class ConnectProxy(Door):
    """Listens at `url`. `login` is the value that Proxy-Authorization must have, "" for none.

    `heads` has what it was asked, `targets` the hosts and ports; `answer` is what it says to what it connects. An `act`
    serves a connection in its place once the head has come.
    """

    def __init__(self, *, login: str = "", answer: bytes = CONNECTED, act: Act | None = None) -> None:
        self.login, self.answer, self.act = login, answer, act
        self.heads: list[bytes] = []
        super().__init__(socket.create_server(("127.0.0.1", 0)))
        self.port = self._door.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._threads: list[threading.Thread] = []
        self.begin()

    def begin(self) -> None:
        """Let them in by threads that `close` waits for: what an `act` raises must not come after its test."""
        self._threads.append(threading.Thread(target=self._accept))
        self._threads[0].start()

    @property
    def targets(self) -> list[str]:
        """What it was asked to connect with."""
        return [head.split(b" ", 2)[1].decode() for head in self.heads]

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._door.accept()[0]
                with self._guard:
                    self._open.add(near)
                thread = threading.Thread(target=self._serve, args=(near,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            head = _head(near)
            self.heads.append(head)
            if self.act:
                self.act(near)
            elif self.login and f"\r\nProxy-Authorization: {self.login}\r\n".encode() not in head:
                near.sendall(
                    refusal("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="lab"')
                )
            else:
                self._connect(near, head)

    def _connect(self, near: socket.socket, head: bytes) -> None:
        host, _, port = self.targets[self.heads.index(head)].rpartition(":")
        try:
            far = socket.create_connection((host.strip("[]"), int(port)))
        except OSError:
            near.sendall(refusal("502 Bad Gateway"))
            return
        with far:
            with self._guard:
                self._open.add(far)
            near.sendall(self.answer)
            back = threading.Thread(target=pump, args=(far, near))
            back.start()
            pump(near, far)
            ended(back)

    def close(self) -> None:
        super().close()
        for thread in self._threads:
            ended(thread)


def _head(near: socket.socket) -> bytes:
    data = b""
    while not data.endswith(ENDING):
        piece = near.recv(1)
        if not piece:
            raise ConnectionError("no whole head")
        data += piece
    return data
