"""Limits of length for everything that an engine may send without end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from lib.engine.errors import (
    LimitReached,
    NoAnswer,
    NotFound,
    OutcomeUnknown,
)
from lib.engine.http.bounds import ANSWER_BYTES, ERROR_BYTES
from tests.engine.calls import (
    CALLS,
    CHUNKED,
    INTERIM,
    engine_at,
)
from tests.engine.scripted import Scripted


def flood(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def act(peer: socket.socket) -> None:
        with suppress(OSError):
            peer.sendall(head)
            while True:
                peer.sendall(piece)

    return act


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", b"[" * 65536),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", b" " * 65536),
        (CHUNKED, b"10000\r\n" + b"[" * 65536 + b"\r\n"),
        (CHUNKED, b"2\r\n[[\r\n" * 8192),
    ],
    ids=["to the end", "length", "chunks", "small chunks"],
)
def test_an_endless_answer_ends_at_its_limit(tmp_path: Path, head: bytes, piece: bytes) -> None:
    """fault 8.18."""
    with Scripted(tmp_path, flood(head, piece)) as server, engine_at(server) as engine:
        with pytest.raises(LimitReached, match=f"longer than {ANSWER_BYTES} bytes") as caught:
            engine.get("/info")
        assert caught.value.limit == "ANSWER_BYTES"


@pytest.mark.parametrize("length", [b"", b"Content-Length: 9999999\r\n"], ids=["to the end", "length"])
def test_an_endless_error_is_cut_at_its_limit(tmp_path: Path, call: str, length: bytes) -> None:
    """fault 8.18: and is still the error that it is."""
    if call == "head":
        pytest.skip("an answer to HEAD has no body")
    head = b"HTTP/1.1 404 Not Found\r\n" + length + b"\r\n"
    with Scripted(tmp_path, flood(head, b"no such thing " * 1000)) as server, engine_at(server) as engine:
        with pytest.raises(NotFound, match="no such thing") as caught:
            CALLS[call](engine)
        assert len(str(caught.value)) < ERROR_BYTES


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 10_000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
        (b"", INTERIM[100] * 3000),
        (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 10_000),
        (CHUNKED + b"2;", b"y" * 65536),
    ],
    ids=["headers", "header", "100", "trailers", "chunk extension"],
)
def test_a_flood_without_a_body_ends_at_its_limit(
    tmp_path: Path, call: str, head: bytes, piece: bytes
) -> None:
    """fault 8.18."""
    if head.startswith(CHUNKED) and call in ("head", "websocket"):
        pytest.skip("reads no body of an answer of 200")
    with (
        Scripted(tmp_path, flood(head, piece)) as server,
        engine_at(server) as engine,
        pytest.raises((OutcomeUnknown, NoAnswer)),
    ):
        CALLS[call](engine)
