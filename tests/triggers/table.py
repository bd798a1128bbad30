"""What the trigger tests found out, as a table at the end of the run: trigger x situation."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

ROWS: list[Row] = []
_FRESH: list[Row] = []
_HEAD = ("trigger", "situation", "emitted", "lost", "repeated")


@dataclass(frozen=True)
class Row:
    """`lost` is 0, or how many and the reason of the gap that says so; `repeated` have equal ids."""

    trigger: str
    situation: str
    emitted: int
    lost: str
    repeated: int


def record(
    trigger: str, situation: str, *, emitted: int, lost: int = 0, gap: str = "", repeated: int = 0
) -> None:
    """Add a row; what is lost without a gap fails the test that says so."""
    assert not lost or gap, f"{trigger}, {situation}: {lost} lost in silence"
    told = f"{lost}, gap: {gap}" if gap else str(lost)
    _FRESH.append(Row(trigger, situation, emitted, told, repeated))


def taken() -> list[tuple[str, str, int, str, int]]:
    """Return the rows added since the last call, for the report of the test that added them."""
    rows = [astuple(row) for row in _FRESH]
    _FRESH.clear()
    return rows


def add(row: Row) -> None:
    """Put a row into the table of this run."""
    if row not in ROWS:
        ROWS.append(row)


def show(terminal: Any) -> None:
    """Print the table once."""
    if not ROWS:
        return
    cells = [_HEAD, *((r.trigger, r.situation, str(r.emitted), r.lost, str(r.repeated)) for r in ROWS)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    terminal.section("triggers: what was emitted, lost, repeated")
    for row in cells:
        terminal.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    ROWS.clear()
