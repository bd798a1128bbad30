"""How wide the columns of a table are, and how wide a table may be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

GAP = 2
"""Blanks between two columns."""
_LEAST = 8
"""Characters to which a column may be cut."""
_OTHERWISE = 160
_NARROWEST, _WIDEST = 20, 1000


def fitted(widths: Sequence[int], room: int, rigid: Sequence[bool] = ()) -> list[int]:
    """Return the widths of the columns that are shown in `room` characters.

    The widest column is cut first, down to eight characters, but none that is `rigid`; if that is not enough, the last
    ones are left out.
    """
    fixed = [*rigid, *[False] * (len(widths) - len(rigid))]
    for count in range(len(widths), 0, -1):
        kept = list(widths[:count])
        over = sum(kept) + GAP * (count - 1) - room
        while over > 0:
            soft = [
                (width, -place) for place, width in enumerate(kept) if not fixed[place] and width > _LEAST
            ]
            if not soft:
                break
            kept[-max(soft)[1]] -= 1
            over -= 1
        if over <= 0:
            return kept
    return [max(1, room)] if widths else []


def width(environment: Mapping[str, str], descriptors: Iterable[int]) -> int:
    """Return the characters of a line: COLUMNS, else those of the first descriptor that is a terminal, else 160."""
    given = environment.get("COLUMNS", "")
    if given.isascii() and given.isdigit() and len(given) < len(str(_WIDEST)) + 1 and int(given):
        return max(_NARROWEST, min(int(given), _WIDEST))
    for descriptor in descriptors:
        try:
            columns = os.get_terminal_size(descriptor).columns
        except OSError:
            continue
        if columns:
            return max(_NARROWEST, min(columns, _WIDEST))
    return _OTHERWISE
