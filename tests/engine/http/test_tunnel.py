"""The way through an HTTP proxy (CONNECT): what is sent, what is read, and who is to blame."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.errors import ProxyRefused, TlsRefused, Unreachable
from lib.engine.http.bounds import HEAD_BYTES
from lib.engine.http.connect import connect
from lib.engine.http.retry import Retry
from lib.engine.proxy import Proxy
from lib.engine.tls import Tls
from tests.lab.connect_proxy import CONNECTED, Act, ConnectProxy, refusal
from tests.lab.ports import HeldPort
from tests.lab.waiting import DEADLINE, ended

SECRET = "canary-4c1e"
LOGIN = "Basic bWU6Y2FuYXJ5LTRjMWU="
SOON = 0.05
"""Seconds after which a silent proxy is left: it would be silent for ever."""


def through(
    proxy: ConnectProxy, url: str = "http://engine.example.org:2375", *, login: bool = True
) -> Endpoint:
    return Endpoint.parse(
        url, proxy=Proxy("127.0.0.1", proxy.port, *(("me", SECRET) if login else (None, None)))
    )


def failed(act: Act, timeout: float = DEADLINE, *, login: bool = True) -> Unreachable:
    """The error of a connection that `act` answers in the proxy's place."""
    with ConnectProxy(act=act) as proxy, pytest.raises(Unreachable) as caught:
        connect(through(proxy, login=login), timeout, None)
    text = str(caught.value)
    assert SECRET not in text
    assert LOGIN.partition(" ")[2] not in text
    assert f"127.0.0.1:{proxy.port}" in text
    return caught.value


def says(data: bytes) -> Act:
    return lambda near: near.sendall(data)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://engine.example.org:2375/a/path", "engine.example.org:2375"),
        ("tcp://engine.example.org", "engine.example.org:2375"),
        ("http://[2001:db8::1]:99", "[2001:db8::1]:99"),
        ("http://bücher.example", "xn--bcher-kva.example:80"),
    ],
)
def test_the_proxy_is_asked_for_host_and_port(url: str, target: str) -> None:
    with ConnectProxy(act=says(CONNECTED)) as proxy:
        connect(through(proxy, url), DEADLINE, None).close()
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", f"Proxy-Authorization: {LOGIN}", "", ""]
    assert proxy.heads == ["\r\n".join(lines).encode()]


def test_without_a_user_no_login_is_sent() -> None:
    with ConnectProxy(act=says(CONNECTED)) as proxy:
        connect(through(proxy, login=False), DEADLINE, None).close()
    assert b"Authorization" not in proxy.heads[0]


ODD_SUCCESSES = {
    "plain": CONNECTED,
    "an older version": b"HTTP/1.0 200 OK\r\nProxy-Agent: x\r\n\r\n",
    "another success": b"HTTP/1.1 204 Done\r\n\r\n",
    "a length that does not count": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
    "chunks that do not count": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "interim answers": b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + CONNECTED,
    "a long head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
}


@pytest.mark.parametrize("head", ODD_SUCCESSES.values(), ids=ODD_SUCCESSES)
def test_what_follows_the_head_in_one_packet_is_the_engines(head: bytes) -> None:
    said = b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x01" * 3000  # more than is looked at in one go
    with ConnectProxy(act=says(head + said)) as proxy:
        tunnel = connect(through(proxy), DEADLINE, None)
        with tunnel, tunnel.makefile("rb") as arriving:
            assert arriving.read() == said


def test_a_head_that_comes_in_single_bytes_is_read() -> None:
    def drip(near: socket.socket) -> None:
        near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in CONNECTED + b"!":
            near.sendall(bytes([byte]))

    with ConnectProxy(act=drip) as proxy, connect(through(proxy), DEADLINE, None) as tunnel:
        assert tunnel.recv(5) == b"!"


