from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.httphead import Head, Malformed, body, parse_head, read_head, request_head
from tests.engine.chunkings import bytewise, cut, many, places


def reader(chunks):
    left = iter(chunks)
    return lambda: next(left, b"")


@many
@given(st.binary(max_size=100), places)
def test_a_head_is_read_however_it_is_cut_and_the_rest_is_kept(rest, where):
    data = b"HTTP/1.1 101 UPGRADED\r\nContent-Type: a/b\r\nConnection:Upgrade\r\n\r\n" + rest
    chunks = [chunk for chunk in cut(data, where) if chunk]
    read = reader(chunks)
    head, after = read_head(read)
    assert (head.status, head.reason) == (101, "UPGRADED")
    assert (head.headers["content-type"], head.headers["CONNECTION"]) == ("a/b", "Upgrade")
    assert after + b"".join(iter(read, b"")) == rest


@many
@given(st.binary(max_size=300), places)
def test_rubbish_is_malformed_or_a_head(data, where):
    try:
        head, _ = read_head(reader([chunk for chunk in cut(data, where) if chunk]))
    except Malformed:
        return
    assert head.status >= 0


def test_a_provisional_answer_is_passed_over():
    head, rest = read_head(reader([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx"]))
    assert (head.status, rest) == (200, b"x")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ended before an answer"),
        (b"HTTP/1.1 200 OK\r\nA: b", "head was cut"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 fine\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000, "does not end"),
    ],
)
def test_what_is_no_head_is_said(data, reason):
    with pytest.raises(Malformed, match=reason):
        read_head(reader([data]))


def head_of(*lines: str, status: int = 200) -> Head:
    return parse_head("\r\n".join((f"HTTP/1.1 {status} X", *lines)).encode())


@many
@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), places)
def test_a_chunked_body_is_read_however_it_is_cut(parts, where):
    wire = b"".join(b"%X;note=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"
    head = head_of("Transfer-Encoding: chunked")
    assert b"".join(body(head, cut(wire, where))) == b"".join(parts)
    assert b"".join(body(head, bytewise(wire))) == b"".join(parts)


def test_a_measured_body_ends_with_its_length():
    assert list(body(head_of("Content-Length: 3"), iter([b"ab", b"cdef"]))) == [b"ab", b"c"]
    assert list(body(head_of("Content-Length: 0"), iter([b"x"]))) == []


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ("Content-Length: 5", b"abc"),
        ("Transfer-Encoding: chunked", b"5\r\nabc"),
        ("Transfer-Encoding: chunked", b"3\r\nabc\r\n"),
        ("Transfer-Encoding: chunked", b"zz\r\n"),
    ],
)
def test_a_body_that_is_cut_is_malformed(header, data):
    with pytest.raises(Malformed):
        list(body(head_of(header), iter([data])))


def test_a_hijacked_body_ends_with_the_connection():
    assert list(body(head_of(), iter([b"a", b"", b"b"]))) == [b"a", b"b"]
    assert list(body(head_of("Content-Length: 1", status=101), iter([b"ab"]))) == [b"ab"]


def test_an_answer_without_content_has_none():
    assert list(body(head_of(status=204), iter([b"x"]))) == []


def test_a_request_is_written_as_it_goes_over_the_wire():
    assert request_head("POST", "/x?a=b", [("Host", "docker"), ("Upgrade", "tcp")]) == (
        b"POST /x?a=b HTTP/1.1\r\nHost: docker\r\nUpgrade: tcp\r\n\r\n"
    )


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0"])
def test_a_value_cannot_begin_another_header(value):
    with pytest.raises(BadInput, match="line breaks"):
        request_head("GET", "/", [("X-Registry-Auth", value)])
    with pytest.raises(BadInput, match="line breaks"):
        request_head("GET", f"/{value}", [])
