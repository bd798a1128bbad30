"""One reader and one writer of JSON for both sides (fault 8.34, fault 8.30)."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine import Reply
from lib.engine.errors import EngineFault
from lib.jsontext import LARGE, check, decode, each, encode


def test_big_integers_of_an_engine_stay_integers_fault_8_34() -> None:
    reply = Reply(200, {}, b'{"limit": 18446744073709551616, "low": -9223372036854775809}')

    assert reply.json() == {"limit": 2**64, "low": -(2**63) - 1}
    assert type(reply.json()["limit"]) is int


def test_a_lone_surrogate_can_be_sent_to_an_engine_fault_8_30() -> None:
    assert encode({"name": "\ud800", "big": 2**70}) == b'{"name":"\\ud800","big":1180591620717411303424}'


def test_what_is_nested_too_deeply_is_not_written_fault_8_30() -> None:
    value: Any = 1
    for _ in range(5_000):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        encode(value)


@pytest.mark.parametrize(
    "text", [b"[" * 100_000, b'{"a":' * 2_000 + b"1" + b"}" * 2_000, b'{"a":' + b"1" * 5_000 + b"}"]
)
def test_what_python_cannot_hold_is_no_json_fault_8_30(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"nested too deeply|4300 digits"):
        decode(text)
    with pytest.raises(EngineFault, match="cannot be read"):
        Reply(200, {}, text).json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=5), st.sampled_from(["", " ", "\r\n\t"]))
def test_a_large_text_is_read_like_a_small_one_fault_8_18(items: list[Any], blank: str) -> None:
    text = (blank + "[" + f"{blank},{blank}".join(json.dumps(item) for item in items) + blank + "]").encode()
    large = text + b" " * LARGE
    check(large)
    assert list(each(large)) == list(each(text)) == items


@pytest.mark.parametrize(
    "text",
    [
        b"[{}]]",
        b"[1}",
        b"[NaN]",
        b"[-Infinity]",
        b'["\xff"]',
        b'["\n"]',
        b"[" + b"1" * 5_000 + b"]",
        b"\xef\xbb\xbf[]",
    ],
)
def test_a_large_text_that_is_no_json_is_none_fault_8_18(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check(text + b" " * LARGE)


def test_an_answer_whose_values_would_fill_the_memory_is_not_taken_apart_fault_8_18() -> None:
    text = b"[" + b"{}," * 500_000 + b"{}]"
    with pytest.raises(EngineFault, match="would need 1495"):
        Reply(200, {}, text).json()
    assert len(Reply(200, {}, b"[" + b"12345678," * 200_000 + b"0]").json()) == 200_001


def test_nesting_is_bounded_whatever_the_process_allows_fault_8_30() -> None:
    """A library of the local runner raises the limit of recursion for the whole process."""
    text = b'{"a":' * 2_000 + b"1" + b"}" * 2_000
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)
    try:
        for read in (decode, check):
            with pytest.raises(ValueError, match="nested too deeply"):
                read(text)
    finally:
        sys.setrecursionlimit(before)
