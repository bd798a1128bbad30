"""What a real server may answer before, with and behind an answer: through the whole client, on real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine.calls import (
    CALLS,
    CHUNKED,
    INTERIM,
    OBJECT,
    OTHER,
    UPGRADED,
    attached,
    engine_at,
)
from tests.engine.scripted import Scripted, answer, chunked, say, say_and_close
from tests.lab.waiting import DEADLINE


@pytest.mark.parametrize(
    "before", [*INTERIM.values(), b"".join(INTERIM.values()) * 5], ids=[*INTERIM, "many"]
)
@pytest.mark.parametrize(
    ("call", "said", "result"),
    [
        ("get", OBJECT, {"a": 1}),
        ("get", b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        ("post", OBJECT, {"a": 1}),
        ("put", OBJECT, {"a": 1}),
        ("delete", OBJECT, {"a": 1}),
        ("head", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        ("lines", chunked({"a": 1}), [{"a": 1}]),
        ("progress", chunked({"status": "x"}), [{"status": "x"}]),
    ],
)
def test_interim_answers_are_no_answers(
    tmp_path: Path, before: bytes, call: str, said: bytes, result: Any
) -> None:
    """fault 8.3: the real answer went to the next message."""
    with (
        Scripted(tmp_path, say(before + said), say(before + OTHER)) as server,
        engine_at(server) as engine,
    ):
        if result == "":
            assert engine.get("/info").kind == "empty"
        else:
            assert CALLS[call](engine) == result
        assert engine.get("/next").json() == {"b": 2}
        assert server.connections == 1


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
@pytest.mark.parametrize("head", [UPGRADED, b"HTTP/1.1 200 OK\r\n\r\n"], ids=["101", "200"])
def test_interim_answers_before_an_upgrade(tmp_path: Path, interim: bytes, head: bytes) -> None:
    """fault 8.3: and the output that came in the same packet is not lost."""
    with Scripted(tmp_path, say_and_close(interim + head + b"output")) as server, engine_at(server) as engine:
        assert b"".join(attached(engine)) == b"output"


@pytest.mark.parametrize(
    "extra", [b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{'c':3}", b"\0" * 70_000]
)
@pytest.mark.parametrize("said", [OBJECT, CHUNKED + b'7\r\n{"a":1}\r\n0\r\n\r\n'], ids=["length", "chunked"])
def test_what_follows_an_answer_reaches_no_message(tmp_path: Path, extra: bytes, said: bytes) -> None:
    """fault 8.3."""
    with Scripted(tmp_path, say(said + extra), say(OTHER)) as server, engine_at(server) as engine:
        assert engine.get("/info").json() == {"a": 1}
        assert engine.get("/next").json() == {"b": 2}
        assert server.connections == 2


def test_what_comes_unasked_reaches_no_message(tmp_path: Path) -> None:
    """fault 8.3: an answer that nobody asked for, while the connection waits."""
    sent = threading.Event()

    def more(peer: socket.socket) -> None:
        peer.sendall(OBJECT)
        assert sent.wait(DEADLINE)
        peer.sendall(answer(b'{"c":3}'))
        sent.clear()
        done.set()

    done = threading.Event()
    with Scripted(tmp_path, more, say(OTHER)) as server, engine_at(server) as engine:
        assert engine.get("/info").json() == {"a": 1}
        sent.set()
        assert done.wait(DEADLINE)
        assert engine.get("/next").json() == {"b": 2}


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_body_behind_an_answer_without_one_reaches_no_message(tmp_path: Path, method: str) -> None:
    """fault 8.3: some proxies send a body with HEAD, 204 and 304."""
    said = answer(b"hello") if method == "HEAD" else answer(b"hello", "204 No Content")
    with Scripted(tmp_path, say(said), say(OTHER)) as server, engine_at(server) as engine:
        reply = engine.head("/x") if method == "HEAD" else engine.get("/x")
        assert reply.raw == b""
        assert engine.get("/next").json() == {"b": 2}
        assert server.connections == 2


@pytest.mark.parametrize("length", [b"Content-Length: 43", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("status", [b"200 OK", b"204 No Content", b"304 Not Modified"])
def test_a_body_that_follows_later_reaches_no_message(tmp_path: Path, status: bytes, length: bytes) -> None:
    """fault 8.3: a body that the head announces where there is none may be on its way when the next request goes."""

    def two_parts(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 " + status + b"\r\n" + length + b"\r\n\r\n")
        # The rest comes behind the next request, or the connection is given up.
        if peer.recv(65536):
            peer.sendall(answer(b'{"c":3}'))

    with Scripted(tmp_path, two_parts, say(OTHER)) as server, engine_at(server) as engine:
        reply = engine.head("/x") if status == b"200 OK" else engine.post("/x", unchanged=True)
        assert (reply.status, reply.raw) == (int(status[:3]), b"")
        assert engine.get("/next").json() == {"b": 2}


def drip(data: bytes, part: int = 1) -> Callable[[socket.socket], None]:
    """Say it byte by byte."""

    def act(peer: socket.socket) -> None:
        for start in range(0, len(data), part):
            peer.sendall(data[start : start + part])

    return act


@pytest.mark.parametrize(
    "said",
    [
        OBJECT,
        INTERIM[103] + CHUNKED + b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\nTrailer: x\r\n\r\n',
        b'HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}',
    ],
)
def test_an_answer_may_come_byte_by_byte(tmp_path: Path, said: bytes) -> None:
    with Scripted(tmp_path, drip(said), drip(OTHER)) as server, engine_at(server) as engine:
        assert engine.get("/info").json() == {"a": 1}
        assert engine.get("/next").json() == {"b": 2}


@pytest.mark.parametrize(
    "head", [b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"]
)
def test_an_answer_that_ends_with_its_connection_is_whole(tmp_path: Path, head: bytes) -> None:
    acts = say_and_close(head + b'{"a":1}'), say_and_close(head + b'{"a":1}\n'), say(OTHER)
    with Scripted(tmp_path, *acts) as server, engine_at(server) as engine:
        assert engine.get("/info").json() == {"a": 1}
        assert list(engine.lines("/events")) == [{"a": 1}]
        assert engine.get("/next").json() == {"b": 2}
