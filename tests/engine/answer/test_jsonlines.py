from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.answer.jsonlines import records
from lib.engine.errors import EngineError, NoAnswer, StreamCut, StreamFailed
from tests.engine.chunkings import bytewise, cut, many, places

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=8)


@many
@given(objects, places, st.sampled_from(["\n", "\r\n", "\n\r\n", "\r\n\r\n\n"]), st.booleans(), st.booleans())
def test_any_cutting_gives_the_same_records(items, where, end, last_end, ascii_only):
    data = end.join(json.dumps(item, ensure_ascii=ascii_only) for item in items).encode("utf-8")
    data += end.encode() if last_end and items else b""
    assert list(records(cut(data, where))) == items
    assert list(records(bytewise(data))) == items


@many
@given(objects, places)
def test_json_seq_gives_the_same_records(items, where):
    data = b"".join(b"\x1e" + json.dumps(item).encode() + b"\n" for item in items)
    assert list(records(cut(data, where))) == items


@many
@given(st.binary(max_size=300), places)
def test_rubbish_ends_in_an_error_of_ours_or_in_objects(data, where):
    try:
        found = list(records(cut(data, where)))
    except EngineError:
        return
    assert all(isinstance(item, dict) for item in found)


def test_an_empty_stream_has_no_records():
    assert list(records([])) == []
    assert list(records([b"", b"\r\n", b"\n\n", b"\x1e"])) == []


def test_a_record_that_is_cut_says_how_many_came_before():
    stream = records([b'{"a":1}\n{"b":2}\r\n{"c"', b":"])
    assert [next(stream), next(stream)] == [{"a": 1}, {"b": 2}]
    with pytest.raises(StreamCut, match=r"inside record 3; 2 came whole") as caught:
        next(stream)
    assert caught.value.records == 2


def test_a_line_that_is_no_json_is_a_failure_that_shows_its_beginning():
    with pytest.raises(StreamFailed, match=r"Record 2 .* '<html>"):
        list(records([b'{"a":1}\n<html><body>Bad Gateway</body></html>\n']))


@pytest.mark.parametrize("line", [b"[1]\n", b"null\n", b"12\n", b'"text"\n'])
def test_json_that_is_no_object_is_a_failure(line):
    with pytest.raises(StreamFailed, match="Record 1 of the stream is no JSON object"):
        list(records([line]))


def test_bytes_that_are_no_utf8_inside_a_text_are_replaced():
    assert list(records([b'{"stream":"a\xffb"}\n'])) == [{"stream": "a\ufffdb"}]


def test_a_failure_reported_without_line_end_comes_before_the_cut_of_the_connection():
    def source() -> Iterator[bytes]:
        yield b'{"status":"x"}\n{"error":"disk full"}'
        raise NoAnswer("lost")

    stream = records(source())
    assert [next(stream), next(stream)] == [{"status": "x"}, {"error": "disk full"}]
    with pytest.raises(NoAnswer, match="lost"):
        next(stream)


def test_half_a_record_before_the_cut_of_the_connection_is_dropped():
    def source() -> Iterator[bytes]:
        yield b'{"status":"x"}\n{"err'
        raise NoAnswer("lost")

    stream = records(source())
    assert next(stream) == {"status": "x"}
    with pytest.raises(NoAnswer, match="lost"):
        next(stream)


def test_a_long_line_in_many_pieces_is_joined_once():
    data = json.dumps({"x": "y" * 2_000_000}).encode() + b"\n"
    assert len(next(records(cut(data, list(range(0, len(data), 500)))))["x"]) == 2_000_000
