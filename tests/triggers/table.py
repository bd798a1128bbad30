"""What the trigger tests found out, as a table at the end of the run: trigger x engine x situation.

A row is counted, never claimed: a test hands over what it was told, each message as (what it says, its id), and what
really happened, from the engine or from what the test itself did. What happened twice stands in the truth twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import astuple, dataclass
from typing import Any

ROWS: list[Row] = []
_FRESH: list[Row] = []
_HEAD = ("trigger", "engine", "situation", "truth", "told", "lost", "false", "repeated", "with another id")

Told = tuple[Hashable, str]
"""What a message says, and its id."""


@dataclass(frozen=True)
class Row:
    """`lost` is 0, or how many and the gap or warning that says so; `repeated` came again with an equal id."""

    trigger: str
    engine: str
    situation: str
    truth: int
    told: int
    lost: str
    false: int
    repeated: int
    other: int


def record(
    trigger: str,
    engine: str,
    situation: str,
    *,
    told: Iterable[Told],
    truth: Iterable[Hashable],
    gap: str = "",
) -> None:
    """Count and add a row; what is false, has another id, or is lost without a gap fails the test.

    An id stands for one event: several ids of what happened once are repeats with another id, one id of several
    events is one of them too.
    """
    messages, happened = list(told), Counter(truth)
    ids: dict[Hashable, set[str]] = {}
    for what, identity in messages:
        ids.setdefault(what, set()).add(identity)
    lost = sum(max(0, count - len(ids.get(what, ()))) for what, count in happened.items())
    false = sum(len(found) for what, found in ids.items() if what not in happened)
    if false:
        print("told, and did not happen:", [what for what in ids if what not in happened])
    if lost and not gap:
        missing = [what for what, count in happened.items() if count > len(ids.get(what, ()))]
        print("happened, and was not told:", missing)
    other = sum(max(0, len(found) - happened[what]) for what, found in ids.items() if what in happened)
    shared = Counter(identity for found in ids.values() for identity in found)
    other += sum(count - 1 for count in shared.values())
    repeated = len(messages) - len(shared)
    add_counted(
        Row(trigger, engine, situation, happened.total(), len(messages), str(lost), false, repeated, other),
        gap,
    )


def add_counted(row: Row, gap: str = "") -> None:
    """Add a row whose columns were counted elsewhere."""
    name = f"{row.trigger} on {row.engine}, {row.situation}"
    assert row.lost == "0" or gap, f"{name}: {row.lost} lost in silence"
    assert (row.false, row.other) == (0, 0), f"{name}: {row.false} false, {row.other} with another id"
    lost = f"{row.lost}, told: {gap}" if gap else row.lost
    _FRESH.append(Row(**{**row.__dict__, "lost": lost}))


def taken() -> list[tuple[Any, ...]]:
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
    rows = sorted(ROWS, key=lambda row: (row.trigger, row.situation, row.engine))
    cells = [_HEAD, *(tuple(map(str, astuple(row))) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEAD))]
    terminal.section("triggers: what happened, what was told of it, lost, false, repeated")
    for row in cells:
        terminal.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    ROWS.clear()
