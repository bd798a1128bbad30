"""Forms in which a column shows its values: `formatted` makes a short text of any value, and never raises.

Values come from outside: a value that does not have the form's type is shown as a text, cut to `LONGEST` characters.
Control characters are replaced where texts are printed (lib/local/output/shown.py).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from lib.local.output.ports import ranges

LONGEST = 1000
"""Characters of a value that are shown in any case."""
_MOST = 100
"""Items of a list or object that are shown."""
_SHORT_ID = 12
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_STEP = 1000
_TO_SECONDS = len("2026-01-31T12:00:00")
_LARGEST = 1e27
"""Numbers above it are no bytes and no times; they are shown as they are."""
_SPANS = (
    (120, "minute", 60),
    (48 * 3600, "hour", 3600),
    (14 * 86400, "day", 86400),
    (60 * 86400, "week", 7 * 86400),
    (2 * 365 * 86400, "month", 30 * 86400),
    (math.inf, "year", 365 * 86400),
)

Form = Callable[[Any], str]


def formatted(form: str, value: Any) -> str:
    """Return a value in a form of `FORMS`; in another form, or where it does not fit, as a text."""
    if value is None:
        return ""
    try:
        shown = FORMS.get(form, text)(value)
    except (TypeError, ValueError, ArithmeticError, RecursionError, OSError):  # OSError: no such year
        shown = text(value)
    return shown[:LONGEST]


def text(value: Any) -> str:
    """Return a text as it is, a list of texts with commas, anything else as JSON."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value[:_MOST]):
            return _joined([str(item)[:LONGEST] for item in value[:_MOST]], len(value))
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):  # also a number of more digits than Python writes
        return "?"


def _short_id(value: Any) -> str:
    return value.removeprefix("sha256:")[:_SHORT_ID] if isinstance(value, str) else text(value)


def _reference(value: Any) -> str:
    """Return an image reference as the docker command line has it: without digest, a bare id short."""
    if not isinstance(value, str):
        return text(value)
    if value.startswith("sha256:"):
        return _short_id(value)
    return value.partition("@")[0] or value


def _age(value: Any) -> str:
    """Return the time since unix seconds or an RFC 3339 text, as the docker command line says it: "3 hours ago"."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.year <= 1:  # Go's zero time
            return ""
        then = moment.timestamp() if moment.tzinfo else moment.astimezone().timestamp()
    elif isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return text(value)
    elif value <= 0:
        return ""
    else:
        then = float(value)
    seconds = time.time() - then
    return f"{_span(seconds)} ago" if seconds > -1 else f"in {_span(-seconds).lower()}"


def _time(value: Any) -> str:
    """Return a moment to the second, as its own zone or UTC writes it; of unix seconds in UTC."""
    if isinstance(value, str):
        datetime.fromisoformat(value)
        return value[:_TO_SECONDS].replace("T", " ")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _LARGEST:
        return text(value)
    return datetime.fromtimestamp(value, UTC).isoformat(" ", "seconds")[:_TO_SECONDS]


def _span(seconds: float) -> str:
    whole = int(max(0.0, seconds))
    if whole < 1:
        return "Less than a second"
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return "1 second" if whole == 1 else f"{whole} seconds"
    if whole < 120:  # noqa: PLR2004
        return "About a minute"
    if whole < 3600:  # noqa: PLR2004 - seconds of an hour
        return f"{whole // 60} minutes"
    if whole < 2 * 3600:
        return "About an hour"
    _, name, width = next(span for span in _SPANS if whole < span[0])
    return f"{whole // width} {name}s"


def _size(value: Any) -> str:
    """Return bytes with three digits and a decimal unit; an engine writes -1 for what it has not measured."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return text(value)
    if value < 0:
        return "N/A"
    size, place = float(value), 0
    while size >= _STEP - 0.5 and place < len(_UNITS) - 1:  # 999.6 would be written as 1e+03
        size, place = size / _STEP, place + 1
    return f"{size:.0f}{_UNITS[place]}" if size >= _STEP / 10 else f"{size:.3g}{_UNITS[place]}"


def _names(value: Any) -> str:
    """Return names without the slash in front."""
    names = value if isinstance(value, list) else [value]
    shown = [name.removeprefix("/") for name in names[:_MOST] if isinstance(name, str)]
    return _joined(shown, len(names)) if len(shown) == len(names[:_MOST]) else text(value)


def _count(value: Any) -> str:
    """Return a number, or how many items there are; -1 is what an engine has not counted."""
    if isinstance(value, list | dict):
        return str(len(value))
    return "N/A" if value == -1 else text(value)


def _keys(value: Any) -> str:
    return (
        _joined([str(key) for key in islice(value, _MOST)], len(value)) if _is_object(value) else text(value)
    )


def _labels(value: Any) -> str:
    if not _is_object(value):
        return text(value)
    shown = [f"{key}={text(item)}" if item != "" else str(key) for key, item in islice(value.items(), _MOST)]
    return _joined(shown, len(value))


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _ports(value: Any) -> str:
    """Return ports as `docker ps` shows them."""
    if not isinstance(value, list):
        return text(value)
    runs = ranges(value[:_MOST])
    return _joined(runs, len(runs) + max(0, len(value) - _MOST))


def _joined(texts: list[str], total: int) -> str:
    more = total - len(texts)
    return ", ".join([*texts, f"{more} more"] if more > 0 else texts)


FORMS: dict[str, Form] = {
    "text": text,
    "shortId": _short_id,
    "reference": _reference,
    "age": _age,
    "time": _time,
    "size": _size,
    "names": _names,
    "count": _count,
    "keys": _keys,
    "labels": _labels,
    "ports": _ports,
}
