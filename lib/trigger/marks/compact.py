"""Short texts for cursors: marks (hashes that are cut off) and whole numbers, in base64url digits of 6 bits."""

from __future__ import annotations

import hashlib
import json
from typing import Any

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_BITS = 6


def mark(value: Any, width: int) -> str:
    """Return the first `width` digits (6 bits each, at most 42 digits) of the SHA-256 of a text or a JSON value."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    digest = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")
    return digits(digest >> (256 - _BITS * width), width)


def digits(number: int, width: int) -> str:
    """Return a whole number in exactly `width` digits; raises ValueError if it does not fit or is negative."""
    if number < 0 or number >> (_BITS * width):
        raise ValueError(f"{number} does not fit into {width} digits")
    return "".join(_DIGITS[number >> (_BITS * place) & 63] for place in range(width - 1, -1, -1))


def number(text: str) -> int:
    """Read what `digits` wrote; raises ValueError for anything else."""
    value = 0
    for digit in text:
        if digit not in _VALUES:
            raise ValueError(f"{digit!r} is no digit of a cursor")
        value = value << _BITS | _VALUES[digit]
    return value


def pieces(text: Any, width: int) -> tuple[str, ...]:
    """Split a text into pieces of `width` digits; raises ValueError for other characters or another length."""
    if not isinstance(text, str) or len(text) % width:
        raise ValueError(f"not a text of pieces of {width}")
    number(text)
    return tuple(text[start : start + width] for start in range(0, len(text), width))
