"""A real server for one conversation, on a unix socket or with TLS on the loopback; the test writes its lines."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import trustme

from tests.lab.waiting import DEADLINE, ended

ABRUPTLY = object()  # what a script returns whose connection is to end without a word
Script = Callable[[socket.socket], object]


class Authority:
    """Certificates of a CA of the tests' own."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(self.server)
        self.client = ssl.create_default_context()
        self.ca.configure_trust(self.client)

    def wants_clients(self) -> ssl.SSLContext:
        """A server that asks for a certificate which this CA signed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("127.0.0.1").configure_cert(context)
        self.ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context


@contextmanager
def talking(
    script: Script, folder: str, tls: ssl.SSLContext | None = None
) -> Iterator[Callable[[], socket.socket]]:
    """Run `script` with the first connection, which is closed after it; yields how to connect.

    What goes wrong in the script goes wrong in the test.
    """
    listening = socket.socket(socket.AF_UNIX if tls is None else socket.AF_INET)
    listening.bind(f"{folder}/talk" if tls is None else ("127.0.0.1", 0))
    listening.listen()
    listening.settimeout(DEADLINE)
    address = listening.getsockname()
    faults: list[BaseException] = []

    def serve() -> None:
        try:
            plain, _ = listening.accept()
            plain.settimeout(DEADLINE)
            with plain if tls is None else tls.wrap_socket(plain, server_side=True) as peer:
                if script(peer) is not ABRUPTLY:
                    _say_goodbye(peer)
        except BaseException as fault:  # noqa: BLE001 - raised again in the test
            faults.append(fault)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield lambda: _connected(listening.family, address)
    finally:
        ended(thread)
        listening.close()
    if faults:
        raise faults[0]


def _say_goodbye(peer: socket.socket) -> None:
    """End as an engine does: with TLS, say so first, without waiting for the other side to say it, too."""
    if isinstance(peer, ssl.SSLSocket):
        peer.settimeout(0)
        with suppress(OSError):
            peer.unwrap()


def _connected(family: int, address: object) -> socket.socket:
    sock = socket.socket(family)
    sock.connect(address)
    return sock


def read_request(peer: socket.socket) -> bytes:
    """A request's head, without a body."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        data += peer.recv(1)
    return data


def read_all(peer: socket.socket) -> bytes:
    """Everything until the other side closes its direction."""
    data = b""
    while piece := peer.recv(65536):
        data += piece
    return data
