"""Writes and reads header tables in AMQP's binary form (protocol 3.4).

The client library's codec cuts fractions, and fails on some values. This one keeps fractions, keeps bytes that are no
UTF-8, and when it reads a value of an unknown type it leaves out the rest of the table.
"""

from __future__ import annotations

import math
import struct
from calendar import timegm
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

INT32, INT64 = 2**31, 2**63
TEXT = ord("S")
NO_TEXT = "surrogateescape"
"""Error handler of `encode` and `decode`: bytes that are no UTF-8 are the same after reading and writing."""

_length = struct.Struct(">I").pack
_int32 = struct.Struct(">ci").pack
_int64 = struct.Struct(">cq").pack
_double = struct.Struct(">cd").pack
_decimal = struct.Struct(">cBi").pack

_NUMBERS = {
    ord(kind): struct.Struct(f">{form}") for kind, form in zip("bBsUuIiLlfd", "bBhhHiIqqfd", strict=True)
}
"""Readers of the numbers, with RabbitMQ's types: `s` and `U` are both signed short, `L` and `l` both signed long."""


def table(values: dict[str, Any]) -> bytes:
    """Return a header table as bytes; ValueError when AMQP has no form for a name or value."""
    pieces = []
    for key, value in values.items():
        name = key.encode(errors=NO_TEXT)
        pieces.append(bytes((len(name),)) + name + field(value))
    data = b"".join(pieces)
    return _length(len(data)) + data


def field(value: Any) -> bytes:
    """Return one header value as bytes, with its type; ValueError when AMQP has no form for it."""
    if isinstance(value, str):
        data = value.encode(errors="replace")
        return b"S" + _length(len(data)) + data
    if isinstance(value, bool):
        return b"t\1" if value else b"t\0"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float) and math.isfinite(value):  # the broker closes the connection for others
        return _double(b"d", value)
    return _rare(value)


def _integer(value: int) -> bytes:
    # `value in range(...)` would compare with every number if the value is of a subclass of int.
    if -INT32 <= value < INT32:
        return _int32(b"I", value)
    if -INT64 <= value < INT64:
        return _int64(b"l", value)
    raise ValueError("AMQP has no integers beyond 64 bits")


def _rare(value: Any) -> bytes:
    if value is None:
        return b"V"
    if isinstance(value, bytes):
        return b"x" + _length(len(value)) + value
    if isinstance(value, dict):
        return b"F" + table(value)
    if isinstance(value, list):
        data = b"".join(map(field, value))
        return b"A" + _length(len(data)) + data
    if isinstance(value, datetime):
        return b"T" + timegm(value.utctimetuple()).to_bytes(8, "big")
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        places = max(-int(exponent), 0)
        return _decimal(b"D", places, int(value.scaleb(places))) if digits else b"V"
    text = str(value) if isinstance(value, float) else f"of type {type(value).__name__}"
    raise ValueError(f"AMQP has no form for a header {text}")


def read_table(data: bytes, offset: int) -> tuple[dict[str, Any], int]:
    """Return the header table at an offset, and the offset behind it; see the head of this file for unknown types."""
    end = offset + 4 + int.from_bytes(data[offset : offset + 4], "big")
    offset += 4
    values: dict[str, Any] = {}
    try:
        while offset < end:
            start = offset + 1
            offset = start + data[offset]
            name = data[start:offset].decode(errors=NO_TEXT)
            values[name], offset = _read_field(data, offset)
    except (_UnknownFormError, IndexError, struct.error, RecursionError):
        pass
    return values, end


def _read_field(data: bytes, offset: int) -> tuple[Any, int]:
    kind = data[offset]
    offset += 1
    if kind == TEXT:  # the most frequent type
        return _read_text(data, offset)
    if (number := _NUMBERS.get(kind)) is not None:
        return number.unpack_from(data, offset)[0], offset + number.size
    if (reader := _READERS.get(kind)) is None:
        raise _UnknownFormError
    return reader(data, offset)


class _UnknownFormError(Exception):
    """A header value has a type that this codec does not know."""


def _read_bytes(data: bytes, offset: int) -> tuple[bytes, int]:
    start = offset + 4
    end = start + int.from_bytes(data[offset:start], "big")
    return data[start:end], end


def _read_text(data: bytes, offset: int) -> tuple[Any, int]:
    value, end = _read_bytes(data, offset)
    try:
        return value.decode(), end
    except UnicodeDecodeError:
        return value, end


def _read_list(data: bytes, offset: int) -> tuple[list[Any], int]:
    end = offset + 4 + int.from_bytes(data[offset : offset + 4], "big")
    offset += 4
    values = []
    while offset < end:
        value, offset = _read_field(data, offset)
        values.append(value)
    return values, end


def _read_decimal(data: bytes, offset: int) -> tuple[Decimal, int]:
    (number,) = _NUMBERS[ord("I")].unpack_from(data, offset + 1)
    return Decimal(number).scaleb(-data[offset]), offset + 5


def _read_time(data: bytes, offset: int) -> tuple[datetime | int, int]:
    """Return a time, or the number itself if it is no time in seconds: some senders write milliseconds."""
    seconds = int.from_bytes(data[offset : offset + 8], "big")
    try:
        return datetime.fromtimestamp(seconds, UTC), offset + 8
    except (ValueError, OverflowError, OSError):
        return seconds, offset + 8


_READERS: dict[int, Callable[[bytes, int], tuple[Any, int]]] = {
    ord("t"): lambda data, offset: (bool(data[offset]), offset + 1),
    ord("x"): _read_bytes,
    ord("A"): _read_list,
    ord("F"): read_table,
    ord("D"): _read_decimal,
    ord("T"): _read_time,
    ord("V"): lambda _, offset: (None, offset),
}
