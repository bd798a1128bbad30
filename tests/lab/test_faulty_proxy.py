from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.waiting import A_MOMENT, DEADLINE, wait_until


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while data := self.request.recv(1000):
                self.request.sendall(data)


@pytest.fixture
def cut() -> Iterator[FaultyProxy]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        host, port = server.server_address[:2]
        with FaultyProxy((str(host), port)) as cut:
            yield cut
        server.shutdown()


@pytest.fixture
def client(cut: FaultyProxy) -> Iterator[socket.socket]:
    with socket.create_connection((cut.host, cut.port), timeout=DEADLINE) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"
        yield client


def test_bytes_and_the_end_of_a_direction_are_passed_on(cut: FaultyProxy, client: socket.socket) -> None:
    client.sendall(b"more")
    client.shutdown(socket.SHUT_WR)
    assert b"".join(iter(lambda: client.recv(100), b"")) == b"more"
    wait_until(lambda: cut.open == 0, "the connection to be forgotten")
    assert (cut.accepted, cut.requests.passed, cut.answers.passed) == (1, 9, 9)


def test_a_frozen_port_accepts_but_moves_nothing_until_it_thaws(
    cut: FaultyProxy, client: socket.socket
) -> None:
    cut.freeze()
    client.sendall(b"hello?")
    client.settimeout(A_MOMENT)
    with pytest.raises(TimeoutError):
        client.recv(1)
    cut.thaw()
    client.settimeout(DEADLINE)
    assert client.recv(6) == b"hello?"


def test_frozen_answers_let_the_request_through(cut: FaultyProxy, client: socket.socket) -> None:
    cut.answers.freeze()
    client.sendall(b"12345")
    wait_until(lambda: cut.requests.passed == 10, "the request to be passed on")
    assert cut.answers.passed == 5


def test_a_reset_is_seen_as_one(cut: FaultyProxy, client: socket.socket) -> None:
    cut.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_reset_by_the_server_reaches_the_client() -> None:
    """fault 8.35: who waits for an answer must not wait for ever because the port kept the reset to itself."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        FaultyProxy(server.getsockname()) as cut,
        socket.create_connection((cut.host, cut.port), timeout=DEADLINE) as client,
    ):
        client.sendall(b"hello?")
        peer = server.accept()[0]
        peer.recv(6)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_an_end_is_seen_as_one(cut: FaultyProxy, client: socket.socket) -> None:
    cut.end()
    assert client.recv(1) == b""


def test_answers_are_cut_after_so_many_bytes(cut: FaultyProxy, client: socket.socket) -> None:
    cut.answers.cut_after(3, clean=True, once=True)
    client.sendall(b"12345")
    assert b"".join(iter(lambda: client.recv(100), b"")) == b"123"
    with socket.create_connection((cut.host, cut.port), timeout=DEADLINE) as second:
        second.sendall(b"12345")
        assert second.recv(5) == b"12345"


def test_a_cut_waits_for_the_request_that_it_is_meant_for(cut: FaultyProxy, client: socket.socket) -> None:
    cut.answers.cut_after(4, clean=True, asked=b"/logs")
    client.sendall(b"GET /info")
    assert client.recv(9) == b"GET /info"
    client.sendall(b"GET /logs")
    assert b"".join(iter(lambda: client.recv(100), b"")) == b"GET "


def test_a_silent_connection_stays_open(cut: FaultyProxy, client: socket.socket) -> None:
    cut.answers.cut_after(3, silent=True)
    client.sendall(b"12345")
    assert client.recv(3) == b"123"
    client.settimeout(A_MOMENT)
    with pytest.raises(TimeoutError):
        client.recv(1)


def test_bytes_come_one_by_one_and_the_end_is_held_back(cut: FaultyProxy, client: socket.socket) -> None:
    cut.answers.piece, cut.answers.ends = 1, False
    client.sendall(b"12345")
    client.shutdown(socket.SHUT_WR)
    assert b"".join(client.recv(1) for _ in range(5)) == b"12345"
    client.settimeout(A_MOMENT)
    with pytest.raises(TimeoutError):
        client.recv(1)


def test_requests_are_cut_on_every_connection_until_healed(cut: FaultyProxy) -> None:
    cut.requests.cut_after(2)
    for _ in range(2):
        with socket.create_connection((cut.host, cut.port), timeout=DEADLINE) as client:
            client.sendall(b"12345")
            with pytest.raises(ConnectionResetError):
                b"".join(iter(lambda: client.recv(1), b""))
    cut.heal()
    with socket.create_connection((cut.host, cut.port), timeout=DEADLINE) as client:
        client.sendall(b"12345")
        assert client.recv(5) == b"12345"


def test_a_refusing_port_comes_back_on_the_same_number(cut: FaultyProxy, client: socket.socket) -> None:
    port = cut.port
    cut.refuse()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((cut.host, port), timeout=DEADLINE)
    cut.accept()
    socket.create_connection((cut.host, port), timeout=DEADLINE).close()
    assert cut.port == port


def test_a_delay_holds_up_each_piece(cut: FaultyProxy, client: socket.socket) -> None:
    cut.answers.delay = 0.2
    began = time.monotonic()
    client.sendall(b"x")
    assert client.recv(1) == b"x"
    assert time.monotonic() - began >= 0.2


def test_a_server_that_is_gone_is_a_reset(cut: FaultyProxy) -> None:
    cut.target = "/nonexistent/docker.sock"
    with (
        pytest.raises(ConnectionResetError),
        socket.create_connection((cut.host, cut.port), timeout=DEADLINE) as client,
    ):
        client.recv(1)
