from __future__ import annotations

import json
from collections import OrderedDict
from dataclasses import FrozenInstanceError, replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.jsontext import decode, encode
from lib.sailor import Message, RawJson

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_a_message_is_a_value() -> None:
    message = Message({"a": 1})

    with pytest.raises(FrozenInstanceError):
        message.body = {}  # type: ignore[misc]
    assert replace(message, body={"a": 2}).body == {"a": 2}
    assert message == Message({"a": 1})


def test_missing_and_null_parts_get_their_empty_value() -> None:
    empty = Message({}, {}, {}, {}, None, {})

    assert Message.from_payload({}) == empty
    nulls = {"id": None, "headers": None, "attachments": None, "passthrough": None}
    assert Message.from_payload(nulls) == empty
    assert Message.from_payload({"body": None}).body is None


def test_a_payload_has_headers_always_and_empty_parts_never() -> None:
    assert Message().payload() == {"body": {}, "headers": {}}
    assert Message(None, extra={"gone": None}).payload() == {"headers": {}}


def test_unknown_keys_and_falsy_bodies_are_kept() -> None:
    payload = {"body": 0, "headers": {}, "metadata": {"a": 1}, "query": {}, "id": "1"}

    assert Message.from_payload(payload).payload() == payload


def test_raw_json_is_spliced_in_unparsed() -> None:
    message = Message(RawJson(b'{"a" :  [1,2]}'), passthrough={"step_1": {"body": RawJson(b"[3 ]")}})

    assert encode(message.payload()) == (
        b'{"body":{"a" :  [1,2]},"headers":{},"passthrough":{"step_1":{"body":[3 ]}}}'
    )


def test_raw_json_can_be_read_and_shows_nothing() -> None:
    raw = RawJson(b'{"password":"secret"}')

    assert raw.parse() == {"password": "secret"}
    assert repr(raw) == "RawJson(<21 bytes>)"
    assert raw == RawJson(b'{"password":"secret"}')
    assert raw != b'{"password":"secret"}'
    assert len({raw, RawJson(b'{"password":"secret"}')}) == 1


@given(JSON)
def test_json_survives_both_ways(value: Any) -> None:
    assert decode(encode(value)) == value
    assert json.loads(encode(value)) == value


@pytest.mark.parametrize(
    "number", [2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**40, 12345678901234567890]
)
def test_integers_of_any_size_survive(number: int) -> None:
    assert decode(str(number).encode()) == number
    assert type(decode(str(number).encode())) is int
    assert encode({"n": number, "raw": RawJson(b"1")}) == b'{"n":' + str(
        number
    ).encode() + b',"raw":1}'.replace(b":1", b":1")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": float("nan"), "b": [float("-inf")]}, b'{"a":null,"b":[null]}'),
        ({"a": float("nan"), "b": 2**70}, b'{"a":null,"b":1180591620717411303424}'),
        ("\ud800", b'"\\ud800"'),
        ({1: "a"}, b'{"1":"a"}'),
        (OrderedDict(a=1), b'{"a":1}'),
        (MappingProxyType({"a": (1, 2)}), b'{"a":[1,2]}'),
        ("größe €", '"größe €"'.encode()),
    ],
)
def test_what_other_languages_cannot_read_is_not_written(value: Any, text: bytes) -> None:
    assert encode(value) == text


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes"])
def test_values_without_a_json_form_are_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode({"value": value})


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"{'a':1}"])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(text)


def test_what_javascript_writes_is_read() -> None:
    assert decode(b'"\\ud800"') == "\ud800"
    assert decode(b"1e400") == float("inf")
