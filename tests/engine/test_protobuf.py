from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.protobuf import MalformedError, fields, message, signed, text
from tests.engine.chunkings import many

parts = st.lists(
    st.tuples(st.integers(1, 1 << 20), st.integers(0, (1 << 64) - 1) | st.binary(max_size=300)), max_size=10
)


@many
@given(parts)
def test_what_is_written_is_read(items):
    assert list(fields(message(*items))) == items


@many
@given(st.binary(max_size=300))
def test_rubbish_ends_in_our_error_or_in_fields(data):
    try:
        found = list(fields(data))
    except MalformedError:
        return
    assert all(isinstance(value, int | bytes) for _, value in found)


@many
@given(parts, st.integers(1, 5))
def test_a_cut_message_gives_what_was_whole(items, missing):
    data = message(*items, (1, b"1234567"))[:-missing]
    found = []
    with pytest.raises(MalformedError):
        found.extend(one for one in each(data, found))
    assert found == items


def each(data, found):
    for one in fields(data):
        found.append(one)
    return ()


def test_negative_numbers_have_ten_bytes():
    data = message((1, -5))
    assert len(data) == 11
    assert [signed(value) for _, value in fields(data)] == [-5]


@pytest.mark.parametrize(
    ("data", "value"),
    [(b"\x0d\x01\x00\x00\x00", 1), (b"\x09\x02\x00\x00\x00\x00\x00\x00\x00", 2)],
    ids=["32 bits", "64 bits"],
)
def test_fixed_numbers_are_read(data, value):
    assert list(fields(data)) == [(1, value)]


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b",
        b"\x0c",
        b"\x0a\x05ab",
        b"\x0d\x01",
        b"\x08",
        b"\x08" + b"\x80" * 11,
        b"\x0a" + b"\xff" * 9 + b"\x01",
    ],
    ids=["group", "end of group", "text", "fixed", "number", "endless number", "huge size"],
)
def test_what_is_no_message_is_an_error(data):
    with pytest.raises(MalformedError):
        list(fields(data))


def test_texts_are_replaced_where_they_are_no_utf8():
    assert text(b"a\xff") == "a\N{REPLACEMENT CHARACTER}"
    assert text(7) == ""
    assert signed(b"7") == 0
