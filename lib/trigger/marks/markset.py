"""Packs sets of marks: sorted, each written as the difference to the one before it (Golomb-Rice coding).

A set of n marks of b bits takes about b - log2(n) + 1.5 bits for each mark: 2,000 marks of 42 bits take 5.1 characters
each instead of 7. A new object has the mark of one of 2,000 with a chance of 2,000 / 2^42, or 1 in 2.2 * 10^9.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from lib.trigger.marks.compact import mark, number

IDENTITY_DIGITS, DETAIL_DIGITS = 7, 5
IDENTITY_BITS, DETAIL_BITS = 6 * IDENTITY_DIGITS, 6 * DETAIL_DIGITS
"""An identity is compared with all others, a detail with one: 30 bits miss a change with a chance below 10^-9."""
RESERVED = 2
"""Details below this are no marks: 0 means none, 1 has a meaning of the trigger."""
CHARACTERS = 8
"""Upper bound of the characters for one mark without a detail, in sets of ten or more."""


def identity_mark(value: Any) -> int:
    """Return the mark of an object's identity, a number of IDENTITY_BITS."""
    return number(mark(value, IDENTITY_DIGITS))


def detail_mark(value: Any) -> int:
    """Return the mark of what can change about an object, a number of DETAIL_BITS and at least RESERVED."""
    return max(number(mark(value, DETAIL_DIGITS)), RESERVED)


def packed(marks: Mapping[int, int], *, details: bool) -> str:
    """Return identity marks -> detail marks as "count.text", with the text in base 85.

    The bits are first all identities in order, then, with `details`, their details in the same order.
    """
    low = _low_bits(len(marks))
    bits, last = [], 0
    for one in sorted(marks):
        high, rest = divmod(one - last, 1 << low)
        bits.append("1" * high + "0" + f"{rest:0{low}b}")
        last = one
    if details:
        bits.extend(_detail(marks[one]) for one in sorted(marks))
    whole = "".join(bits)
    size = (len(whole) + 7) // 8
    raw = int(whole.ljust(8 * size, "0") or "0", 2).to_bytes(size, "big")
    return f"{len(marks)}.{base64.b85encode(raw).decode()}"


def unpacked(text: Any, *, details: bool) -> dict[int, int]:
    """Read what `packed` wrote, with the same `details`; raises ValueError for anything else."""
    count, dot, written = text.partition(".") if isinstance(text, str) else ("", "", "")
    if not dot or not count.isdecimal() or int(count) > 8 * len(written):
        raise ValueError("not a set of marks")
    raw = base64.b85decode(written)
    bits = bin(int.from_bytes(b"\1" + raw, "big"))[3:]
    low, at, last = _low_bits(int(count)), 0, 0
    found = []
    for _ in range(int(count)):
        end = bits.index("0", at)
        last += (end - at << low) + int(bits[end + 1 : end + 1 + low] or "0", 2)
        at = end + 1 + low
        found.append(last)
    values = []
    for _ in found if details else ():
        size = DETAIL_BITS if bits[at : at + 1] == "1" else 1
        values.append(int(bits[at + 1 : at + 1 + size], 2))
        at += 1 + size
    if at > len(bits):
        raise ValueError("a set of marks is cut off")
    return dict(zip(found, values or [0] * len(found), strict=True))


def _detail(value: int) -> str:
    """Return the bits of a detail: two bits for a reserved one, which most volumes have."""
    return f"1{value:0{DETAIL_BITS}b}" if value >= RESERVED else f"0{value:b}"


def _low_bits(count: int) -> int:
    """Return how many low bits of a difference are written as they are: about log2 of the mean difference."""
    return IDENTITY_BITS - count.bit_length()
