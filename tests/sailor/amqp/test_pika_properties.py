from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pika import BasicProperties

from lib.sailor.amqp.header_table import field, read_table, table
from lib.sailor.amqp.pika_properties import Properties

HEADERS: dict[str, Any] = {
    "text": "größe €",
    "long": "x" * 300,
    "yes": True,
    "no": False,
    "small": -3,
    "big": 2**40,
    "nothing": None,
    "bytes": b"\x00\xff",
    "table": {"a": {"b": [1, "c", None]}},
    "list": [],
    "time": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "money": Decimal("-1.25"),
}
EVERYTHING = {
    "content_type": "application/json",
    "content_encoding": "utf8",
    "headers": HEADERS,
    "delivery_mode": 2,
    "priority": 3,
    "correlation_id": "c",
    "reply_to": "r",
    "expiration": "15000",
    "message_id": "m",
    "timestamp": 1_800_000_000,
    "type": "t",
    "user_id": "u",
    "app_id": "a",
    "cluster_id": "k",
}


@pytest.mark.parametrize("name", [*EVERYTHING, None])
def test_the_client_library_writes_the_same(name: str | None) -> None:
    given: dict[str, Any] = EVERYTHING if name is None else {name: EVERYTHING[name]}

    assert b"".join(Properties(**given).encode()) == b"".join(BasicProperties(**given).encode())


@pytest.mark.parametrize("name", [*EVERYTHING, None])
def test_what_the_client_library_writes_is_read(name: str | None) -> None:
    given: dict[str, Any] = EVERYTHING if name is None else {name: EVERYTHING[name]}

    read = Properties().decode(b"".join(BasicProperties(**given).encode()))

    assert vars(read) == vars(BasicProperties(**given))


@pytest.mark.parametrize("value", [1.5, -0.0, 1e300, 2**40, -(2**63), 2**31, -(2**31), -(2**31) - 1])
def test_numbers_are_read_as_they_were_written(value: float) -> None:
    data = table({"number": value})

    assert read_table(data, 0) == ({"number": value}, len(data))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        (b"b\xff", -1),
        (b"B\xff", 255),
        (b"s\xff\xfe", -2),
        (b"U\xff\xfe", -2),
        (b"u\xff\xfe", 65534),
        (b"i\xff\xff\xff\xff", 2**32 - 1),
        (b"L\xff\xff\xff\xff\xff\xff\xff\xff", -1),
        (b"f\x3f\xc0\x00\x00", 1.5),
        (b"S\x00\x00\x00\x01\xff", b"\xff"),
        (b"T\xff\xff\xff\xff\xff\xff\xff\xff", 2**64 - 1),
    ],
)
def test_what_other_clients_write_is_read(encoded: bytes, value: Any) -> None:
    data = b"\x01a" + encoded + b"\x01bt\x01"

    assert read_table(len(data).to_bytes(4, "big") + data, 0) == ({"a": value, "b": True}, len(data) + 4)


@pytest.mark.parametrize("odd", [b"?", b"?1234", b"S\x00", b"I\x00"])
def test_a_value_of_unknown_form_ends_its_table_and_nothing_else(odd: bytes) -> None:
    data = b"\x01at\x01" + b"\x01b" + odd
    whole = len(data).to_bytes(4, "big") + data

    values, end = read_table(whole + b"\x02", 0)

    assert values["a"] is True
    assert end == len(whole)


@given(st.binary(max_size=60))
def test_no_header_table_stops_anything(data: bytes) -> None:
    values, end = read_table(len(data).to_bytes(4, "big") + data, 0)

    assert isinstance(values, dict)
    assert end == len(data) + 4


def test_a_table_of_endless_depth_stops_nothing_either() -> None:
    data = b"\x01at\x01\x01b" + b"A\x7f\xff\xff\xff" * 5000

    assert read_table(len(data).to_bytes(4, "big") + data, 0)[0] == {"a": True}


@pytest.mark.parametrize("value", [2**63, object(), {1, 2}, float("inf"), float("nan")])
def test_values_without_a_form_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="AMQP has no"):
        field(value)


@pytest.mark.parametrize("value", [2**63, float("nan"), object()])
def test_an_error_is_sent_without_the_headers_that_have_no_form(value: Any) -> None:
    """fault 8.5: times beyond all years come in as such numbers; the error about them was never sent."""
    error = Properties(headers={"a": 1, "x-eio-meta-b": value, "n" * 256: "too long a name", "c": "d"})
    error.sheds = True

    assert Properties().decode(b"".join(error.encode())).headers == {"a": 1, "c": "d"}
    assert error.left_out == ("x-eio-meta-b", "n" * 256)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "retry", "x-eio-meta-a", "x-eio-meta-b"]), st.text()),
    st.integers(1, 500),
)
def test_an_error_fits_into_its_frame_and_keeps_what_it_can(headers: dict[str, str], longest: int) -> None:
    """fault 8.5."""
    error = Properties("json", headers=dict(headers))
    error.sheds, error.longest = True, max(longest, 11)

    size = sum(map(len, error.encode()))

    assert size <= error.longest
    assert error.headers.items() <= headers.items()
    if any(not name.startswith("x-eio-meta-") for name in error.left_out):
        assert not any(name.startswith("x-eio-meta-") for name in error.headers)
    if error.left_out:
        assert (
            size + max(len(field(headers[name])) + 1 + len(name) for name in error.left_out) > error.longest
        )
