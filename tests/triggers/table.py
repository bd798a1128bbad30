"""What the trigger tests found out, as a table at the end of the run: trigger x situation."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

ROWS: list[Row] = []
_FRESH: list[Row] = []
_HEAD = ("trigger", "situation", "truth", "emitted", "lost", "false", "repeated", "with another id")


@dataclass(frozen=True)
class Row:
    """`lost` is 0, or how many and the reason of the gap that says so; `repeated` have equal ids.

    `truth`, `false` and `other` (repeats with another id) are "-" where no truth was kept beside the trigger.
    """

    trigger: str
    situation: str
    emitted: int
    lost: str
    repeated: int
    truth: str = "-"
    false: str = "-"
    other: str = "-"


def record(
    trigger: str,
    situation: str,
    *,
    emitted: int,
    lost: int = 0,
    gap: str = "",
    repeated: int = 0,
    truth: int | None = None,
) -> None:
    """Add a row; what is lost without a gap fails the test that says so.

    Who gives the `truth` (how much had to be told) has asserted that nothing was false or came with another id.
    """
    assert not lost or gap, f"{trigger}, {situation}: {lost} lost in silence"
    told = f"{lost}, gap: {gap}" if gap else str(lost)
    beside = ("-", "-", "-") if truth is None else (str(truth), "0", "0")
    _FRESH.append(Row(trigger, situation, emitted, told, repeated, *beside))


def taken() -> list[tuple[str, str, int, str, int, str, str, str]]:
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
    cells = [
        _HEAD,
        *(
            (r.trigger, r.situation, r.truth, str(r.emitted), r.lost, r.false, str(r.repeated), r.other)
            for r in ROWS
        ),
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    terminal.section("triggers: what was emitted, lost, repeated")
    for row in cells:
        terminal.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    ROWS.clear()
