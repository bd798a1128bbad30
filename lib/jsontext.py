"""JSON text to Python values and back, for the engine client and the runtime.

orjson does most of the work. Python's json does what orjson refuses or would change, such as integers beyond 64 bits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

LARGE = 1 << 20
"""Bytes of JSON text (1 MiB); where possible, the values of a longer text are not held in memory all at once."""
_BLANKS = re.compile(r"[ \t\r\n]*")
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")


class RawJson:
    """A value that is already JSON text; `encode` copies it unparsed, so its creator must know that it is valid."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def parse(self) -> Any:
        """Return the value; each call parses the text again. Raises ValueError."""
        return decode(self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawJson) and other.data == self.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"RawJson(<{len(self.data)} bytes>)"


def encode(value: Any) -> bytes:
    """Return compact UTF-8 JSON; NaN and infinities become null.

    Raises TypeError for a value that has no JSON form, ValueError for nesting that is too deep.
    """
    try:
        return orjson.dumps(value, default=_splice, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    except TypeError:  # integers beyond 64 bits, lone surrogates, keys that are not text, subclasses of dict
        pass
    try:
        return json.dumps(_finite(value), separators=(",", ":")).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def decode(text: bytes) -> Any:
    """Return the value of JSON text; integers keep all their digits. Raises ValueError for text that is not JSON.

    It accepts more than a strict parser: a byte order mark, NaN, lone surrogates, 1e400. It raises ValueError also for
    what Python cannot hold: integers of more than 4,300 digits, nesting of about 1,000 levels.
    """
    if not _may_hold_a_huge_integer(text):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as fault:
            _refuse_depth(fault)
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def check(text: bytes) -> None:
    """Raise ValueError unless the text is one JSON value in UTF-8, without NaN, that `decode` can read.

    It costs about 3 µs per kB, because no available parser checks a text without making its values. A slower parser
    reads a LARGE text and drops most values at once: all of them together could need thirty times the memory of the
    text.
    """
    if len(text) <= LARGE:
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError as fault:  # lone surrogates and 1e400 are JSON, too
            _refuse_depth(fault)
        else:
            return
    try:
        _FORGETTING.decode(text.decode())
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse_depth(fault: ValueError) -> None:
    """Raise ValueError if orjson met more than its 1,024 levels: the fallback, json, has a limit that varies."""
    if "depth limit" in str(fault) or "recursion limit" in str(fault):
        raise ValueError("it is nested too deeply") from None


def each(text: bytes) -> Iterator[Any]:
    """Yield the items of a valid JSON list; those of a LARGE text are parsed one by one."""
    if len(text) <= LARGE:
        yield from decode(text)
        return
    string = text.decode()
    position = _after_blanks(string, string.index("[") + 1)
    while string[position] != "]":
        value, position = _ONE_BY_ONE.raw_decode(string, position)
        yield value
        position = _after_blanks(string, position)
        if string[position] == ",":
            position = _after_blanks(string, position + 1)


def weight(text: bytes) -> int:
    """Return an estimate of the memory that the values of JSON text need, in bytes, without making them."""
    return len(text) + 232 * text.count(b"{") + 64 * (text.count(b"[") + text.count(b","))


def _after_blanks(string: str, position: int) -> int:
    found = _BLANKS.match(string, position)
    return found.end() if found else position


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _forgotten(_: object) -> None:
    """Return None in the place of an object or a fraction: `check` needs no values."""


_FORGETTING = json.JSONDecoder(
    object_pairs_hook=_forgotten, parse_float=_forgotten, parse_constant=_no_constant
)
_ONE_BY_ONE = json.JSONDecoder()


def _may_hold_a_huge_integer(text: bytes) -> bool:
    zeros = text.translate(_DIGITS_TO_ZERO)
    return b"00000000000000000000" in zeros or b"-0000000000000000000" in zeros


def _splice(value: Any) -> Any:
    if isinstance(value, RawJson):
        return orjson.Fragment(value.data)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, RawJson):
        return _finite(value.parse())
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
