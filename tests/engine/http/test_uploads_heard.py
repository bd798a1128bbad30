"""An upload and what is heard meanwhile: refusals, interim answers, sources that raise what sockets raise."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.engine.errors import (
    EngineFault,
    OutcomeUnknown,
)
from lib.engine.request.upload import Upload, UploadBroken
from tests.engine.calls import (
    INTERIM,
    OBJECT,
    engine_at,
)
from tests.engine.scripted import Scripted, answer, say
from tests.lab.waiting import DEADLINE


def test_an_interim_refusal_of_an_upload_is_none(tmp_path: Path) -> None:
    """fault 8.3: an answer is looked for while an upload goes on; 102 is none."""
    began = threading.Event()

    class Processing(Scripted):
        @staticmethod
        def _request(peer: socket.socket) -> bytes:
            head = peer.recv(4, socket.MSG_PEEK)
            if head == b"PUT ":
                peer.sendall(INTERIM[102] * 3)
                began.set()
            return Scripted._request(peer)

    def pieces() -> Iterator[bytes]:
        yield b"x" * 65536
        assert began.wait(DEADLINE)
        yield from [b"x" * 65536] * 20

    with Processing(tmp_path, say(OBJECT)) as server, engine_at(server) as engine:
        assert engine.put("/x", body=Upload(pieces())).json() == {"a": 1}
        assert len(server.requests[0]) > 21 * 65536


def test_a_refusal_is_heard_though_the_engine_does_not_close(tmp_path: Path) -> None:
    """An engine that has refused an upload need not read the rest, nor close."""
    gone = threading.Event()

    class Full(Scripted):
        @staticmethod
        def _request(peer: socket.socket) -> bytes:
            if not peer.recv(4, socket.MSG_PEEK).startswith(b"PUT"):
                return Scripted._request(peer)
            peer.sendall(answer(b'{"message":"no space"}', "507 Insufficient Storage"))
            gone.wait(DEADLINE)
            return b""

    with Full(tmp_path) as server, engine_at(server) as engine:
        with pytest.raises(EngineFault, match="no space"):
            engine.put("/x", body=Upload(b"x" * 65536 for _ in range(10_000)))
        gone.set()


def test_a_source_that_raises_what_a_socket_raises_is_no_refusal(tmp_path: Path) -> None:
    """fault 8.15: it was taken for a refusal of the engine, whose answer was waited for."""

    def pieces() -> Iterator[bytes]:
        raise ConnectionRefusedError(111, "the source's host refuses")
        yield b""

    with Scripted(tmp_path) as server, engine_at(server) as engine:
        with pytest.raises(UploadBroken, match="the source's host"):
            engine.put("/x", body=Upload(pieces))
        assert not server.requests


def test_a_source_that_breaks_like_a_socket_in_the_middle_is_told(tmp_path: Path) -> None:
    """fault 8.15."""

    def pieces() -> Iterator[bytes]:
        yield b"x" * 65536
        raise ConnectionResetError(104, "the source was cut")

    with (
        Scripted(tmp_path, say(OBJECT)) as server,
        engine_at(server) as engine,
        pytest.raises(OutcomeUnknown, match=r"the source was cut.*got a part"),
    ):
        engine.put("/x", body=Upload(pieces))
