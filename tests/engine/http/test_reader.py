"""The reader of answers over bytes alone: however they are cut, the same comes out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.endpoint import Endpoint
from lib.engine.errors import BadInput
from lib.engine.http.bounds import HEAD_BYTES
from lib.engine.http.reader import Malformed, Reader
from lib.engine.http.request_head import host_of, request_head
from tests.engine.chunkings import bytewise, cut, many, places

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def read(data: bytes, where=(), *, method: str = "GET", upgrade: bool = False) -> tuple[Reader, bytes]:
    """The reader after `data`, and the body."""
    reader = Reader(method, upgrade=upgrade)
    body = b""
    for piece in cut(data, list(where)):
        if piece:
            reader.feed(piece)
            body += b"".join(reader.take())
    return reader, body


def fed(reader: Reader, pieces: list[bytes]) -> None:
    for piece in pieces:
        if piece:
            reader.feed(piece)
            while reader.take():
                pass


@many
@given(st.binary(max_size=100), places)
def test_an_upgrade_stops_behind_its_head_and_the_rest_is_kept(rest, where):
    head = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: a/b\r\nConnection:Upgrade\r\nUpgrade: tcp\r\n\r\n"
    reader = Reader("POST", upgrade=True)
    left = b""
    for piece in cut(head + rest, where):
        if reader.status:
            left += piece
        elif piece:
            reader.feed(piece)
    assert (reader.status, reader.reason) == (101, "UPGRADED")
    assert reader.fields[b"Content-Type"] == b"a/b"
    assert reader.rest + left == rest
    assert not reader.reusable


@many
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), places)
def test_a_chunked_body_is_read_however_it_is_cut(parts, where):
    wire = b"".join(b"%X;note=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"
    reader, body = read(CHUNKED + wire, where)
    assert body == b"".join(parts)
    assert reader.reusable
    assert reader.fields == {b"Transfer-Encoding": b"chunked"}


@many
@given(st.binary(max_size=300), places)
def test_rubbish_is_malformed_or_an_answer(data, where):
    try:
        reader, _ = read(data, where)
        reader.end()
    except Malformed:
        return
    assert 200 <= reader.status < 600


@many
@given(st.sampled_from([100, 102, 103]), st.integers(0, 5), places)
def test_interim_answers_are_passed_over_however_they_are_cut(status, count, where):
    """fault 8.3."""
    interim = b"HTTP/1.1 %d Wait\r\nLink: </x>\r\n\r\n" % status * count
    reader, body = read(interim + OK + b"Content-Length: 2\r\nLink: y\r\n\r\n{}", where)
    assert (reader.status, reader.reason, body) == (200, "OK", b"{}")
    assert reader.fields == {b"Content-Length": b"2", b"Link": b"y"}
    assert reader.reusable


@many
@given(places, st.binary(min_size=1, max_size=60))
def test_what_follows_an_answer_makes_its_connection_useless(where, extra):
    """fault 8.3."""
    for method, answer in (
        ("GET", OK + b"Content-Length: 2\r\n\r\n{}"),
        ("GET", CHUNKED + b"2\r\n{}\r\n0\r\n\r\n"),
        ("POST", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("POST", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        ("HEAD", OK + b"Content-Length: 0\r\n\r\n"),
        ("HEAD", OK + b"\r\n"),
    ):
        assert read(answer, where, method=method)[0].reusable, (method, answer)
        reader, _ = read(answer + extra, where, method=method)
        # Line ends between two answers mean nothing, and are taken away with the answer.
        assert not reader.reusable or not extra.strip(b"\r\n"), (method, answer)


@pytest.mark.parametrize(
    "extra", [OK + b"Content-Length: 0\r\n\r\n", b"0\r\n\r\n", b"\r\n\r\n", b"x\r\n\r\n"]
)
@pytest.mark.parametrize("head", [OK + b"Content-Length: 9\r\n\r\n", CHUNKED, OK + b"\r\n"])
def test_what_follows_a_head_is_noticed(head, extra):
    """fault 8.3: the parser does not say where the answer to HEAD ended."""
    reader, body = read(head + extra, method="HEAD")
    assert (reader.complete, reader.reusable, body) == (True, False, b"")


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 fine\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n",
        b"HTTP/1.1 000 Nothing\r\n\r\n",
        b"HTTP/1.1 099 Nothing\r\n\r\n",
        b"HTTP/1.1 104 Resumption\r\n\r\n",
        b"HTTP/1.1 199 Unknown\r\n\r\n",
        b"HTTP/1.1 600 Unknown\r\n\r\n",
        b"HTTP/1.1 999 Unknown\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\n",
        OK + b"Content-Length: 5x\r\n\r\n",
        OK + b"Content-Length: 0x5\r\n\r\n",
        OK + b"Content-Length: 1_0\r\n\r\n",
        OK + b"Content-Length:\r\n\r\n",
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        OK + b"Content-Length: 2, 2\r\n\r\n{}",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\n\r\n{}",
        OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        OK + b"A: b\r\n c\r\n\r\n",
        OK + b"A b: c\r\n\r\n",
        CHUNKED + b"-5\r\nhello\r\n",
        CHUNKED + b"0x5\r\nhello\r\n",
        CHUNKED + b"0_5\r\nhello\r\n",
        CHUNKED + b"+5\r\nhello\r\n",
        CHUNKED + b" 5\r\nhello\r\n",
        CHUNKED + b"five\r\nhello\r\n",
        CHUNKED + b"\r\nhello\r\n",
        CHUNKED + b"f" * 5000 + b"\r\nhello\r\n",
        CHUNKED + b"5\r\nhello5\r\n",
        OK + b"A: b\r\n" * (HEAD_BYTES // 4),
        OK + b"A: " + b"b" * 2 * HEAD_BYTES,
        OK + b"A" * 2 * HEAD_BYTES,
        b"HTTP/1.1 200 " + b"A" * 2 * HEAD_BYTES,
        b"HTTP/1.1 100 Continue\r\n\r\n" * HEAD_BYTES,
        CHUNKED + b"5;" + b"x" * 2 * HEAD_BYTES,
        CHUNKED + b"5\r\nhello\r\n0\r\n" + b"A: b\r\n" * HEAD_BYTES,
        CHUNKED + b"5\r\nhello\r\n0\r\nA: " + b"b" * 3 * HEAD_BYTES,
    ],
    ids=lambda data: repr(data[-24:]),
)
@pytest.mark.parametrize(
    "pieces", [bytewise, lambda data: cut(data, range(0, len(data), 65536))], ids=["bytes", "64k"]
)
def test_what_is_no_answer_is_refused(data, pieces):
    """fault 8.3, fault 8.4, fault 8.17, fault 8.18: at once, or at the limit of the head; nothing is waited for."""
    reader = Reader("GET")
    with pytest.raises(Malformed):
        fed(reader, pieces(data))
    assert not reader.complete


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ended before an answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "head was cut"),
        (OK + b"A: b", "head was cut"),
        (OK + b"Content-Length: 5\r\n\r\nabc", "answer was cut"),
        (CHUNKED + b"5\r\nabc", "answer was cut"),
        (CHUNKED + b"3\r\nabc\r\n", "answer was cut"),
        (CHUNKED + b"3\r\nabc\r\n0\r\n", "answer was cut"),
    ],
)
def test_an_end_too_early_is_a_cut(data, reason):
    reader = read(data)[0]
    with pytest.raises(Malformed, match=reason):
        reader.end()


@pytest.mark.parametrize(
    ("head", "body", "kept"),
    [
        (OK + b"Content-Length: 2\r\n\r\n", b"{}", True),
        (OK + b"Content-Length: 2\r\nConnection: close\r\n\r\n", b"{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", b"{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n", b"{}", True),
        (OK + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\n", b"{}", True),
        (OK + b"\r\n", b"to the end", False),
        (b"HTTP/1.0 200 OK\r\n\r\n", b"to the end", False),
        (OK + b"Connection: keep-alive\r\n\r\n", b"to the end", False),
    ],
)
def test_how_an_answer_ends_and_whether_its_connection_is_kept(head, body, kept):
    reader, found = read(head + body, range(len(head + body)))
    assert found == body
    if not reader.complete:
        reader.end()
    assert (reader.complete, reader.reusable) == (True, kept)


def test_an_answer_without_content_has_none():
    for status in (204, 304):
        for length, kept in (
            (b"", True),
            (b"Content-Length: 0\r\n", True),
            (b"Content-Length: 5\r\n", False),
        ):
            reader, body = read(b"HTTP/1.1 %d X\r\n%b\r\n" % (status, length))
            assert (reader.complete, reader.reusable, body) == (True, kept, b"")


def test_a_request_is_written_as_it_goes_over_the_wire():
    assert request_head("POST", "/x?a=b", [("Host", "docker"), ("Upgrade", "tcp")]) == (
        b"POST /x?a=b HTTP/1.1\r\nHost: docker\r\nUpgrade: tcp\r\n\r\n"
    )


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0", "a\ud800"])
def test_a_value_cannot_begin_another_header(value):
    """fault 8.30: nor be half a character."""
    with pytest.raises(BadInput, match="X-Registry-Auth"):
        request_head("GET", "/", [("X-Registry-Auth", value)])
    with pytest.raises(BadInput, match="target"):
        request_head("GET", f"/{value}", [])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("unix:///run/docker.sock", "docker"),
        ("http://engine", "engine:80"),
        ("http://engine:8080/prefix", "engine:8080"),
        ("tcp://[::1]:2375", "[::1]:2375"),
        ("http://[fe80::1%25eth0]:2375", "[fe80::1]:2375"),
    ],
)
def test_the_host_header_names_port_and_brackets(url, host):
    """fault 8.28."""
    assert host_of(Endpoint.parse(url)) == host


@pytest.mark.parametrize("second", [b"gzip", b"chunked", b"identity"])
def test_a_second_transfer_encoding_makes_no_whole_answer(second):
    """fault 8.3: what a proxy and we would read differently is no answer."""
    data = CHUNKED[:-2] + b"Transfer-Encoding: " + second + b"\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + OK
    reader = Reader("GET")
    with suppress(Malformed):
        fed(reader, [data])
        reader.end()
    assert not reader.reusable
    assert not reader.complete or second == b"chunked"
