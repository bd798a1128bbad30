"""Leaves headers out of a message that would be too large: all headers must fit into one frame of AMQP."""

from __future__ import annotations

import struct
from typing import Any

from lib.sailor.amqp.header_table import table
from lib.sailor.message.headers import META

SPARE = ("reboundReason", "retry")
"""Headers that only people read; they are left out first."""
_AROUND = len(table({}))


def without_spare(headers: dict[str, Any]) -> dict[str, Any]:
    """Return the headers without those in SPARE."""
    return {name: value for name, value in headers.items() if name not in SPARE}


def fitting(headers: dict[str, Any], room: int) -> dict[str, Any]:
    """Return the headers of an error that AMQP has a form for and whose table has at most `room` bytes.

    Headers that came with the input (x-eio-meta-*) are left out before others, and long ones before short ones: an
    error without some headers is better than no error. If `room` is too small for any, no header is left.
    """
    sizes = {name: size for name, value in headers.items() if (size := _size(name, value))}
    total = _AROUND + sum(sizes.values())
    for name in sorted(sizes, key=lambda name: (not name.startswith(META), -sizes[name])):
        if total <= room:
            break
        total -= sizes.pop(name)
    return {name: value for name, value in headers.items() if name in sizes}


def _size(name: str, value: Any) -> int:
    """Return how many bytes a header takes in a table; 0 when AMQP has no form for it."""
    try:
        return len(table({name: value})) - _AROUND
    except (ValueError, OverflowError, struct.error):
        return 0
