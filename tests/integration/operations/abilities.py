"""What builds by BuildKit can do on which engine, as tests have seen it: a table at the end of a run."""

from __future__ import annotations

from tests.integration.operations.kinds import KINDS

YES, NO = "yes", "-"
_SEEN: dict[tuple[str, str], str] = {}


def note(ability: str, kind: str, seen: str) -> None:
    """Keep what a test has seen of an engine of a kind: YES, NO, or a word for how it does it."""
    _SEEN[ability, kind] = seen


def lines() -> list[str]:
    """The table, one line for each ability; nothing if none was tried."""
    if not _SEEN:
        return []
    kinds = [kind for kind in KINDS if any(known == kind for _, known in _SEEN)]
    abilities = sorted({ability for ability, _ in _SEEN})
    first = max(len("builds by BuildKit"), *map(len, abilities))
    rows = [["builds by BuildKit", *kinds]]
    rows += [[ability, *(_SEEN.get((ability, kind), "") for kind in kinds)] for ability in abilities]
    widths = [first, *(max(len(row[place + 1]) for row in rows) for place in range(len(kinds)))]
    return [
        "",
        *(
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ),
    ]
