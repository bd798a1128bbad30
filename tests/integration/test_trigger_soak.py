"""All triggers at once on an engine that never rests: the short form of `python -m bench.trigger_soak`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.trigger_lab import own_engine
from tests.lab.engine import LabEngine
from tests.lab.registry import Registry, RegistryError
from tests.lab.skipping import missing
from tests.triggers.soak.soak import run
from tests.triggers.soak.verdict import table
from tests.triggers.table import Row, add_counted

__all__ = ["own_engine"]
pytestmark = pytest.mark.engine
SECONDS = 20
SEED = 9


@pytest.fixture
def own_registry(own_engine: LabEngine) -> Iterator[Registry]:
    try:
        registry = Registry(own_engine)
    except RegistryError as problem:
        missing(str(problem))
    yield registry
    registry.close()


def test_nothing_is_lost_in_silence_nothing_is_false_and_repeats_have_equal_ids(
    own_engine: LabEngine, own_registry: Registry, tmp_path: Path
) -> None:
    """EventRecorder is what the soak did itself, and the engine's events as a reader of the lab's own got them."""
    verdicts = run(own_engine, own_registry, tmp_path, SECONDS, SEED)
    print(table(verdicts))
    assert [fault for verdict in verdicts for fault in verdict.faults] == []
    for one in verdicts:
        gaps = [notice.split()[1].rstrip(":") for notice in one.notices if notice.startswith("gap ")]
        situation = f"soak of {SECONDS} s, {one.polls} polls, {one.kills} x SIGKILL"
        told, lost = one.told + one.repeated, str(one.gaps + len(one.lost))
        wrong = len(one.false), len(one.other)
        row = Row(
            one.trigger,
            own_engine.version,
            situation,
            one.truth,
            told,
            lost,
            wrong[0],
            one.repeated,
            wrong[1],
        )
        add_counted(row, gaps[0] if one.gaps and gaps else "")