REFUSALS = {
    "407 Proxy Authentication Required": (False, "does not accept the login", "proxyUser and proxyPassword"),
    "401 Unauthorized": (False, "forbids connections to engine.example.org:2375", "allow CONNECT"),
    "403 Forbidden": (False, "forbids connections to engine.example.org:2375", "allow CONNECT"),
    "400 Bad Request": (False, "takes no CONNECT", "Check proxy"),
    "405 Method Not Allowed": (False, "takes no CONNECT", "Check proxy"),
    "501 Not Implemented": (False, "takes no CONNECT", "Check proxy"),
    "302 Found": (False, "gives an answer that is none to CONNECT", "Check proxy"),
    "502 Bad Gateway": (True, "brings no connection to the engine", "the engine's host and port"),
    "503 Service Unavailable": (True, "brings no connection to the engine", "the engine's host and port"),
    "504 Gateway Timeout": (True, "brings no connection to the engine", "the engine's host and port"),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_says_whose_matter_it_is(status: str) -> None:
    retriable, told, hint = REFUSALS[status]
    echo = refusal(status, f"X-Asked: Proxy-Authorization: {LOGIN}", f"X-Password: {SECRET}")
    error = failed(says(echo))
    assert (error.retriable, error.status) == (retriable, int(status[:3]))
    assert told in str(error)
    assert hint in str(error)


def test_a_reason_that_holds_the_login_is_not_repeated() -> None:
    assert failed(says(refusal(f"403 {LOGIN} {SECRET}"))).status == 403


def test_a_wanted_login_that_is_missing_names_its_fields() -> None:
    error = failed(says(refusal("407 No")), login=False)
    assert isinstance(error, ProxyRefused)
    assert "wants a login" in str(error)
    assert "Fill proxyUser and proxyPassword" in str(error)


NO_HTTP = {
    "garbage": b"\x16\x03\x01\x02\x00 no http\r\n\r\n",
    "an ssh server": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2 * HEAD_BYTES,
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * HEAD_BYTES,
    "endless interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * HEAD_BYTES,
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    "no status": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a status below": b"HTTP/1.1 099 OK\r\n\r\n",
}


@pytest.mark.parametrize("data", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_proxy_is_told_as_such(data: bytes) -> None:
    error = failed(says(data))
    assert isinstance(error, ProxyRefused)
    assert "is no HTTP proxy" in str(error)
    assert "Check proxy in the credential" in str(error)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 102 Processing\r\n\r\n"])
def test_silence_ends_in_time(said: bytes) -> None:
    def keep_silent(near: socket.socket) -> None:
        near.sendall(said)
        near.recv(1)

    error = failed(keep_silent, SOON)
    assert error.retriable
    assert "did not answer in time" in str(error)


def test_a_proxy_that_never_ends_its_head_is_left_in_time() -> None:
    def drip(near: socket.socket) -> None:
        near.settimeout(SOON / 10)
        near.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            near.sendall(b"X: y\r\n")
            try:
                if not near.recv(1):
                    return
            except TimeoutError:
                pass

    assert "in time" in str(failed(drip, SOON))


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_an_end_before_the_answer_may_be_the_matter_of_either(said: bytes) -> None:
    error = failed(says(said))
    assert error.retriable
    assert "ended the connection" in str(error)
    assert "the engine's address, and proxy" in str(error)


def test_a_proxy_that_is_not_there_is_named() -> None:
    with HeldPort() as held:
        endpoint = Endpoint.parse("https://engine", proxy=Proxy("127.0.0.1", held.number))
        with pytest.raises(Unreachable) as caught:
            connect(endpoint, DEADLINE, None)
    assert f"No proxy answers at http://127.0.0.1:{held.number}" in str(caught.value)
    assert "Check proxy in the credential" in str(caught.value)


def test_a_handshake_that_fails_behind_the_proxy_names_both() -> None:
    def plain_engine(near: socket.socket) -> None:
        near.sendall(CONNECTED)
        near.recv(65536)
        near.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent TLS\n")

    with ConnectProxy(act=plain_engine) as proxy:
        endpoint = through(proxy, "https://engine.example.org:2376")
        with pytest.raises(TlsRefused, match=r"engine\.example\.org:2376 through the proxy http://127"):
            connect(endpoint, DEADLINE, Tls().context())


@pytest.fixture
def engine_behind() -> Iterator[int]:
    """The port of an engine that answers /_ping, one connection after the other, each until its end."""
    door = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                peer = door.accept()[0]
            except OSError:
                return
            with peer:
                while peer.recv(65536):
                    peer.sendall(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    yield door.getsockname()[1]
    door.shutdown(socket.SHUT_RDWR)
    door.close()
    ended(thread)


def test_the_tunnel_serves_call_after_call_and_the_engine_never_sees_the_login(engine_behind: int) -> None:
    with ConnectProxy(login=LOGIN) as proxy:
        endpoint = through(proxy, f"http://127.0.0.1:{engine_behind}")
        with Engine(endpoint, retry=Retry(attempts=1)) as engine:
            assert str(engine.version) == "1.41"
            for _ in range(3):
                engine.get("/_ping")
    assert proxy.targets == [f"127.0.0.1:{engine_behind}"]


def test_an_engine_that_is_not_there_is_not_the_proxys_matter() -> None:
    with HeldPort() as held, ConnectProxy(login=LOGIN) as proxy:
        endpoint = through(proxy, f"http://127.0.0.1:{held.number}")
        with (
            Engine(endpoint, retry=Retry(attempts=2, first=0.001)) as engine,
            pytest.raises(Unreachable) as caught,
        ):
            engine.get("/info")
    assert "brings no connection to the engine" in str(caught.value)
    assert len(proxy.targets) == 2  # nothing was sent to the engine: it is tried again
