"""Connections, their reuse, and every way in which an answer can fail to arrive."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.engine import Endpoint, Engine
from lib.engine.errors import (
    Busy,
    Conflict,
    EngineFault,
    LimitReached,
    NoAnswer,
    OutcomeUnknown,
    Refused,
    StreamCut,
    TimedOut,
    Unreachable,
)
from lib.engine.http.adapter import MOST_IDLE
from lib.engine.http.retry import Retry
from lib.engine.request.upload import Upload, UploadBroken
from lib.engine.timeouts import Timeout, Timeouts
from tests.engine.scripted import Act, Scripted, answer, say, say_and_close
from tests.lab.at_once import at_once
from tests.lab.waiting import DEADLINE, wait_until

ONCE = Retry(attempts=1)
QUICK = Retry(attempts=3, first=0.001)
OBJECT = answer(b'{"a":1}')
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def engine_at(server: Scripted, **settings: Any) -> Engine:
    return Engine(Endpoint.parse(server.url), **{"retry": ONCE, **settings})


def silent(peer: socket.socket) -> None:
    peer.recv(1)


def test_one_connection_serves_call_after_call(tmp_path: Path) -> None:
    with Scripted(tmp_path, *[say(OBJECT)] * 5) as server, engine_at(server) as engine:
        for _ in range(5):
            assert engine.get("/info").json() == {"a": 1}
        assert server.connections == 1


def test_a_connection_that_the_engine_closed_meanwhile_is_not_used(tmp_path: Path) -> None:
    closed = threading.Event()

    def leave(peer: socket.socket) -> None:
        say_and_close(OBJECT)(peer)
        closed.set()

    with Scripted(tmp_path, leave, say(OBJECT)) as server, engine_at(server) as engine:
        engine.get("/info")
        assert closed.wait(DEADLINE)
        assert engine.post("/x").json() == {"a": 1}
        assert server.connections == 2


def together(size: int) -> list[Act]:
    """Acts that answer once all of them were asked."""
    asked = threading.Barrier(size)

    def meet(peer: socket.socket) -> None:
        asked.wait(DEADLINE)
        peer.sendall(OBJECT)

    return [meet] * size


def call_at_once(engine: Engine, size: int) -> None:
    engine.version  # noqa: B018
    at_once(*[lambda: engine.get("/info")] * size)


def test_threads_get_connections_of_their_own(tmp_path: Path) -> None:
    with Scripted(tmp_path, *together(4)) as server, engine_at(server) as engine:
        call_at_once(engine, 4)
        assert len(server.requests) == 4
        assert server.connections == 4


def test_what_a_burst_opened_is_not_kept_for_ever(tmp_path: Path) -> None:
    """fault 8.18: a connection for each thread that ever called at the same time stayed open."""
    size = 3 * MOST_IDLE
    with Scripted(tmp_path, *together(size)) as server, engine_at(server) as engine:
        call_at_once(engine, size)
        assert server.connections == size
        wait_until(lambda: server.open == MOST_IDLE, "the others to be closed")


def test_nothing_listens(tmp_path: Path) -> None:
    engine = Engine(Endpoint.parse(f"unix://{tmp_path}/none.sock"), retry=QUICK)
    with pytest.raises(
        Unreachable, match=r"No engine answers at unix://.*none.sock \(No such file"
    ) as caught:
        engine.get("/info")
    assert caught.value.retriable


def test_a_read_without_an_answer_is_repeated(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, say_and_close(b""), say_and_close(b"HTTP/1.1 2"), say(OBJECT)) as server,
        engine_at(server, retry=QUICK) as engine,
    ):
        assert engine.get("/info").json() == {"a": 1}
        assert len(server.requests) == 3


def test_a_write_without_an_answer_is_never_repeated(tmp_path: Path) -> None:
    with Scripted(tmp_path, say_and_close(b"")) as server, engine_at(server, retry=QUICK) as engine:
        with pytest.raises(OutcomeUnknown, match=r"may or may not") as caught:
            engine.post("/containers/create", body={"Image": "x"})
        assert (caught.value.method, caught.value.path) == ("POST", "/v1.41/containers/create")
        assert len(server.requests) == 1


def test_a_read_that_is_a_post_is_repeated(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, say_and_close(b""), say(OBJECT)) as server,
        engine_at(server, retry=QUICK) as engine,
    ):
        assert engine.post("/auth", body={}, reads=True).json() == {"a": 1}


def test_a_server_error_of_a_read_is_repeated_and_then_told(tmp_path: Path) -> None:
    failure = say(answer(b'{"message":"busy"}', "500 Internal Server Error"))
    with Scripted(tmp_path, *[failure] * 3) as server, engine_at(server, retry=QUICK) as engine:
        with pytest.raises(EngineFault, match=r"busy \[500 GET /v1.41/info\]"):
            engine.get("/info")
        assert len(server.requests) == 3


def test_a_look_up_in_a_registry_is_not_repeated_at_once(tmp_path: Path) -> None:
    failure = say(answer(b'{"message":"toomanyrequests"}', "500 Internal Server Error"))
    with Scripted(tmp_path, failure) as server, engine_at(server, retry=QUICK) as engine:
        with pytest.raises(Busy, match="toomanyrequests"):
            engine.get("/distribution/{+name}/json", {"name": "a/b"}, timeout="slow")
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        CHUNKED + b"5\r\n{}",
        CHUNKED + b"2\r\n{}\r\n",
    ],
    ids=["short of its length", "in a chunk", "without the last chunk"],
)
def test_an_answer_that_is_cut_is_no_answer(tmp_path: Path, cut: bytes) -> None:
    with (
        Scripted(tmp_path, say_and_close(cut)) as server,
        engine_at(server) as engine,
        pytest.raises(NoAnswer),
    ):
        engine.get("/info")


def test_an_engine_that_says_nothing_runs_into_the_time_limit(tmp_path: Path) -> None:
    times = Timeouts(slow=Timeout(0.05, 0.05, 1))  # not of the ping before, which is answered in its own time
    with (
        Scripted(tmp_path, silent) as server,
        engine_at(server, timeouts=times, retry=QUICK) as engine,
    ):
        with pytest.raises(TimedOut, match="did not answer in time"):
            engine.get("/info", timeout="slow")
        wait_until(lambda: server.requests, "the request to be read")
        assert len(server.requests) == 1  # repeated later by the flow, not at once


def test_an_engine_that_stops_in_the_middle_runs_into_the_time_limit(tmp_path: Path) -> None:
    def stuck(peer: socket.socket) -> None:
        peer.sendall(CHUNKED + b"2\r\n{}\r\n")
        peer.recv(1)

    times = Timeouts(short=Timeout(60, 1, 60))
    with (
        Scripted(tmp_path, stuck) as server,
        engine_at(server, timeouts=times) as engine,
        pytest.raises(NoAnswer, match="stopped sending"),
    ):
        engine.get("/info")


def test_a_stream_that_is_cut_says_so_after_what_came_whole(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, say_and_close(CHUNKED + b'8\r\n{"a":1}\n\r\n')) as server,
        engine_at(server) as engine,
        engine.lines("/events") as lines,
    ):
        assert next(lines) == {"a": 1}
        with pytest.raises(StreamCut) as caught:
            next(lines)
    assert caught.value.path == "/v1.41/events"


def test_work_whose_stream_is_cut_has_an_unknown_outcome(tmp_path: Path) -> None:
    with (
        Scripted(tmp_path, say_and_close(CHUNKED + b'f\r\n{"stream":"x"}\n\r\n')) as server,
        engine_at(server) as engine,
        engine.progress("/build") as lines,
        pytest.raises(OutcomeUnknown),
    ):
        list(lines)


def test_a_stream_that_falls_silent_ends_at_its_limit(tmp_path: Path) -> None:
    def stuck(peer: socket.socket) -> None:
        peer.sendall(CHUNKED + b'8\r\n{"a":1}\n\r\n')
        peer.recv(1)

    with (
        Scripted(tmp_path, stuck) as server,
        engine_at(server) as engine,
        engine.lines("/events") as lines,
    ):
        lines.pace(1, None)
        assert next(lines) == {"a": 1}
        with pytest.raises(LimitReached) as caught:
            next(lines)
    assert caught.value.limit == "idleSeconds"


def test_a_silent_stream_without_an_end_of_its_own_is_limited_too(tmp_path: Path) -> None:
    def stuck(peer: socket.socket) -> None:
        peer.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"a":1}\n')
        peer.recv(1)

    with (
        Scripted(tmp_path, stuck) as server,
        engine_at(server) as engine,
        engine.lines("/events") as lines,
    ):
        lines.pace(1, None)
        assert next(lines) == {"a": 1}
        with pytest.raises(LimitReached):
            next(lines)


def test_a_stream_left_early_ends_its_connection_and_the_next_call_opens_a_new_one(tmp_path: Path) -> None:
    endless = say(CHUNKED + b'8\r\n{"a":1}\n\r\n' * 2)
    with Scripted(tmp_path, endless, say(OBJECT)) as server, engine_at(server) as engine:
        with engine.lines("/events") as lines:
            next(lines)
        assert engine.get("/info").json() == {"a": 1}
        assert server.connections == 2


def body_of(request: bytes) -> bytes:
    return request.partition(b"\r\n\r\n")[2]


def test_an_upload_of_known_size_is_sent_with_its_length(tmp_path: Path) -> None:
    with Scripted(tmp_path, say(OBJECT)) as server, engine_at(server) as engine:
        engine.put("/x", body=Upload([b"ab", b"cd"], 4))
        assert body_of(server.requests[0]) == b"abcd"
        assert b"content-length: 4" in server.requests[0].lower()
        assert b"content-type: application/x-tar" in server.requests[0].lower()


def test_an_upload_of_unknown_size_is_sent_in_chunks(tmp_path: Path) -> None:
    with Scripted(tmp_path, say(OBJECT)) as server, engine_at(server) as engine:
        engine.put("/x", body=Upload(iter([b"abcd"])))
        assert body_of(server.requests[0]) == b"4\r\nabcd\r\n0\r\n\r\n"


def test_an_upload_that_the_engine_refuses_early_tells_why(tmp_path: Path) -> None:
    refusal = answer(b'{"message":"no"}', "409 Conflict")
    sent = threading.Event()

    class Early(Scripted):
        @staticmethod
        def _request(peer: socket.socket) -> bytes:
            head = peer.recv(200, socket.MSG_PEEK)
            if not head.startswith(b"PUT"):
                return Scripted._request(peer)
            peer.sendall(refusal)
            peer.close()
            sent.set()
            return b""

    def pieces() -> Iterator[bytes]:
        yield b"x" * 65536
        assert sent.wait(DEADLINE)
        for _ in range(64):
            yield b"x" * 65536

    with Early(tmp_path) as server, engine_at(server) as engine, pytest.raises(Conflict, match="no"):
        engine.put("/x", body=Upload(pieces()))


def test_a_long_body_that_is_refused_early_tells_why(tmp_path: Path) -> None:
    """fault 8.19: a proxy that answers 413 and reads no further held the step up for a minute, with no outcome."""
    refusal = answer(b"too large", "413 Content Too Large", "text/plain")
    told = threading.Event()

    class Early(Scripted):
        @staticmethod
        def _request(peer: socket.socket) -> bytes:
            if not peer.recv(4, socket.MSG_PEEK).startswith(b"POST"):
                return Scripted._request(peer)
            peer.sendall(refusal)
            assert told.wait(DEADLINE)
            return b""

    with Early(tmp_path) as server, engine_at(server) as engine:
        try:
            with pytest.raises(Refused, match="too large") as caught:
                engine.post("/x", body={"a": "x" * (8 << 20)})
        finally:
            told.set()
        assert caught.value.status == 413


def test_an_upload_whose_source_breaks_has_an_unknown_outcome(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 65536
        raise ValueError("storage went away")

    with (
        Scripted(tmp_path, say(OBJECT)) as server,
        engine_at(server) as engine,
        pytest.raises(OutcomeUnknown, match=r"storage went away.*got a part"),
    ):
        engine.put("/x", body=Upload(pieces()))


def test_an_upload_whose_source_never_opens_is_that_error(tmp_path: Path) -> None:
    """Fault 8.15: an OSError of the source was taken for the engine's early refusal, and its answer waited for."""

    def pieces() -> Iterator[bytes]:
        raise OSError("no such attachment")
        yield b""

    with (
        Scripted(tmp_path, say(OBJECT)) as server,
        engine_at(server) as engine,
        pytest.raises(UploadBroken, match="no such attachment"),
    ):
        engine.put("/x", body=Upload(pieces))


def test_no_socket_is_left_behind(tmp_path: Path) -> None:
    with Scripted(tmp_path, *[say(OBJECT)] * 2) as server:
        with engine_at(server) as engine:
            engine.get("/info")
            engine.get("/info")
        del engine
        gc.collect()  # a socket that nobody closed would warn here, and warnings are errors


def test_an_engine_exchanged_for_an_older_one_is_asked_for_its_versions_again(tmp_path: Path) -> None:
    too_new = answer(
        b'{"message":"client version 1.41 is too new. Maximum supported API version is 1.40"}',
        "400 Bad Request",
    )
    with Scripted(tmp_path, say(too_new), say(OBJECT)) as server, engine_at(server) as engine:
        engine.version  # noqa: B018
        server._ping = server._ping.replace(b"1.41", b"1.40")
        assert engine.get("/info").json() == {"a": 1}
        assert server.requests[1].startswith(b"GET /v1.40/info ")
