"""Servers that are no SSH servers, or bad ones: what is read of them is bounded in bytes and in time."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.errors import EngineError, SshRefused, Unreachable
from lib.engine.http.retry import Retry
from lib.engine.http.ssh import bounded
from lib.engine.ssh import Ssh
from lib.engine.timeouts import Timeouts
from tests.lab.ssh_server import KeyPair
from tests.lab.waiting import DEADLINE, ended

Act = Callable[[socket.socket], None]
BANNER = b"SSH-2.0-Test\r\n"


@contextmanager
def serving(act: Act) -> Iterator[tuple[int, list[int]]]:
    """A TCP server for one connection; yields its port and how many bytes the client took in the end."""
    door = socket.create_server(("127.0.0.1", 0))
    taken: list[int] = []

    def serve() -> None:
        peer = door.accept()[0]
        with peer, suppress(OSError):
            act(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield door.getsockname()[1], taken
    finally:
        ended(thread)
        door.close()


def failure(port: int, connect: float = DEADLINE) -> EngineError:
    """How a call of an engine behind this server fails; the login has four times the limit of `connect`."""
    endpoint = Endpoint.parse(
        f"ssh://me@127.0.0.1:{port}", ssh=Ssh.checked("", KeyPair.made().text, None, None, verify=False)
    )
    timeouts = Timeouts(connect=connect)
    with Engine(endpoint, retry=Retry(attempts=1), timeouts=timeouts) as engine:
        with pytest.raises(EngineError) as caught:
            engine.get("/_ping")
        return caught.value


def silent(peer: socket.socket) -> None:
    while peer.recv(4096):
        pass


def endless(piece: bytes, before: bytes = b"") -> Act:
    """Send for as long as the client takes it."""

    def act(peer: socket.socket) -> None:
        peer.sendall(before)
        while True:
            peer.sendall(piece)

    return act


def said(data: bytes) -> Act:
    """Send this, and then the end."""

    def act(peer: socket.socket) -> None:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        silent(peer)

    return act


@pytest.mark.parametrize(
    "act",
    [
        silent,
        lambda peer: (peer.sendall(BANNER), silent(peer)),
        lambda peer: (peer.sendall(b"SSH-2"), silent(peer)),
    ],
    ids=["nothing", "a banner", "half a banner"],
)
def test_a_server_that_falls_silent_is_left_in_time(act: Act) -> None:
    with serving(act) as (port, _):
        error = failure(port, 0.1)
    assert isinstance(error, Unreachable)
    assert error.retriable
    assert f"The SSH server 127.0.0.1:{port} did not answer in time" in error.message


@pytest.mark.parametrize(
    "act",
    [
        endless(b"\0" * 4096),
        endless(b"x" * 4096),
        endless(b"hello\r\n" * 500),
        said(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno HTTP"),
        said(os.urandom(4096).replace(b"\n", b"") + b"\n"),
        said(b"220 mail.example.org ESMTP\r\n"),
    ],
    ids=["zeros", "one line", "lines", "http", "noise", "mail"],
)
def test_what_is_no_ssh_server_is_told(act: Act) -> None:
    with serving(act) as (port, _):
        error = failure(port)
    assert isinstance(error, SshRefused)
    assert not error.retriable
    assert error.message == f"What answers at 127.0.0.1:{port} is no SSH server"
    assert "otherServer" in str(error)


@pytest.mark.parametrize(
    "act",
    [
        endless(os.urandom(4096), BANNER),
        said(BANNER + struct.pack(">IB", 0xFFFF_FFF0, 4) + b"x" * 100),
        said(BANNER + struct.pack(">IB", bounded.PACKET_BYTES + 4, 4) + b"x" * 100),
        said(BANNER + struct.pack(">IB", 12, 4) + b"\x14" + b"x" * 10),
        endless(struct.pack(">IB", 12, 4) + b"\x02" + b"\0" * 10, BANNER),
        said(BANNER + struct.pack(">IB", 12, 4) + b"\x01" + b"\0" * 10),
        said(b"SSH-1.5-Old\r\n"),
        said(BANNER),
    ],
    ids=["noise", "4 GiB", "a long packet", "no lists", "ignored packets", "goodbye", "version 1", "the end"],
)
def test_a_handshake_that_is_none_fails(act: Act) -> None:
    with serving(act) as (port, _):
        error = failure(port)
    assert isinstance(error, Unreachable)
    assert f"127.0.0.1:{port}" in error.message


def test_a_server_that_ends_at_once_may_be_asked_again() -> None:
    with serving(lambda _: None) as (port, _):
        error = failure(port)
    assert isinstance(error, Unreachable)
    assert error.retriable
    assert "ended the connection before the login" in error.message
