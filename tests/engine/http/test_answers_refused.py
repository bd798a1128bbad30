"""Statuses, heads and chunks that are no answer: the same for each verb of the client."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from actions.containers import container_start
from lib.engine.errors import (
    NoAnswer,
    NotFound,
    NotSupported,
    OutcomeUnknown,
    Redirected,
    StreamCut,
)
from tests.engine.calls import (
    CALLS,
    CHUNKED,
    WRITES,
    engine_at,
)
from tests.engine.scripted import Scripted, say, say_and_close


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 399])
def test_a_redirection_is_an_error_that_names_its_target(tmp_path: Path, call: str, status: int) -> None:
    """fault 8.4: never followed, never a success."""
    said = (
        f"HTTP/1.1 {status} Elsewhere\r\nLocation: https://user:canary@new.example/v1.41/x?canary=1\r\n"
        "Content-Length: 0\r\n\r\n"
    ).encode()
    with Scripted(tmp_path, say(said)) as server, engine_at(server) as engine:
        with pytest.raises(
            Redirected, match=r"https://new\.example/v1\.41/x .*Change the server's address"
        ) as caught:
            CALLS[call](engine)
        assert caught.value.status == status
        assert "canary" not in str(caught.value)
        assert len(server.requests) == 1


def test_a_redirection_of_the_first_call_names_its_target(tmp_path: Path) -> None:
    """fault 8.4."""
    moved = b"HTTP/1.1 301 Moved\r\nLocation: https://new.example/_ping\r\nContent-Length: 0\r\n\r\n"
    with Scripted(tmp_path, ping=moved) as server, engine_at(server) as engine:
        with pytest.raises(Redirected, match=r"new\.example"):
            engine.get("/info")
        assert not server.requests


def test_the_304_that_the_api_has_is_an_answer(tmp_path: Path) -> None:
    """fault 8.4: of start and stop, of nothing else."""
    unchanged = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    with Scripted(tmp_path, say(unchanged), say(unchanged)) as server, engine_at(server) as engine:
        assert container_start(engine, {"id": "c"}) == {"changed": False}
        with pytest.raises(Redirected):
            engine.post("/containers/c/kill")


@pytest.mark.parametrize(
    "status", ["000", "020", "099", "101", "104", "199", "600", "999", "2" * 5000, "-200"]
)
def test_a_status_that_is_no_answer_is_none(tmp_path: Path, call: str, status: str) -> None:
    """fault 8.4: 101 is an answer where it was asked for, and with what it switches to."""
    said = f"HTTP/1.1 {status} Whatever\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    with Scripted(tmp_path, say_and_close(said)) as server, engine_at(server) as engine:
        with pytest.raises(OutcomeUnknown if call in WRITES else NoAnswer):
            CALLS[call](engine)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
    ids=["negative", "no number", "twice", "both", "5,000 digits", "gzip", "ssh"],
)
def test_a_head_that_says_nonsense_is_no_answer(tmp_path: Path, call: str, said: bytes) -> None:
    """fault 8.30: and only an EngineError."""
    with (
        Scripted(tmp_path, say(said)) as server,
        engine_at(server) as engine,
        pytest.raises(OutcomeUnknown if call in WRITES else NoAnswer),
    ):
        CALLS[call](engine)


def test_a_compressed_answer_is_refused(tmp_path: Path, call: str) -> None:
    """fault 8.8: nobody asks for one; log lines and texts came out as rubbish, with success."""
    if call in ("head", "websocket"):
        pytest.skip("reads no body of an answer of 200")
    body = gzip.compress(b'{"a":1}\n')
    said = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with (
        Scripted(tmp_path, say(said)) as server,
        engine_at(server) as engine,
        pytest.raises(OutcomeUnknown if call in WRITES else NotSupported, match=r"compressed.*proxy"),
    ):
        CALLS[call](engine)


def test_a_compressed_error_keeps_its_meaning(tmp_path: Path, call: str) -> None:
    """fault 8.8: without its text, which nobody could read."""
    body = b"" if call == "head" else gzip.compress(b"no such container")
    said = (
        b"HTTP/1.1 404 Not Found\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )
    with (
        Scripted(tmp_path, say(said)) as server,
        engine_at(server) as engine,
        pytest.raises(NotFound, match=r"^Not Found \[404"),
    ):
        CALLS[call](engine)


def test_what_speaks_another_protocol_is_told_so(tmp_path: Path) -> None:
    """fault 8.3: the address of another service; the error said that the engine may be restarting."""
    with (
        Scripted(tmp_path, say(b"SSH-2.0-OpenSSH_9.2\r\n")) as server,
        engine_at(server) as engine,
        pytest.raises(NoAnswer, match=r"no HTTP .*address and port"),
    ):
        engine.get("/info")


@pytest.mark.parametrize("encoding", ["chunked ", "  Chunked  "])
def test_blanks_behind_a_header_mean_nothing(tmp_path: Path, encoding: str) -> None:
    """fault 8.3: RFC 9110, 5.5."""
    said = f'HTTP/1.1 200 OK\r\nTransfer-Encoding: {encoding}\r\n\r\n7\r\n{{"a":1}}\r\n0\r\n\r\n'
    with Scripted(tmp_path, say(said.encode())) as server, engine_at(server) as engine:
        assert engine.get("/info").json() == {"a": 1}


@pytest.mark.parametrize("size", ["-5", "0x5", "0_5", "+5", "5" * 5000, "five", ""])
def test_a_chunk_size_that_is_no_number_is_a_cut(tmp_path: Path, call: str, size: str) -> None:
    """fault 8.17: it hung, or took the rest for the body. What follows it is never waited for."""
    if call in ("head", "websocket"):
        pytest.skip("reads no body of an answer of 200")
    said = CHUNKED + size.encode() + b"\r\nhello\r\n"
    with Scripted(tmp_path, say(said)) as server, engine_at(server) as engine:
        cut = {
            "put": OutcomeUnknown,
            "lines": StreamCut,
            "logs": StreamCut,
            "tar": StreamCut,
            "upgrade": StreamCut,
        }
        with pytest.raises(cut.get(call, OutcomeUnknown if call in WRITES else NoAnswer)):
            CALLS[call](engine)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 99\r\n\r\nno such thing",
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nno such thing\r\n",
        b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\nd\r\nno such thing\r\n-5\r\n",
    ],
    ids=["length", "chunked", "no chunk size"],
)
def test_the_text_of_an_error_may_be_cut(tmp_path: Path, call: str, said: bytes) -> None:
    """fault 8.30: on streams it was no EngineError."""
    with (
        Scripted(tmp_path, say_and_close(said)) as server,
        engine_at(server) as engine,
        pytest.raises(NotFound, match="Not Found" if call == "head" else "no such thing"),
    ):
        CALLS[call](engine)
