"""What the tests of jobs showed, as two tables at the end of the run: job x engine x case, and what deaths came to.

A test falls into the first table by its file (test_run_container_... is of RunContainer) and by the words of CASES in
its name; `@pytest.mark.shows("RunContainer", "killed", ...)` says it where these do not, with several cases, or with
none, and several marks where it shows several jobs. The engine is the parameter of its fixture. A cell counts the tests
that passed; an empty one has its reason in LEGEND, or is "missing".
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lib.metadata.jobs import GROUPS
from tests.jobs.engines import BOTH, MORE, PODMAN

CASES = ("succeeds", "fails", "dry_run", "repeat", "killed", "at_once", "read_only")
READS = "reads"
LEGEND = {
    READS: "the job only reads: nothing is planned, and a step that dies has done nothing",
    "swarm": "Podman has no swarm",
    "checks": "Podman has systemd start health checks, and there is none",
    "moment": "calls that Podman gets at one moment refuse each other (500), so that one of two steps may fail there",
    "registry": "Podman asks a registry over TLS, which that of the tests does not speak",
    "events": "events of Podman name no command, so a repeat cannot be known (docs/jobs.md#runcommand)",
}
"""What stands in a cell that no test fills -> why."""
NOTE = (
    f"On {', '.join((*MORE, PODMAN))} a step is killed after the first, the middle and the last of its changing calls,"
    " on the others before and after each."
)
_SWARM = ("EnsureService", "EnsureSecret", "EnsureConfig", "RolloutService", "RotateSecret")
LACKS: dict[tuple[str, str], str] = {
    **{(PODMAN, key): "swarm" for key in _SWARM},
    (PODMAN, "HealContainers"): "checks",
    (PODMAN, "EnsureImage"): "registry",
    (PODMAN, "MirrorImage"): "registry",
    (PODMAN, "RunCommand"): "events",
}
"""(engine, job) -> the reason why the job is not played there."""
_NO_EFFECT = ("dry_run", "repeat", "killed", "at_once")
_WORDS = {case: re.compile(rf"(?:^|_){case}(?:_|$)") for case in CASES}
_FIRST_OF_NAME = re.compile(r"(?<!^)(?=[A-Z])")

Cell = Counter[str]
CELLS: dict[tuple[str, str], dict[str, Cell]] = {}


@cache
def _files() -> dict[str, str]:
    """How the name of a test's file begins -> job, the longest first."""
    files = {f"test_{_FIRST_OF_NAME.sub('_', key).lower()}": key for key in _keys()}
    return dict(sorted(files.items(), key=lambda item: -len(item[0])))


@cache
def _keys() -> dict[str, bool]:
    """Each job, and whether it changes something."""
    folder = Path(__file__).parents[2] / "lib/metadata/words/jobs"
    tables = [tomllib.loads((folder / f"{group}.toml").read_text()) for group in GROUPS]
    return {key: bool(table["changes"]) for group in tables for key, table in group.items()}


def changes(key: str) -> bool:
    """Whether a job changes something."""
    return _keys()[key]


def shown(item: pytest.Item) -> list[tuple[str, str, str]]:
    """Return (job, engine, case) of all that a test shows; nothing for one without an engine."""
    known = (*BOTH, *MORE, PODMAN)
    params = getattr(getattr(item, "callspec", None), "params", {}).values()
    engine = next((value for value in params if isinstance(value, str) and value in known), "")
    if not engine and "podman_service" in getattr(item, "fixturenames", ()):
        engine = PODMAN
    if not engine:
        return []
    name = getattr(item, "originalname", item.name)
    said = [case for case, word in _WORDS.items() if word.search(name)]
    marks = [mark.args for mark in item.iter_markers("shows")]
    if not marks:
        stem = item.path.stem
        marks = [(key,) for file, key in _files().items() if stem == file or stem.startswith(f"{file}_")][:1]
    for key, *cases in marks:
        if key not in _keys() or not set(cases) <= set(CASES):
            raise pytest.UsageError(f"{item.nodeid} shows {key} {cases}, which is none of {CASES}")
    return [(key, engine, case) for key, *cases in marks for case in cases or said]


def note(key: str, engine: str, case: str, outcome: str) -> None:
    """Count the outcome of one test."""
    CELLS.setdefault((key, engine), {}).setdefault(case, Counter())[outcome] += 1


def show(terminal: Any) -> None:
    """Print the tables once."""
    if CELLS:
        terminal.section("jobs: tests that passed, by job, engine and case")
        lines = list(_lines())
        _print(terminal, lines)
        for word, why in LEGEND.items():
            if any(f"({word})" in line for line in lines):
                terminal.write_line(f"({word}) {why}")
        terminal.write_line(NOTE)
        CELLS.clear()


def _lines() -> Iterable[tuple[str, ...]]:
    engines = {engine for _, engine in CELLS}
    yield "job", "engine", *(case.replace("_", " ") for case in CASES)
    for key in _keys():
        for engine in (*BOTH, *MORE, PODMAN):
            if (key, engine) in CELLS or (engine in engines and (engine, key) in LACKS):
                yield key, engine, *(_cell(key, engine, case) for case in CASES)


def _cell(key: str, engine: str, case: str) -> str:
    outcomes = CELLS.get((key, engine), {}).get(case)
    if not outcomes:
        return _reason(key, engine, case)
    if bad := outcomes["failed"]:
        return f"FAILED {bad} of {outcomes.total()}"
    skipped = outcomes["skipped"]
    return str(outcomes["passed"]) if not skipped else f"{outcomes['passed']} and {skipped} skipped"


def _reason(key: str, engine: str, case: str) -> str:
    if reason := LACKS.get((engine, key)):
        return f"({reason})"
    if engine == PODMAN and case == "at_once" and _keys()[key]:
        return "(moment)"
    return f"({READS})" if not _keys()[key] and case in _NO_EFFECT else "missing"


def _print(terminal: Any, lines: Iterable[tuple[str, ...]]) -> None:
    rows = list(lines)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        terminal.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
