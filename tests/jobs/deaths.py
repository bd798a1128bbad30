"""The table of deaths at the end of a run: what became of messages whose step was killed at its changing calls.

Each message whose step was killed is counted when it has been delivered again, from the events of the engine and from
what the platform was told, whatever the test itself looks at.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.jobs.crash import Delivery

EFFECTS = {
    "RunContainer": ("container", "start"),
    "RunCommand": ("container", "exec_start"),
    "EnsureContainer": ("container", "start"),
    "RedeployContainer": ("container", "start"),
    "HealContainers": ("container", "restart"),
    "EnsureImage": ("image", "pull"),
    "EnsureNetwork": ("network", "create"),
    "EnsureVolume": ("volume", "create"),
    "EnsureService": ("service", "create", "update", "remove"),
    "EnsureSecret": ("secret", "create"),
    "EnsureConfig": ("config", "create"),
    "RolloutService": ("service", "update"),
    "RotateSecret": ("secret", "create"),
    "DeleteObject": ("container", "destroy"),
    "PruneEngine": ("container", "destroy"),
    "MirrorImage": ("image", "push"),
    "CopyFilesIn": ("container", "extract-to-dir"),
    "RestoreVolume": ("volume", "create"),
}
"""The events of the engine that stand for the effect of a job; others have none but what they tell."""
OURS = re.compile(r"/?job-|.*\.(next|previous|mac)-")
"""Names of what a job needs for its own purposes, and takes away at its end."""
_STEPS = {"updatestate.new"}
_Row = tuple[str, str, int, str, str, int]
FRESH: dict[Delivery, _Row] = {}
"""What the test that runs has counted so far, by delivery."""
ROWS: list[_Row] = []
_HEAD = ("job", "engine", "changing calls", "kills", "effects", "results", "leftovers")


def leftovers(found: dict[str, list[str]]) -> set[str]:
    """Return those of an engine's things that jobs have made for themselves."""
    return {name for names in found.values() for name in names if OURS.match(name)}


def taken() -> list[_Row]:
    """Return what was counted since the last call, for the report of the test that did it."""
    rows = list(FRESH.values())
    FRESH.clear()
    return rows


def counted(delivery: Delivery) -> _Row:
    """Count a delivery that was killed and has come again: at which call it was, its effects, results, leftovers."""
    kind, *actions = EFFECTS.get(delivery.key, ("",))
    events = [event for action in actions for event in delivery.events(action, kind)]
    if kind == "service":  # a swarm tells of each step of an update, too
        events = [event for event in events if not _STEPS & event["Actor"]["Attributes"].keys()]
    if kind == "volume":  # of those that remember something there may be more
        events = [event for event in events if not OURS.match(event["Actor"]["ID"])]
    kept = delivery.settings.get("evidence") == "keep"
    return (
        delivery.key,
        delivery.engine.kind or delivery.engine.version.rpartition(".")[0],
        delivery.at,
        str(len(events)) if actions else "-",
        str(len(delivery.told)),
        0 if kept else len(delivery.left()),
    )


def show(terminal: Any) -> None:
    """Print the table once."""
    if not ROWS:
        return
    terminal.section("jobs: killed before and after each changing call, and delivered again")
    lines = [_HEAD, *_lines()]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        terminal.write_line("  ".join(cells).rstrip())
    ROWS.clear()


def _lines() -> Iterator[tuple[str, ...]]:
    for job in sorted({row[:2] for row in ROWS}):
        rows = [row for row in ROWS if row[:2] == job]
        yield (
            *job,
            str(max(row[2] for row in rows)),
            str(len(rows)),
            _spread(row[3] for row in rows),
            _spread(row[4] for row in rows),
            str(sum(row[5] for row in rows)),
        )


def _spread(values: Iterator[str]) -> str:
    """How often each number was counted, as in "1 (9 times), 2 (once)"; the number alone where it is always one."""
    counts = sorted(Counter(values).items())
    if len(counts) == 1:
        return counts[0][0]
    return ", ".join(f"{value} ({'once' if times == 1 else f'{times} times'})" for value, times in counts)
