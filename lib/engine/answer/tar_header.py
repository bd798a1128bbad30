"""Reads the fields of a tar header: sizes in all their forms, with a bound, and the records of pax headers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lib.engine.errors import StreamFailed

LARGEST = 1 << 60
"""Bytes of a member (1 EiB); no file system holds a file of this size."""
BINARY = 0x80
_CHECKSUM = slice(148, 156)
_OCTAL = re.compile(rb"[0-7]*")
_DECIMAL = re.compile(rb"\d{1,20}")
_RECORD_LENGTH = re.compile(rb"(\d{1,8}) ")


def is_header(block: bytes) -> bool:
    """Whether a block of 512 bytes is a header: its checksum is right."""
    stated = _octal(block[_CHECKSUM])
    # The checksum is the sum of all bytes, with its own field taken as eight spaces.
    return stated is not None and stated == sum(block) - sum(block[_CHECKSUM]) + 8 * 0x20


def size_of(field: bytes) -> int:
    """Return the size that a header states, in bytes: octal, or binary after a set first bit. Raises StreamFailed.

    Blanks and NULs may stand around the digits; a field of nothing else is zero.
    """
    # Binary is for sizes beyond eleven octal digits; a negative size begins with more set bits.
    binary = field[0] & BINARY
    size = _octal(field) if not binary else int.from_bytes(field[1:]) if field[0] == BINARY else None
    if size is None or size > LARGEST:
        raise StreamFailed(f"A size in the tar is none: {field[:16]!r}")
    return size


def pax_size(content: bytes) -> int | None:
    """Return the record `size` of a pax header, in bytes, or None; it replaces the size of the member's own header.

    Raises StreamFailed.
    """
    size = None
    for name, value in pax_records(content):
        if name == b"size":
            if _DECIMAL.fullmatch(value) is None or int(value) > LARGEST:
                raise StreamFailed(f"A size in the tar is none: {value[:24]!r}")
            size = int(value)
    return size


def pax_records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, value) of each record (its length, a blank, name=value, a line feed); raises StreamFailed."""
    at = 0
    while at < len(content) and content[at]:  # some writers fill the rest with NULs
        found = _RECORD_LENGTH.match(content, at)
        stop = at + int(found[1]) if found else 0
        if found is None or stop <= found.end() or content[stop - 1 : stop] != b"\n":
            raise StreamFailed("A pax header of the tar cannot be read")
        name, _, value = content[found.end() : stop - 1].partition(b"=")
        yield name, value
        at = stop


def _octal(field: bytes) -> int | None:
    digits = field.lstrip(b" \0").partition(b"\0")[0].strip(b" ")
    return int(digits or b"0", 8) if _OCTAL.fullmatch(digits) else None
