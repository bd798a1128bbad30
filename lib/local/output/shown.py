"""Texts from outside as a terminal may show them: markup has no effect, and control characters are replaced."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

_LINE, _TAB = 10, 9
_DIRECTIONS = (*range(0x200E, 0x2010), *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0x061C, 0xFEFF)
"""They turn the direction of what stands around them, or end lines: a name could pretend to be another one."""
_BAD = (*range(32), *range(127, 160), *_DIRECTIONS, *range(0xD800, 0xE000))
_CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in _BAD if code not in (_LINE, _TAB)}
_ONE_LINE = {**_CONTROLS, _LINE: " ", _TAB: " "}


def shown(text: str, style: str = "") -> Text:
    """Return a text of any number of lines to print."""
    return Text(text.translate(_CONTROLS), style=style)


def one_line(text: str) -> str:
    """Return a text in one line, for a cell or a status."""
    return text.translate(_ONE_LINE)


def cells(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    return cell_len(text)


def sized(text: str, width: int) -> str:
    """Return a text in exactly `width` columns: filled with blanks, or cut with an ellipsis."""
    return set_cell_size(text, width) if cell_len(text) <= width else f"{set_cell_size(text, width - 1)}…"
