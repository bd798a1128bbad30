"""Writes single values as text for a query."""

from __future__ import annotations

from typing import Any

from lib.engine.errors import BadInput
from lib.engine.text import plain

_LARGEST = (1 << 63) - 1  # the engine has signed integers of 64 bits


def scalar(value: Any, field: str) -> str:
    """Return true/false for a boolean, digits for a whole number, a text as it is. Raises BadInput."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return plain(value, field)
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        if not -_LARGEST - 1 <= value <= _LARGEST:
            raise BadInput(f"{field} is a number too large for the engine (63 bits)", field=field)
        return str(int(value))
    raise BadInput(f"{field} must be a single text, number or boolean", field=field)


def size(value: Any, field: str) -> str:
    """Return a whole number from 0 up, given as number or text, as text. Raises BadInput."""
    text = scalar(value, field).strip() if not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_LARGEST)) or int(text) > _LARGEST:
        raise BadInput(f"{field} must be a whole number from 0 up", field=field)
    return text


def last_lines(value: Any, field: str) -> str:
    """Return a number of last lines, or "all", as text; engines read anything else as all. Raises BadInput."""
    text = scalar(value, field).strip()
    if text.lower() == "all":
        return "all"
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise BadInput(f"{field} must be a number of lines from 0 up, or all", field=field)
    return size(text, field)
