"""The bench of jobs in its short form: each side does what it is to do, and what it costs is counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench.jobs import HEAD, costs, line, rows
from tests.actions.stepping import forget_engines
from tests.integration.trigger_lab import own_engine
from tests.lab.engine import LabEngine
from tests.local.running import ROOT

__all__ = ["own_engine"]
pytestmark = pytest.mark.engine
CONTAINERS, MEGABYTES = 3, 2


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def test_every_row_is_measured_on_both_sides(own_engine: LabEngine) -> None:
    measured = rows(CONTAINERS, MEGABYTES)
    found = list(costs(own_engine, measured, rounds=2))
    known = json.loads((ROOT / "component.json").read_text())["actions"]
    assert [sides[0].key for sides in found] == [row.key for row in measured if row.key in known]
    people = ["job", "docker"] if shutil.which("docker") else ["job"]
    for sides in found:
        assert [cost.who for cost in sides] == people
        for cost in sides:
            assert len(cost.ms) == len(cost.cpu) == 2
            assert cost.calls
            assert cost.read
            assert len(line(cost, sides[-1])) == len(HEAD)
    calls = {cost.key: cost.calls for sides in found for cost in sides if cost.who == "job"}
    assert len([call for call in calls["PruneEngine"] if call.startswith("DELETE")]) == CONTAINERS


def test_a_job_that_is_not_there_is_skipped_with_a_word(
    own_engine: LabEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    (image,) = [row for row in rows(1, 1) if row.key == "EnsureImage"]
    missing = replace(image, key="EnsureNothing")
    assert list(costs(own_engine, [missing], rounds=1)) == []
    assert "EnsureNothing" in capsys.readouterr().out
