"""An engine as those from 29.2 on will be that have dropped POST /session and POST /grpc, made of an older one.

These two calls are answered with 404. HTTP/2 is taken at the address itself: its frames are passed on, as they come,
into a connection of the older engine's POST /grpc, which serves the same. All other calls are passed on, too.
"""

from __future__ import annotations

import select
import socket
import ssl
from contextlib import suppress
from pathlib import Path

from tests.lab.certificates import Certificates
from tests.lab.door import ENDING, PIECE, Door, until
from tests.lab.socket_proxy import call_of, closing

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DROPPED = ("POST /session", "POST /grpc")
NOT_FOUND = (
    b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 29\r\n\r\n"
    b'{"message":"page not found"}\n'
)
GRPC = (
    b"POST /grpc HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n"
)


class Http2Proxy(Door):
    """Listens at `url`: on a unix socket in `folder`, on TCP, or there with TLS if there are `certificates`.

    `calls` has those of HTTP/1.1 as "METHOD /path", `direct` the number of connections of HTTP/2. `offered` has the
    calls of HTTP/1.1 on whose connections TLS agreed on a protocol: who offers HTTP/2 there cannot take them over.
    """

    def __init__(
        self, target: str, *, folder: Path | None = None, certificates: Certificates | None = None
    ) -> None:
        self._target = target
        self.calls: list[str] = []
        self.direct = 0
        self.offered: list[str] = []
        self._tls = _server_context(certificates) if certificates else None
        if folder:
            door = socket.socket(socket.AF_UNIX)
            door.bind(f"{folder}/http2.sock")
            door.listen()
            self.url = f"unix://{folder}/http2.sock"
        else:
            door = socket.create_server(("127.0.0.1", 0))
            self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{door.getsockname()[1]}"
        super().__init__(door)
        self._open_directly: set[socket.socket] = set()
        self.begin()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError):
            agreed = None
            if self._tls:
                near = secured = self._tls.wrap_socket(near, server_side=True)
                agreed = secured.selected_alpn_protocol()
            with near:
                head = until(near)
                if head.startswith(PREFACE[:16]):
                    if not self._tls or agreed == "h2":  # without ALPN, engines with TLS close the connection
                        self._pass_on(near, GRPC, head, upgraded=True)
                    return
                call = call_of(head)
                self.calls.append(call)
                if agreed:
                    self.offered.append(call)
                if call in DROPPED:
                    near.sendall(NOT_FOUND)
                elif head:
                    self._pass_on(near, closing(head), b"")

    def _pass_on(self, near: socket.socket, first: bytes, then: bytes, *, upgraded: bool = False) -> None:
        with socket.socket(socket.AF_UNIX) as far:
            far.connect(self._target)
            with self._guard:
                self._open |= {near, far}
                self._open_directly |= {far} if upgraded else set()
            far.sendall(first)
            if upgraded:
                self.direct += 1
                head, _, rest = until(far).partition(ENDING)
                assert b" 101 " in head.partition(b"\r\n")[0]
                near.sendall(rest)
                far.sendall(then)
            _relay(near, far)
            with self._guard:
                self._open -= {near, far}
                self._open_directly.discard(far)

    def cut(self) -> None:
        """End all connections of HTTP/2."""
        with self._guard:
            ends = list(self._open_directly)
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _server_context(certificates: Certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.server_key)
    context.load_verify_locations(certificates.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def _relay(near: socket.socket, far: socket.socket) -> None:
    """Pass on both ways until `far` ends; in one thread, as TLS wants it."""
    heard = [near, far]
    while True:
        pending = isinstance(near, ssl.SSLSocket) and near in heard and near.pending()
        ready = [near] if pending else select.select(heard, [], [])[0]
        if far in ready:
            data = far.recv(PIECE)
            if not data:
                return
            near.sendall(data)
        if near in ready:
            data = near.recv(PIECE)
            if data:
                far.sendall(data)
            else:
                heard.remove(near)
                far.shutdown(socket.SHUT_WR)
