"""The wire form of protobuf, read and written without a library: BuildKit's messages have a dozen short types.

A message is a row of fields, each a number and a value. Values are integers (varint) or bytes (texts, nested messages);
fixed numbers of 4 and 8 bytes are read as integers, too. Who reads looks for the fields that it knows and passes over
all others, as they come from newer engines.
"""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_FIXED = {_FIXED_64: 8, _FIXED_32: 4}
_MORE, _LOW = 0x80, 0x7F
_LONGEST = 10  # bytes of a varint
_MASK, _SIGN = (1 << 64) - 1, 1 << 63


class MalformedError(ValueError):
    """The bytes are no message of protobuf."""


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Yield (number, value) of each field in its order; a field that repeats comes again.

    Nothing is kept, so the memory is that of `data`. Raises MalformedError where the message is cut or is none; what
    stands before it was yielded.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, form = key >> 3, key & 7
        if form == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if form == _BYTES:
            size, at = _varint(data, at)
        elif form in _FIXED:
            size = _FIXED[form]
        else:
            raise MalformedError(f"a field has the form {form}")
        if size > end - at:
            raise MalformedError("a field is cut")
        piece = data[at : at + size]
        at += size
        yield number, piece if form == _BYTES else int.from_bytes(piece, "little")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place, byte in enumerate(data[at : at + _LONGEST]):
        value |= (byte & _LOW) << 7 * place
        if not byte & _MORE:
            return value & _MASK, at + place + 1
    raise MalformedError("a number is cut or too long")


def signed(value: Value) -> int:
    """Return a varint as a signed number of 64 bits; 0 for bytes."""
    if not isinstance(value, int):
        return 0
    return value - (1 << 64) if value & _SIGN else value


def text(value: Value) -> str:
    """Return the text of a field; bytes that are no UTF-8 are replaced, and an integer is no text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def message(*parts: tuple[int, Value | str]) -> bytes:
    """Return a message of these (number, value); texts are written as UTF-8."""
    written = bytearray()
    for number, value in parts:
        if isinstance(value, int):
            written += _number(number << 3 | _VARINT) + _number(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            written += _number(number << 3 | _BYTES) + _number(len(data)) + data
    return bytes(written)


def _number(value: int) -> bytes:
    value &= _MASK
    written = bytearray()
    while value > _LOW:
        written.append(value & _LOW | _MORE)
        value >>= 7
    written.append(value)
    return bytes(written)
