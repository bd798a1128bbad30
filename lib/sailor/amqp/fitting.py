"""Which headers of a message are left out so that the others arrive: all of them share one frame of the broker."""

from __future__ import annotations

import struct
from typing import Any

from lib.sailor.amqp.header_table import table
from lib.sailor.message.headers import META

SPARE = ("reboundReason", "retry")
"""Headers that only people read: they are left out before a message is lost for its length."""
_AROUND = len(table({}))


def without_spare(headers: dict[str, Any]) -> dict[str, Any]:
    """Return the headers without those that only people read."""
    return {name: value for name, value in headers.items() if name not in SPARE}


def fitting(headers: dict[str, Any], room: int) -> dict[str, Any]:
    """Return the headers of an error that have a binary form and fit into `room` bytes as a table.

    What came with the input (x-eio-meta-*) goes first, the longest before the others: an error that lacks some of
    it is worth more than none. With less room than for one header the answer is empty.
    """
    sizes = {name: size for name, value in headers.items() if (size := _size(name, value))}
    total = _AROUND + sum(sizes.values())
    for name in sorted(sizes, key=lambda name: (not name.startswith(META), -sizes[name])):
        if total <= room:
            break
        total -= sizes.pop(name)
    return {name: value for name, value in headers.items() if name in sizes}


def _size(name: str, value: Any) -> int:
    """Return how many bytes a header has; 0 where AMQP has no form for it."""
    try:
        return len(table({name: value})) - _AROUND
    except (ValueError, OverflowError, struct.error):
        return 0
