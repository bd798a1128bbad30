"""Lays out rows of cells: widths that fit, cut cells, one line for each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.text import Text

from lib.local.output.columns import Column
from lib.local.output.fitting import GAP, fitted
from lib.local.output.shown import cells, one_line, sized

_RIGID = ("shortId", "time")
"""Forms that are never cut: half an id or moment is none."""


@dataclass(frozen=True)
class Grid:
    """The lines of one table; `cut` are the titles of columns of which a cell is cut, `widths` those that are shown."""

    lines: tuple[Text, ...]
    widths: tuple[int, ...]
    cut: tuple[str, ...]


def grid(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int | None) -> Grid:
    """Lay out a table with a head in `room` columns of the terminal; None: nothing is cut."""
    titles = [one_line(column.title) for column in columns]
    clean = [[one_line(cell) for cell in row] for row in rows]
    natural = [max(map(cells, [title, *under])) for title, *under in zip(titles, *clean, strict=True)]
    widths = natural if room is None else fitted(natural, room, _rigid(columns))
    cut = tuple(title for title, wish, width in zip(titles, natural, widths, strict=False) if width < wish)
    lines = (_head(titles, widths), *(_row(row, widths) for row in clean))
    return Grid(lines, tuple(widths), cut)


@dataclass
class Rows:
    """Rows that come one by one: widths grow with what comes; the head is repeated when the columns change."""

    _step: str = ""
    _columns: tuple[Column, ...] = ()
    _natural: list[int] = field(default_factory=list)

    def lines(self, step: str, columns: tuple[Column, ...], item: object, room: int | None) -> Iterator[Text]:
        """Yield the line of one more row, before it the head where it is due."""
        row = [one_line(column.cell(item)) for column in columns]
        titles = [one_line(column.title) for column in columns]
        new = (step, columns) != (self._step, self._columns)
        if new:
            self._step, self._columns, self._natural = step, columns, [cells(title) for title in titles]
        self._natural = [max(known, cells(cell)) for known, cell in zip(self._natural, row, strict=True)]
        widths = self._natural if room is None else fitted(self._natural, room, _rigid(columns))
        if new:
            yield _head(titles, widths)
        yield _row(row, widths)

    def broken(self) -> None:
        """Repeat the head before the next row: something else was printed."""
        self._step = ""


def _rigid(columns: Sequence[Column]) -> list[bool]:
    return [column.form in _RIGID for column in columns]


def _head(titles: Sequence[str], widths: Sequence[int]) -> Text:
    return Text(_joined(titles, widths), style="bold")


def _row(row: Sequence[str], widths: Sequence[int]) -> Text:
    line = Text(_joined(row, widths))
    line.stylize("cyan", 0, len(sized(row[0], widths[0])) if widths else 0)
    return line


def _joined(texts: Sequence[str], widths: Sequence[int]) -> str:
    sized_ = [sized(text, width) for text, width in zip(texts, widths, strict=False)]
    return (" " * GAP).join(sized_).rstrip()
