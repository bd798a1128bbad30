"""The engine's clock. No cursor ever holds the time of the machine this runs on."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from lib.engine import Engine
from lib.engine.errors import EngineError, Refused
from lib.form import Form, seconds_as_nanoseconds, shown, text, wrong

SECOND = 1_000_000_000
# A read stops this far behind the engine's clock: at the very edge the engine may still be writing.
EDGE_SECONDS = 2
_ISO = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)?$")
_NO_HEAD = (
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_IMPLEMENTED,
)


def engine_time(engine: Engine) -> int:
    """Return the engine's time in Unix seconds, from the Date header of /_ping (SystemPingHead, SystemPing).

    Ping, not /info: proxies before an engine allow it. GET where HEAD is refused.
    """
    try:
        reply = engine.head("/_ping", {})
    except Refused as refusal:
        if refusal.status not in _NO_HEAD:
            raise
        reply = engine.get("/_ping", {})
    date = next((value for name, value in reply.headers.items() if name.lower() == "date"), None)
    if not date:
        raise EngineError(
            "The engine's answer carries no Date header, so its time is not known",
            method="HEAD",
            path="/_ping",
            hint="Let the proxy before the engine pass that header on",
        )
    return int(parsedate_to_datetime(date).timestamp())


def nanoseconds(written: str) -> int:
    """Read an ISO 8601 time with up to nine decimals as Unix nanoseconds; the engine's year 1 (never) is 0.

    ValueError for what is no time.
    """
    match = _ISO.fullmatch(written.strip())
    if not match:
        raise ValueError(f"{written!r} is no time")
    read = datetime.fromisoformat(match[1] + ("+00:00" if match[3] in (None, "Z") else match[3]))
    try:
        seconds = int(read.astimezone(UTC).timestamp()) if read.year > 1 else 0
    except OverflowError:  # the offset leads out of the years 1 to 9999
        raise ValueError(f"{written!r} is no time") from None
    return max(seconds, 0) * SECOND + (int((match[2] or "").ljust(9, "0")) if seconds > 0 else 0)


def iso(nanos: int) -> str:
    """Write Unix nanoseconds as ISO 8601 in UTC with nine decimals, or none where they are zero."""
    whole, part = divmod(nanos, SECOND)
    decimals = f".{part:09d}" if part else ""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}{decimals}Z"


def wire(nanos: int) -> str:
    """Write Unix nanoseconds as the engine's `since` and `until` take them: seconds.nanoseconds."""
    return f"{nanos // SECOND}.{nanos % SECOND:09d}"


def moment(form: Form, name: str) -> int | None:
    """Return a time field as Unix nanoseconds (ISO 8601 or Unix seconds), None if it is empty."""
    written = text(form, name)
    if not written:
        return None
    with suppress(ValueError):
        return nanoseconds(written)
    found = seconds_as_nanoseconds(form, name)
    if found is None:
        raise wrong(form, name, f"{shown(written)} is no time. Write one such as 2026-01-31T12:00:00Z")
    return found
