"""Checks text that goes into a request, and shortens text from outside for errors.

JSON can hold what no request can carry: half of a surrogate pair (U+D800), which has no bytes in UTF-8, and NUL, where
the engine's C libraries end a text. Both are refused, and the error names the field.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from lib import jsontext
from lib.engine.errors import BadInput

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SHOWN = 60  # characters of a text from outside that an error repeats
_BROKEN = "holds half of a character (a lone surrogate)"


def utf8(text: str, field: str) -> bytes:
    """Return a text as UTF-8; raises BadInput for half of a surrogate pair."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"{field} {_BROKEN}", field=field, hint="Give valid Unicode text") from None


def plain(text: str, field: str, *, line: bool = False) -> str:
    """Return `text` if a URL can carry it; with `line` it may not hold control characters. Raises BadInput."""
    if not text.isascii():
        utf8(text, field)
    if line and _CONTROL.search(text):
        raise BadInput(f"{field} holds a control character", field=field)
    if "\0" in text:
        raise BadInput(f"{field} holds a NUL character", field=field)
    return text


def shown(value: Any) -> str:
    """Return a value from outside for an error: text quoted and cut after 60 characters, objects by their type."""
    if isinstance(value, str):
        text = repr(value[:_SHOWN])
        return text if len(value) <= _SHOWN else f"{text}..."
    if isinstance(value, int) and value.bit_length() > _SHOWN * 3:
        return f"a number of {value.bit_length()} bits"
    return repr(value) if value is None or isinstance(value, int | float) else f"a {type(value).__name__}"


def named(field: str, key: Any) -> str:
    """Return `field.key`, the name of a place inside a field; a key from the message is cut and made ASCII."""
    text = str(key)[:_SHOWN].encode("ascii", "backslashreplace").decode()
    return f"{field}.{text}"


def encoded(value: Any, field: str) -> bytes:
    """Return a value as JSON; raises BadInput if UTF-8 or JSON cannot hold it: engines would read another value."""
    try:
        data = jsontext.encode(value)
        if b"\\ud" in data:  # maybe an escaped surrogate, which this encode refuses
            json.dumps(value, ensure_ascii=False).encode()
        lost = b"null" in data and _has_no_number(value)
    except UnicodeEncodeError:
        raise BadInput(f"{field} {_BROKEN}", field=field, hint="Give valid Unicode text") from None
    except (RecursionError, ValueError, TypeError) as fault:
        raise BadInput(f"{field} cannot be written as JSON ({fault})", field=field) from None
    if lost:
        raise BadInput(f"{field} holds a number that is infinite or none", field=field)
    return data


def _has_no_number(value: Any) -> bool:
    """Whether NaN or an infinity is inside, which JSON writers turn into null."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(map(_has_no_number, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_no_number, value))


def parsed(value: Any, field: str) -> Any:
    """Return the JSON value that a field holds, directly or as JSON text; raises BadInput for bad JSON.

    It refuses also what JSON readers treat differently: NaN, numbers that no double holds, and a key that stands twice
    in one object, of which one value would be lost.
    """
    if not isinstance(value, str):
        return value
    try:
        return json.loads(
            value, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_without_repeats
        )
    except RecursionError:
        raise BadInput(f"{field} is nested too deeply", field=field) from None
    except ValueError as fault:
        text = str(fault).encode("ascii", "backslashreplace").decode()
        raise BadInput(f"{field} is no valid JSON ({text[:200]})", field=field) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {digits[:20]} is too large")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"the key {shown(twice)} stands twice in one object")
    return tree
