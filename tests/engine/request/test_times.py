"""Fault 8.12: times go in as they came out, to the nanosecond."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.query import build, filters, seconds
from lib.engine.request.times import SECOND, moment

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def since(value: Any) -> str:
    ((_, text),) = parse_qsl(build([seconds("since")], {"since": value}).removeprefix("?"))
    return text


def tried(value: Any) -> int | BadInput:
    try:
        return moment(value, "since")
    except BadInput as fault:
        return fault


def until(value: Any) -> str:
    ((_, text),) = parse_qsl(build([filters(deletes=True)], {"filters": {"until": value}}).removeprefix("?"))
    return str(json.loads(text)["until"][0])


EXACT = [
    ("2023-11-14T22:13:20.123456789Z", "1700000000.123456789"),
    ("2023-11-14T22:13:20.1234567Z", "1700000000.123456700"),
    ("2023-11-14T22:13:20.000000001Z", "1700000000.000000001"),
    ("2023-11-15T00:13:20.123456789+02:00", "1700000000.123456789"),
    ("2023-11-14T20:13:20.5-0200", "1700000000.500000000"),
    ("2023-11-14T22:13:20Z", "1700000000"),
    ("2023-11-14 22:13:20", "1700000000"),
    ("2023-11-14t22:13z", "1699999980"),
    ("2023-11-14", "1699920000"),
    (" 1700000000.123456789 ", "1700000000.123456789"),
    ("1700000000.1", "1700000000.100000000"),
    (1700000000, "1700000000"),
    (1700000000.25, "1700000000.250000000"),
    (1700000000.1234567, "1700000000.123456700"),
    (1700000000123456789, "1700000000.123456789"),
    ("1700000000123456789", "1700000000.123456789"),
    (0, "0"),
    ("0", "0"),
    ("9999-12-31T23:59:59Z", "253402300799"),
]


@pytest.mark.parametrize(("value", "sent"), EXACT)
def test_a_time_is_sent_exactly_wherever_one_is_taken(value: Any, sent: str) -> None:
    """Fault 8.12: the last three digits were lost."""
    assert since(value) == sent
    assert until(value) == sent


@given(st.integers(0, 253402300799 * SECOND), st.integers(-1439, 1439))
def test_every_nanosecond_survives_in_every_form(nanos: int, minutes: int) -> None:
    """Fault 8.12, for all moments and zones."""
    whole, part = divmod(nanos, SECOND)
    assert moment(f"{whole}.{part:09d}", "since") == nanos if whole < 10**11 else True
    try:
        local = EPOCH + timedelta(seconds=whole, minutes=minutes)
    except OverflowError:
        return
    if local < EPOCH:
        return
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
    assert moment(f"{local:%Y-%m-%dT%H:%M:%S}.{part:09d}{zone}", "since") == nanos


@pytest.mark.parametrize(
    ("text", "span"),
    [("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("90s", 90), ("24h", 86400), ("1500ms", 1.5), ("0s", 0)],
)
def test_a_span_counts_back_from_now(text: str, span: float) -> None:
    """Fault 8.12: spans as Docker's own tools take them; a filter leaves them to the engine's clock."""
    before = time.time_ns()
    found = moment(text, "since")
    assert before <= found + round(span * SECOND) <= time.time_ns()
    assert until(text) == text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1700000000000, "milliseconds"),
        ("1700000000000", "milliseconds"),
        (1.7e12, "milliseconds"),
        ("1700000000000.5", "milliseconds"),
        (1700000000000000, "microseconds"),
        (1.7e18, "as text"),
        ("0001-01-01T00:00:00Z", "never"),
        ("1969-12-31T23:59:59Z", "before 1970"),
        (-5, "before 1970"),
        ("-5", "before 1970"),
        (-0.5, "before 1970"),
        ("-10m", "sign"),
        ("7d", "168h"),
        ("yesterday", "no time"),
        ("1700000000.1234567891", "no time"),
        ("2023-02-30", "day"),
        ("2023-11-14T22:13:20+99:00", "no time"),
        ("2023-11-14T22:61:20Z", "no time"),
        ("9999999h", "292 years"),
        ("9999-12-31T23:59:59-12:00", "9999"),
        (float("inf"), "no time"),
        (float("nan"), "no time"),
        (10**5000, "no time"),
        ("9" * 5000, "no time"),
        ("9" * 19, "no time"),
        ("1h" * 5000, "no time"),
        ("\u0661\u0667", "no time"),
        ("\ud800", "no time"),
        (True, "time"),
        (["a", "b"], "time"),
        ({"a": True}, "no time"),
    ],
    ids=lambda _: "case",
)
def test_what_is_no_time_is_refused_by_name(value: Any, told: str) -> None:
    """Faults 8.12 and 8.30: also another unit, of which a prune would take everything."""
    for write, field in ((since, "since"), (until, "filters.until")):
        with pytest.raises(BadInput, match=told if not isinstance(value, list | dict) else "time") as caught:
            write(value)
        assert str(caught.value.field) == field
        str(caught.value).encode()


@given(
    st.one_of(st.text(st.characters()), st.floats(), st.integers(), st.from_regex(r"[0-9T:.+hmsZ -]{1,30}"))
)
def test_anything_is_a_time_or_refused(value: Any) -> None:
    """Fault 8.30."""
    found = tried(value)
    if isinstance(found, BadInput):
        assert found.field == "since"
        assert str(found).encode()
    else:
        assert found >= 0
