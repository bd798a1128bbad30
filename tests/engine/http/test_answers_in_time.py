"""One deadline for a whole call: whatever comes slowly, or for ever, without being the answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from actions.containers import container_wait
from lib.engine import Engine, EngineError
from lib.engine.attach.session import upgrade
from lib.engine.errors import (
    LimitReached,
    OutcomeUnknown,
    StreamCut,
    TimedOut,
)
from lib.engine.request.upload import Upload
from lib.engine.timeouts import Timeout, Timeouts
from tests.engine.calls import (
    CALLS,
    CHUNKED,
    INTERIM,
    engine_at,
)
from tests.engine.scripted import Scripted
from tests.lab.waiting import DEADLINE, take

SOON = Timeout(0.5, 0.5, 0.5)
SHORT = Timeouts(short=SOON, slow=SOON, wait=SOON, stream=Timeout(0.5, 0.5), transfer=Timeout(0.5, 0.5, 0.5))


def endlessly(head: bytes, drop: bytes, gone: threading.Event) -> Callable[[socket.socket], None]:
    def act(peer: socket.socket) -> None:
        with suppress(OSError):
            peer.sendall(head)
            while not gone.is_set():
                take(0.02)
                peer.sendall(drop)

    return act


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"HTTP/1.1 200 O", b"K"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"", INTERIM[100]),
        (b"", INTERIM[102]),
        (CHUNKED, b"0"),
        (CHUNKED + b"5;", b"x"),
        (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n"),
        (CHUNKED + b"2\r\n{}\r\n0\r\nX: ", b"y"),
        (b"HTTP/1.1 404 Not Found\r\n", b"X: y\r\n"),
    ],
    ids=[
        "reason",
        "header",
        "headers",
        "100",
        "102",
        "chunk size",
        "chunk extension",
        "trailers",
        "trailer",
        "error head",
    ],
)
def test_what_never_ends_ends_in_time(tmp_path: Path, call: str, head: bytes, drop: bytes) -> None:
    """fault 8.19: each byte came in time, so it went on for ever; no body ever comes."""
    if head.startswith(CHUNKED) and call in ("head", "websocket"):
        pytest.skip("reads no body of an answer of 200")
    gone = threading.Event()
    with (
        Scripted(tmp_path, endlessly(head, drop, gone)) as server,
        engine_at(server, timeouts=SHORT) as engine,
    ):
        try:
            with pytest.raises(EngineError) as caught:
                _timed(engine, call)
        finally:
            gone.set()
        assert isinstance(caught.value, OutcomeUnknown | TimedOut | StreamCut | LimitReached)


def _timed(engine: Engine, call: str) -> None:
    if call != "upgrade":
        CALLS[call](engine)
        return
    with upgrade(engine, "/exec/1/start", {}) as connection:
        connection.pace(None, 0.5)
        list(connection.chunks())


def test_a_body_that_trickles_ends_with_the_whole_call(tmp_path: Path) -> None:
    """fault 8.19: from the first byte on, not from the head's end."""
    gone = threading.Event()
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    with (
        Scripted(tmp_path, endlessly(head, b"x", gone)) as server,
        engine_at(server, timeouts=SHORT) as engine,
    ):
        try:
            with pytest.raises(TimedOut):
                engine.get("/info")
        finally:
            gone.set()


def test_a_wait_ends_with_the_step(tmp_path: Path) -> None:
    """fault 8.19: maxSeconds holds for ContainerWait, and no later try would end otherwise."""
    gone = threading.Event()

    def wait(peer: socket.socket) -> None:
        peer.sendall(CHUNKED)
        gone.wait(DEADLINE)

    with Scripted(tmp_path, wait) as server, engine_at(server) as engine:
        try:
            with pytest.raises(LimitReached) as caught:
                container_wait(engine.with_timeouts(900, 0.3), {"id": "c"})
        finally:
            gone.set()
        assert caught.value.limit == "maxSeconds"


def test_an_upload_ends_with_the_step(tmp_path: Path) -> None:
    """fault 8.19: the engine has a part, so nobody knows what it does with it."""
    gone = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield from (b"x" * 65536 for _ in range(10_000))

    class Slow(Scripted):
        @staticmethod
        def _request(peer: socket.socket) -> bytes:
            if not peer.recv(4, socket.MSG_PEEK).startswith(b"PUT"):
                return Scripted._request(peer)
            while not gone.is_set() and peer.recv(20_000):
                take(0.01)
            return b""

    with Slow(tmp_path) as server, engine_at(server) as engine:
        try:
            with pytest.raises(OutcomeUnknown, match="maxSeconds"):
                engine.with_timeouts(900, 0.3).put("/x", body=Upload(pieces()), timeout="transfer")
        finally:
            gone.set()
