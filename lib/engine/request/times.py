"""Reads times as people, engines and our own outputs write them, exact to the nanosecond.

The forms are RFC 3339 ("2026-01-31T12:00:00.123456789+02:00"; UTC without a zone; a date alone is its midnight), Unix
seconds with up to nine decimals, Unix nanoseconds (`timeNano` of events: recognised by their size), and spans as Go
writes them ("1h30m": that long ago). All arithmetic is on whole numbers: a double cannot hold nanoseconds of today.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.text import shown

SECOND = 1_000_000_000
# From 10^11 up, a number of seconds would be after the year 5138: it has another unit.
_MILLISECONDS, _MICROSECONDS, _NANOSECONDS = 10**11, 10**14, 10**17
_LATEST = (1 << 63) - 1  # the largest time in the engine's 64-bit nanoseconds, in the year 2262
_NUMBER = re.compile(r"([0-9]{1,19})(?:\.([0-9]{1,9}))?")
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?"
    r" ?(?:([Zz])|([+-])([0-9]{2}):?([0-9]{2}))?"
)
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_PART = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?(ns|us|µs|μs|ms|s|m|h)")
_SPAN = re.compile(rf"(?:{_PART.pattern})+")
_LAST_SECOND = 253_402_300_799  # of the year 9999
_ENDS, _SIGNS = frozenset("smh"), frozenset("+-")
_LONGEST = 64  # characters of a time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HINT = "Give a time (2026-01-31T12:00:00.5Z), Unix seconds (1700000000.5) or a span back from now (1h30m)"


def moment(value: Any, field: str) -> int:
    """Return a time as Unix nanoseconds; a span counts back from this machine's clock. Raises BadInput."""
    span = _span(value, field)
    return instant(value, field) if span is None else max(time.time_ns() - span, 0)


def seconds_of(value: Any, field: str) -> str:
    """Return a time for the engine's `since` and `until`: "seconds" or "seconds.nanoseconds". Raises BadInput."""
    return _written(moment(value, field))


def moment_or_span(value: Any, field: str) -> str:
    """Return the same for a filter; a span stays a span, since the engine's clock decides there. Raises BadInput."""
    return _written(instant(value, field)) if _span(value, field) is None else str(value).strip()


def _written(nanos: int) -> str:
    whole, part = divmod(nanos, SECOND)
    return f"{whole}.{part:09d}" if part else str(whole)


def _span(value: Any, field: str) -> int | None:
    text = value.strip() if isinstance(value, str) else ""
    if text[:1] in _SIGNS and _SPAN.fullmatch(text[1 : _LONGEST + 1]):
        raise BadInput(
            f"{field}: {shown(text)} has a sign; a span counts back from now without one", field=field
        )
    if text[-1:] not in _ENDS or len(text) > _LONGEST or not _SPAN.fullmatch(text):
        return None
    total = 0
    for whole, decimals, unit in _PART.findall(text):
        total += int(whole + decimals) * _UNITS[unit] // 10 ** len(decimals)
    if total > _LATEST:
        raise BadInput(f"{field}: {shown(text)} is longer than 292 years", field=field)
    return total


def instant(value: Any, field: str) -> int:
    """Return a time that is not a span as Unix nanoseconds. Raises BadInput."""
    text = _text(value, field)
    if match := _NUMBER.fullmatch(text):
        return _from_number(int(match[1]), match[2] or "", field, text)
    if match := _ISO.fullmatch(text):
        return _from_iso(match, field, text)
    if text.startswith("-") and _NUMBER.fullmatch(text[1:]):
        raise BadInput(f"{field}: {text} is before 1970", field=field, hint=_HINT)
    hint = "Days have to be given in hours: 7 days are 168h" if re.fullmatch(r"[0-9]+[dw]", text) else _HINT
    raise BadInput(f"{field}: {shown(text)} is no time", field=field, hint=hint)


def _text(value: Any, field: str) -> str:
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{field} must be a time, not {type(value).__name__}", field=field, hint=_HINT)
    elif isinstance(value, int):
        text = str(value) if abs(value) <= _LATEST else "a number of more than 63 bits"
    else:
        text = _decimal(value, field)
    if len(text) > _LONGEST:
        raise BadInput(f"{field}: {shown(text)} is no time", field=field, hint=_HINT)
    return text


def _decimal(value: float, field: str) -> str:
    """Return a double with the digits that it was read from: its shortest form, not its binary expansion."""
    if not abs(value) < _NANOSECONDS:  # also NaN
        raise BadInput(
            f"{field}: {value!r} is no time",
            field=field,
            hint="Give nanoseconds as text; a number loses digits",
        )
    from decimal import Decimal  # imported late: few times are numbers with decimals

    return f"{Decimal(repr(value)).quantize(Decimal(1).scaleb(-9)):f}"


def _from_number(whole: int, decimals: str, field: str, text: str) -> int:
    if _NANOSECONDS <= whole <= _LATEST and not decimals.strip("0"):
        return whole
    if whole >= _MILLISECONDS:
        unit, divisor = ("milliseconds", 1000) if whole < _MICROSECONDS else ("microseconds", 1_000_000)
        if whole > _LATEST:
            raise BadInput(f"{field}: {text} is no time", field=field, hint=_HINT)
        raise BadInput(
            f"{field}: {text} would be after the year 5000; these seem to be {unit}, and seconds are expected",
            field=field,
            hint=f"Divide by {divisor}, or give a time such as 2026-01-31T12:00:00.123Z",
        )
    return whole * SECOND + int(decimals.ljust(9, "0"))


def _from_iso(match: re.Match[str], field: str, text: str) -> int:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    sign = -1 if match[9] == "-" else 1
    offset = sign * timedelta(hours=int(match[10] or 0), minutes=int(match[11] or 0))
    try:
        at = datetime(year, month, day, hour, minute, second, tzinfo=timezone(offset))
        whole = (at - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError) as fault:
        raise BadInput(f"{field}: {shown(text)} is no time ({fault})", field=field, hint=_HINT) from None
    if whole > _LAST_SECOND:
        raise BadInput(f"{field}: {shown(text)} is after the year 9999", field=field, hint=_HINT)
    if whole < 0:
        never = "; the engine writes the year 1 for never" if year == 1 else ""
        raise BadInput(f"{field}: {shown(text)} is before 1970{never}", field=field, hint=_HINT)
    return whole * SECOND + int((match[7] or "").ljust(9, "0"))
