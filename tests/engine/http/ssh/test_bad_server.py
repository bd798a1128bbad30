"""Servers that let the user in and then do what no server may do."""

from __future__ import annotations

import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from paramiko.common import (
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
    cMSG_CHANNEL_DATA,
    cMSG_CHANNEL_EXTENDED_DATA,
)
from paramiko.ed25519key import Ed25519Key
from paramiko.message import Message
from paramiko.server import ServerInterface
from paramiko.transport import Transport

from lib.engine import Endpoint, Engine
from lib.engine.errors import SshRefused, Unreachable
from lib.engine.http.retry import Retry
from lib.engine.http.ssh.channels import WINDOW
from lib.engine.http.ssh.identity import private_key
from lib.engine.ssh import Ssh
from tests.lab.ssh_server import KeyPair
from tests.lab.waiting import DEADLINE, ended, wait_until

PAIR = KeyPair.made()
PIECE = b"x" * 32_000
Act = Callable[[Transport, Any], None]


class Server(ServerInterface):
    """Lets everybody in; `opened` says what becomes of a channel."""

    def __init__(self, opened: Callable[[str], int]) -> None:
        self._opened = opened

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: Any) -> int:
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return self._opened(kind)


@contextmanager
def engine_behind(act: Act, opened: Callable[[str], int] = lambda _: OPEN_SUCCEEDED) -> Iterator[Engine]:
    """An engine behind a server that does `act` with its first channel."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        transport = Transport(door.accept()[0])
        transport.add_server_key(host)
        transport.start_server(server=Server(opened))
        with suppress(OSError, EOFError):
            channel = transport.accept(DEADLINE)
            if channel:
                channel.recv(1)  # the client has it
            act(transport, channel)
        transport.join(DEADLINE)

    host: Ed25519Key = private_key(PAIR.text, None)
    thread = threading.Thread(target=serve)
    thread.start()
    endpoint = Endpoint.parse(
        f"ssh://me@127.0.0.1:{door.getsockname()[1]}",
        ssh=Ssh.checked("", KeyPair.made().text, None, PAIR.line, verify=True),
    )
    try:
        with Engine(endpoint, retry=Retry(attempts=1)) as engine:
            yield engine
    finally:
        ended(thread)
        door.close()


def connected(engine: Engine) -> socket.socket:
    """A connection to the engine, with which the server begins to do its act."""
    sock = engine.sender.adapter.socket(DEADLINE)
    sock.sendall(b"x")
    return sock


def flood(kind: bytes, more: bytes = b"") -> Act:
    """Send eight times the window at once, and nothing more."""

    def act(transport: Transport, channel: Any) -> None:
        for _ in range(8 * WINDOW // len(PIECE)):
            message = Message()
            message.add_byte(kind)
            message.add_int(channel.remote_chanid)
            message.add_bytes(more)
            message.add_string(PIECE)
            transport._send_message(message)

    return act


@pytest.mark.parametrize(
    "act",
    [flood(cMSG_CHANNEL_DATA), flood(cMSG_CHANNEL_EXTENDED_DATA, struct.pack(">I", 1))],
    ids=["data", "errors"],
)
def test_a_server_that_sends_more_than_the_window_is_left(act: Act) -> None:
    with engine_behind(act) as engine:
        sock = connected(engine)
        (connection,) = engine.sender.adapter._ssh._connections  # type: ignore[union-attr]
        wait_until(lambda: not connection.transport.is_active(), "the connection to be ended")
        with sock, pytest.raises(ConnectionAbortedError, match="the SSH connection to"):
            deque(iter(lambda: sock.recv(65536), b""), maxlen=0)
        assert "more than the window" in str(connection.transport.get_exception())


def test_a_packet_that_is_too_long_ends_the_connection() -> None:
    def act(transport: Transport, channel: Any) -> None:
        transport.packetizer.write_all(struct.pack(">I", 0x7FFF_FFF0) + PIECE)

    with (
        engine_behind(act) as engine,
        connected(engine) as sock,
        pytest.raises(ConnectionAbortedError),
    ):
        sock.recv(1)


def test_a_channel_that_is_closed_without_its_end_was_cut() -> None:
    def act(transport: Transport, channel: Any) -> None:
        channel.sendall(b"some")
        transport.close()

    with (
        engine_behind(act) as engine,
        connected(engine) as sock,
        pytest.raises(ConnectionAbortedError),
    ):
        deque(iter(lambda: sock.recv(4), b""), maxlen=0)


def test_a_server_that_opens_no_channel_is_told() -> None:
    refuse = OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
    with (
        engine_behind(lambda *_: None, lambda _: refuse) as engine,
        pytest.raises(SshRefused, match="forwards no socket and runs no program for 'me'"),
    ):
        engine.get("/_ping")


def test_a_server_that_answers_no_channel_is_left_in_time() -> None:
    over = threading.Event()

    def opened(_: str) -> int:
        over.wait(DEADLINE)
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    with engine_behind(lambda *_: None, opened) as engine:
        connections = engine.sender.adapter._ssh
        assert connections is not None
        connection, _ = connections._connection(DEADLINE)
        connections._release(connection)
        try:
            with pytest.raises(TimeoutError):
                connection.transport.open_socket("/x", 0.1)
            assert connection.transport.is_active()
        finally:
            over.set()


def test_calls_that_wait_for_a_login_end_in_time() -> None:
    """The one that logs in has no answer, and those behind it do not add their limits to its own."""
    door = socket.create_server(("127.0.0.1", 0))
    endpoint = Endpoint.parse(
        f"ssh://me@127.0.0.1:{door.getsockname()[1]}",
        ssh=Ssh.checked("", KeyPair.made().text, None, None, verify=False),
    )
    failed: list[Unreachable] = []
    with door, Engine(endpoint, retry=Retry(attempts=1)) as engine:

        def call() -> None:
            with pytest.raises(Unreachable) as caught:
                engine.sender.adapter.socket(0.2)
            failed.append(caught.value)

        callers = [threading.Thread(target=call) for _ in range(10)]
        for caller in callers:
            caller.start()
        for caller in callers:
            ended(caller)
    assert len(failed) == 10
    assert all("in time" in error.message for error in failed)
