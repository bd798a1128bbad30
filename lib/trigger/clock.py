"""The engine's clock, and times in the engine's forms. A cursor never holds a time of the component's machine."""

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
# A read ends so many seconds before the engine's time: the engine may still be writing younger entries.
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

    Proxies before an engine allow /_ping more often than /info. If HEAD is refused, GET is sent. Raises EngineError,
    also for an answer without a time.
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
    """Return the time in an answer's Date header in Unix seconds, None if there is none."""
    try:
        return int(parsedate_to_datetime(_date(headers) or "").timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _date(headers: Mapping[str, str]) -> str | None:
    return next((value for name, value in headers.items() if name.lower() == "date"), None)


def nanoseconds(written: str) -> int:
    """Return a time that an engine wrote (ISO 8601) in Unix nanoseconds; 0 for its year 1, which means never.

    Raises StreamFailed for a text that is no time.
    """
    match = _ISO.fullmatch(written.strip())
    if not match:
        raise _no_time(written)
    try:
        read = datetime.fromisoformat(match[1] + ("+00:00" if match[3] in (None, "Z") else match[3]))
        seconds = int(read.astimezone(UTC).timestamp()) if read.year > 1 else 0
    except (ValueError, OverflowError):  # no such day, or in UTC outside the years 1 to 9999
        raise _no_time(written) from None
    return max(seconds, 0) * SECOND + (int((match[2] or "").ljust(9, "0")) if seconds > 0 else 0)


def _no_time(written: str) -> StreamFailed:
    return StreamFailed(f"The engine wrote {shown(written)} where a time was expected")


def iso(nanos: int) -> str:
    """Return Unix nanoseconds as ISO 8601 in UTC, with nine decimals, or without decimals if they are zero."""
    whole, part = divmod(nanos, SECOND)
    decimals = f".{part:09d}" if part else ""
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}{decimals}Z"


def unix_time(nanos: int) -> str:
    """Return Unix nanoseconds in the form of the engine's `since` and `until`: seconds.nanoseconds."""
    return f"{nanos // SECOND}.{nanos % SECOND:09d}"


def moment(form: Form, name: str) -> int | None:
    """Return a time field of the form in Unix nanoseconds, None if it is empty.

    lib/engine/request/times.py has the accepted forms. Raises BadInput for others, also for a span ("1h"): it would
    count back from the clock of this machine.
    """
    if not text(form, name):
        return None
    try:
        return instant(form[name], name)
    except BadInput as problem:
        raise wrong(form, name, problem.message.removeprefix(f"{name}: "), problem.hint) from None
