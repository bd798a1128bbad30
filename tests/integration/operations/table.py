"""What was shown of every operation on every kind of engine."""

from __future__ import annotations

from lib.metadata import facts
from tests.integration.operations.kinds import KINDS, differs, left_out

SIGNS = {"passed": "ok", "failed": "FAILED", "skipped": "-"}


class Table:
    """Rows are operations, columns engines; a cell is `success/failure`, `refused` where the engine has it not."""

    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], dict[str, str]] = {}

    def note(self, key: str, kind: str, case: str, outcome: str) -> None:
        """Keep the outcome of one test; of several of one case a failed one counts."""
        cell = self._cells.setdefault((key, kind), {})
        if cell.get(case) != "failed":
            cell[case] = outcome

    def lines(self) -> list[str]:
        """The table, one line per operation; nothing if no operation was tried."""
        if not self._cells:
            return []
        kinds = [kind for kind in KINDS if any(known == kind for _, known in self._cells)]
        head = ["", "operation (success/failure case)", *kinds]
        rows = [
            [key, *(self._cell(key, kind) for kind in kinds)]
            for key in facts.load().operations
            if any((key, kind) in self._cells for kind in kinds)
        ]
        widths = [max(len(row[0]) for row in rows), *(max(12, len(kind)) for kind in kinds)]
        first = f"{head[1]:{widths[0]}}  " + "  ".join(
            f"{k:{w}}" for k, w in zip(kinds, widths[1:], strict=True)
        )
        body = [
            "  ".join(f"{cell:{w}}" for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        return ["", first, *body]

    def _cell(self, key: str, kind: str) -> str:
        cell = self._cells.get((key, kind), {})
        if not cell:
            return "differs" if differs(kind, key) and not left_out(kind, key) else ""
        if "refused" in cell:
            return "refused" if cell["refused"] == "passed" else "refused: FAILED"
        return "/".join(SIGNS.get(cell.get(case, ""), "") for case in ("success", "failure"))


TABLE = Table()
