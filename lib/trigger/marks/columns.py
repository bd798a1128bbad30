"""Packs rows of whole numbers into one compact text.

The first bytes of all rows come first, then the second bytes, and so on; then zlib and base 85. Bytes that are equal in
all rows, such as the high bytes of times, then take almost no room.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

MOST = 8 << 20
"""Upper bound of the bytes that `unpacked` inflates."""


def packed(rows: Iterable[Sequence[int]], widths: Sequence[int]) -> str:
    """Return rows of numbers as a text of ASCII characters; `widths` are the bytes of each number in a row.

    Raises ValueError for a number that is negative or does not fit its width.
    """
    try:
        lines = [b"".join(n.to_bytes(w, "big") for n, w in zip(row, widths, strict=True)) for row in rows]
    except OverflowError as error:
        raise ValueError(f"a number does not fit its column: {error}") from None
    columns = b"".join(bytes(line[place] for line in lines) for place in range(sum(widths)))
    return base64.b85encode(zlib.compress(columns, 9)).decode("ascii")


def unpacked(text: Any, widths: Sequence[int]) -> list[tuple[int, ...]]:
    """Read what `packed` wrote, with the same `widths`; raises ValueError or TypeError for anything else."""
    reader = zlib.decompressobj()
    try:
        columns = reader.decompress(base64.b85decode(text), MOST)
    except zlib.error as error:
        raise ValueError(f"no packed rows: {error}") from None
    width = sum(widths)
    if not reader.eof or reader.unused_data or len(columns) % width:
        raise ValueError("no whole rows")
    count = len(columns) // width
    rows = []
    for place in range(count):
        line, row, start = columns[place::count], [], 0
        for size in widths:
            row.append(int.from_bytes(line[start : start + size], "big"))
            start += size
        rows.append(tuple(row))
    return rows
