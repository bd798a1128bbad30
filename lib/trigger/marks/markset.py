"""Sets of marks in few characters: sorted, and written as the distances between them (Golomb-Rice coding).

A set of n marks of b bits takes about b - log2(n) + 1.5 bits a mark: 2,000 of 42 bits take 5.1 characters each
instead of 7. Of a new object that is compared with them, one in 2^42 / 2,000 = 2.2 * 10^9 is taken for a known one.
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
"""Details below it are no marks: 0 stands for none, 1 is the trigger's own."""
CHARACTERS = 8
"""Upper bound of the room of one mark without a detail, for sets of ten and more."""


def identity_mark(value: Any) -> int:
    """Return the mark of what an object is."""
    return number(mark(value, IDENTITY_DIGITS))


def detail_mark(value: Any) -> int:
    """Return the mark of what may change about an object; at least RESERVED."""
    return max(number(mark(value, DETAIL_DIGITS)), RESERVED)


def packed(marks: Mapping[int, int], *, details: bool) -> str:
    """Write marks of identities, each with that of its detail, as "count.text"; the text is base 85."""
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
    """Read what `packed` wrote; ValueError for anything else."""
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
    """Return the bits of a detail: most volumes have none, or a reserved one."""
    return f"1{value:0{DETAIL_BITS}b}" if value >= RESERVED else f"0{value:b}"


def _low_bits(count: int) -> int:
    """Bits of a distance that are written as they are: about the logarithm of the mean distance."""
    return IDENTITY_BITS - count.bit_length()
