"""HTTP/2 at an engine's address: against servers that do not speak it, that break its rules, and that never end."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.buildkit.calls import Call, Metadata, Methods, Unary, unary
from lib.engine.buildkit.control import SERVICE, Control
from lib.engine.buildkit.frame_limit import MOST_BYTES
from lib.engine.buildkit.rpc_server import RpcServer
from lib.engine.buildkit.services import health
from lib.engine.buildkit.session import BuildSession
from lib.engine.errors import EngineError, NotSupported, OutcomeUnknown, StreamCut
from lib.engine.timeouts import Timeout, Timeouts
from tests.engine.buildkit.asking_engine import HEAD
from tests.engine.scripted import Scripted, answer, say
from tests.lab.waiting import ended, wait_until

GONE = say(answer(b'{"message":"page not found"}', "404 Not Found"))
WORKERS = f"{SERVICE}/ListWorkers"
SERVER = {WORKERS: unary(lambda _: b"")}
HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW, CONTINUATION = 1, 3, 4, 6, 7, 8, 9

Http2 = Callable[[socket.socket, bytes], None]


def frame(
    kind: int, payload: bytes = b"", *, flags: int = 0, stream: int = 0, size: int | None = None
) -> bytes:
    length = len(payload) if size is None else size
    return length.to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


FIRST = frame(SETTINGS)
FAREWELL = frame(GOAWAY, bytes(8))


def begins_with(data: bytes) -> Http2:
    """Answer with these bytes; the connection ends behind them."""

    def act(peer: socket.socket, _: bytes) -> None:
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        while peer.recv(65_536):
            pass

    return act


def resets(peer: socket.socket, _: bytes) -> None:
    peer.close()  # with bytes that nobody has read


def silent(after: bytes = b"") -> Http2:
    def act(peer: socket.socket, _: bytes) -> None:
        peer.sendall(after)
        while peer.recv(65_536):
            pass

    return act


def endless(begin: bytes, more: bytes) -> Http2:
    """Say `more` again and again, and take in what is answered."""

    def drain(peer: socket.socket) -> None:
        with suppress(OSError):
            while peer.recv(65_536):
                pass

    def act(peer: socket.socket, _: bytes) -> None:
        drained = threading.Thread(target=drain, args=(peer,))
        drained.start()
        sent = 0
        try:
            peer.sendall(begin)
            while sent < 8 * MOST_BYTES:  # an end that no client should come to
                peer.sendall(more * 100)
                sent += 100 * len(more)
            peer.shutdown(socket.SHUT_WR)
        finally:
            ended(drained)

    return act


def serving(methods: Methods) -> Http2:
    def act(peer: socket.socket, data: bytes) -> None:
        server = RpcServer(methods)
        peer.sendall(server.start())
        while data:
            peer.sendall(server.feed(data))
            data = peer.recv(65_536)

    return act


def fails(tmp_path: Path, act: Http2, kind: type[EngineError], *, limit: float | None = None) -> str:
    """The message of the error with which nothing is opened; no connection is left."""
    timeouts = Timeouts(stream=Timeout(limit, None)) if limit else Timeouts()
    with (
        Scripted(tmp_path, GONE, http2=act) as peer,
        Engine(Endpoint.parse(peer.url), timeouts=timeouts) as engine,
    ):
        with pytest.raises(EngineError) as told:
            Control(engine)
        engine.close()
        wait_until(lambda: not peer.open, "the connections to end")
    assert type(told.value) is kind, repr(told.value)
    return told.value.message


def test_it_is_opened_and_left(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, GONE, http2=serving(SERVER)) as peer,
        Engine(Endpoint.parse(peer.url)) as engine,
    ):
        with Control(engine):
            assert peer.open == 2  # the connection of plain calls, and this one
        wait_until(lambda: peer.open == 1, "the connection to end")


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (begins_with(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "it answers in HTTP/1.1"),
        (begins_with(b"HTTP/1.0 403 Forbidden\r\nContent-Length: 9\r\n\r\nForbidden"), "it answers in HTTP/1.1"),
        (begins_with(b""), "the connection was closed on its first bytes"),
        (begins_with(FIRST[:8]), "the connection was closed on its first bytes"),
        (resets, "the connection was closed on its first bytes"),
        (begins_with(b"\x15\x03\x01\x00\x02\x02\x46" * 2), "it begins otherwise"),
        (begins_with(FAREWELL), "it begins otherwise"),
        (begins_with(frame(SETTINGS, flags=1)), "it begins otherwise"),
        (begins_with(frame(SETTINGS, stream=1)), "it begins otherwise"),
        (begins_with(frame(SETTINGS, bytes(5))), "it begins otherwise"),
        (begins_with(frame(SETTINGS, bytes(9), size=1 << 23)), "it begins otherwise"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "it answers in HTTP/1.1"),
    ],
    ids=[
        "refused", "forbidden", "closed", "cut", "reset", "alert", "goodbye", "acknowledged", "of a stream", "odd",
        "huge", "endless HTTP/1.1",
    ],
)  # fmt: skip
def test_who_does_not_begin_it_does_not_speak_it(tmp_path: Path, act: Http2, why: str) -> None:
    told = fails(tmp_path, act, NotSupported)
    assert told == f"POST /grpc was answered with 404, and the address does not speak HTTP/2: {why}"


@pytest.mark.parametrize("after", [b"", FIRST[:4], FIRST], ids=["nothing", "a part", "settings"])
def test_silence_ends_with_its_limit(tmp_path: Path, after: bytes) -> None:
    assert "in time" in fails(tmp_path, silent(after), OutcomeUnknown, limit=0.5)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (FIRST + FAREWELL, "without a code"),
        (FIRST, "the engine ended the connection"),
        (FIRST + frame(RST, bytes(4), stream=1), "without a code"),
        (FIRST + frame(HEADERS, b"\xff" * 50, flags=4, stream=1), "HTTP/2: "),
        (FIRST + frame(0, b"x" * 20, stream=1), "HTTP/2: "),
        (FIRST + frame(WINDOW, bytes(4)), "HTTP/2: "),
        (FIRST + frame(PING, bytes(7)), "HTTP/2: "),
    ],
    ids=["goodbye", "closed", "reset", "headers", "no headers", "no window", "short ping"],
)
def test_who_breaks_it_off_is_asked_again_later(tmp_path: Path, data: bytes, why: str) -> None:
    assert why in fails(tmp_path, begins_with(data), StreamCut)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (frame(PING, bytes(8)), "frames without data"),
        (frame(SETTINGS), "frames without data"),
        (frame(SETTINGS, b"\x00\x04\x00\x00\xff\xff" * 100), "frames without data"),
        (frame(0xFA, bytes(100)), "frames without data"),
        (frame(2, bytes(5), stream=3), "frames without data"),
        (frame(HEADERS, b"\x88", flags=4, stream=1) + frame(CONTINUATION, b"\x88", stream=1), "HTTP/2: "),
        (frame(HEADERS, b"\x88", stream=1) + frame(CONTINUATION, b"\x88", stream=1) * 200, "HTTP/2: "),
    ],
    ids=["pings", "settings", "many settings", "unknown", "priorities", "headers", "continuations"],
)
def test_frames_without_end_are_limited(tmp_path: Path, more: bytes, why: str) -> None:
    assert why in fails(tmp_path, endless(FIRST, more), StreamCut)


def test_a_frame_that_is_too_long_is_not_taken_in(tmp_path: Path) -> None:
    act = endless(FIRST + frame(0, size=(1 << 24) - 1, stream=1), bytes(1_000))
    assert "frames without data" in fails(tmp_path, act, StreamCut)


def test_a_session_is_not_kept_busy_for_ever(tmp_path: Path) -> None:
    def opened(peer: socket.socket) -> None:
        begin = HEAD + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + FIRST
        endless(begin, frame(PING, bytes(8)))(peer, b"")

    with Scripted(tmp_path, opened) as peer, Engine(Endpoint.parse(peer.url)) as engine:
        with BuildSession(engine, health()) as session:
            wait_until(lambda: session.fault, "the session to end")
        assert "frames without data" in session.fault


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (b"404", NotSupported),
        (b"405", NotSupported),
        (b"403", NotSupported),
        (b"401", NotSupported),
        (b"503", StreamCut),
        (b"500", StreamCut),
    ],
)
def test_http2_of_a_proxy_is_no_engine(tmp_path: Path, status: bytes, kind: type[EngineError]) -> None:
    # 0x48: the name of :status by its number, its value as it is.
    head = frame(HEADERS, b"\x48\x03" + status, flags=5, stream=1)
    told = fails(tmp_path, begins_with(FIRST + head), kind)
    assert f"the engine answered the call with {status.decode()}" in told


def test_an_engine_without_the_service_is_none(tmp_path: Path) -> None:
    assert "by HTTP/2 there is no BuildKit" in fails(tmp_path, serving({}), NotSupported)


def test_a_login_and_a_prefix_of_the_address_are_those_of_every_call() -> None:
    seen: list[Metadata] = []

    def workers(metadata: Metadata) -> Call:
        seen.append(metadata)
        return Unary(lambda _: b"")

    act = serving({f"/shop{WORKERS}": workers})
    with Scripted(None, GONE, http2=act) as peer:
        address = peer.url.replace("//", "//me:open%20sesame@") + "/shop"
        with Engine(Endpoint.parse(address)) as engine, Control(engine):
            (metadata,) = seen
    assert metadata["authorization"] == f"Basic {base64.b64encode(b'me:open sesame').decode()}"
    assert metadata[":authority"] == peer.url.removeprefix("http://")
    assert metadata[":scheme"] == "http"
