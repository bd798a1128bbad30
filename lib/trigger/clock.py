"""The engine's clock. No cursor ever holds the time of the machine this runs on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from lib.config.form import Form, shown, text, wrong
from lib.engine import Engine
from lib.engine.errors import BadInput, EngineError, Refused, StreamFailed
from lib.engine.request.times import instant

SECOND = 1_000_000_000
# A read stops this far behind the engine's clock: at the very edge the engine may still be writing.
EDGE_SECONDS = 2
_ISO = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
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
    date = _date(reply.headers)
    if not date:
        raise EngineError(
            "The engine's answer carries no Date header, so its time is not known",
            method="HEAD",
            path="/_ping",
            hint="Let the proxy before the engine pass that header on",
        )
    try:
        return int(parsedate_to_datetime(date).timestamp())
    except (ValueError, TypeError, OverflowError):
        raise EngineError(
            f"The engine's header Date is no time: {shown(date)}", method="HEAD", path="/_ping"
        ) from None


def answered_at(headers: Mapping[str, str]) -> int | None:
    """Return the engine's time in an answer's Date header in Unix seconds, None where there is none."""
    try:
        return int(parsedate_to_datetime(_date(headers) or "").timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _date(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == "date"), None)


def nanoseconds(written: str) -> int:
    """Read a time of an engine as Unix nanoseconds; its year 1 (never) is 0. StreamFailed for what is no time."""
    match = _ISO.fullmatch(written.strip())
    if not match:
        raise _no_time(written)
    try:
        read = datetime.fromisoformat(match[1] + ("+00:00" if match[3] in (None, "Z") else match[3]))
        seconds = int(read.astimezone(UTC).timestamp()) if read.year > 1 else 0
    except (ValueError, OverflowError):  # no such day; an offset that leads out of the years 1 to 9999
        raise _no_time(written) from None
    return max(seconds, 0) * SECOND + (int((match[2] or "").ljust(9, "0")) if seconds > 0 else 0)


def _no_time(written: str) -> StreamFailed:
    return StreamFailed(f"The engine wrote {shown(written)} where a time was expected")


def iso(nanos: int) -> str:
    """Write Unix nanoseconds as ISO 8601 in UTC with nine decimals, or none where they are zero."""
    whole, part = divmod(nanos, SECOND)
    decimals = f".{part:09d}" if part else ""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}{decimals}Z"


def unix_time(nanos: int) -> str:
    """Write Unix nanoseconds as the engine's `since` and `until` take them: seconds.nanoseconds."""
    return f"{nanos // SECOND}.{nanos % SECOND:09d}"


def moment(form: Form, name: str) -> int | None:
    """Return a time field as Unix nanoseconds, None if it is empty: a moment in any form of lib.engine.request.times.

    A span ("1h") is none: it would count back from the clock of this machine.
    """
    if not text(form, name):
        return None
    try:
        return instant(form[name], name)
    except BadInput as problem:
        raise wrong(form, name, problem.message.removeprefix(f"{name}: "), problem.hint) from None
