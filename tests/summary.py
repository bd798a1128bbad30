"""Tables at the end of a run. What a test found out travels with its report, since it may run in another process."""

from __future__ import annotations

import re

import pytest

from tests.integration.operations import abilities
from tests.integration.operations.table import TABLE
from tests.jobs import deaths
from tests.jobs import table as jobs
from tests.triggers import table

OPERATION, ABILITY, TRIGGER, JOB, DEATHS, NOTE = "operation", "ability", "trigger", "job", "deaths", "note"
NOTES: list[str] = []
# The numbered statements of the platform's checklist, and whether all tests of each passed.
STATEMENTS = range(1, 91)
HOLDS: dict[int, bool] = {}
_NUMBERED = re.compile(r"(?:test|and)_(\d\d)_")


def collect(report: pytest.TestReport) -> None:
    """Take over what the report of one test brings."""
    for name, value in report.user_properties:
        if name == OPERATION:
            TABLE.note(*value)
        elif name == ABILITY and report.passed:
            abilities.note(*value)
        elif name == TRIGGER:
            table.add(table.Row(*value))
        elif name == JOB:
            jobs.note(*value)
        elif name == DEATHS:
            deaths.ROWS.append(tuple(value))
        elif name == NOTE and report.when == "call":
            NOTES.append(str(value))
    if "tests/sailor/test_checklist_" in report.nodeid and (report.when == "call" or report.failed):
        for number in map(int, _NUMBERED.findall(report.nodeid)):
            HOLDS[number] = HOLDS.get(number, True) and report.passed


def show(terminal: pytest.TerminalReporter) -> None:
    """Print everything once."""
    for line in [*TABLE.lines(), *abilities.lines()]:
        terminal.write_line(line)
    table.show(terminal)
    jobs.show(terminal)
    deaths.show(terminal)
    for note in [*NOTES, *_checklist()]:
        terminal.write_line(note)


def _checklist() -> list[str]:
    if not HOLDS:
        return []
    broken = [str(number) for number in STATEMENTS if not HOLDS.get(number)]
    held = len(STATEMENTS) - len(broken)
    return [
        f"sailor checklist: {held} of {len(STATEMENTS)}",
        *([f"not shown: {', '.join(broken)}"] if broken else []),
    ]
