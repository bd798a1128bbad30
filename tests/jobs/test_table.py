"""Each job on the engines that have no tests of their own for it: one message, played in each of the table's cases.

It is killed after the first, the middle and the last of its changing calls. (Before a call an engine is as after the
one before it; on the other engines each call is a place to die at, see `tests/jobs/test_scenes.py`.)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import forget_engines
from tests.jobs.engines import MORE, begin
from tests.jobs.finding import SWARM
from tests.jobs.playing import ended, killed_here_and_there, of_jobs, played, read, refused, twice_at_once
from tests.jobs.scenes import Scene
from tests.lab.engine import LabEngine

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=MORE)
def own(request: Any) -> Iterator[LabEngine]:
    engine = begin(request.param)
    try:
        engine.wire.do("POST", "/swarm/init", SWARM)
        yield engine
    finally:
        forget_engines()
        engine.close()


@of_jobs("succeeds", "dry_run", "repeat", "read_only", changing=True)
def test_it_does_what_its_dry_run_says_and_a_repeat_does_nothing(
    own: LabEngine, tmp_path: Path, kind: type[Scene]
) -> None:
    with ended(kind(own, tmp_path)) as scene:
        played(scene)


@of_jobs("succeeds", "repeat", "read_only", changing=False)
def test_it_reads(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    with ended(kind(own, tmp_path)) as scene:
        read(scene)


@of_jobs("fails")
def test_it_fails_and_changes_nothing(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    with ended(kind(own, tmp_path)) as scene:
        refused(scene)


@of_jobs("at_once", changing=True)
def test_two_at_once_come_to_one_end(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    with ended(kind(own, tmp_path, waits=False)) as scene:
        twice_at_once(scene)


@of_jobs("killed", changing=True)
def test_killed_after_a_change_it_comes_to_its_end(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    killed_here_and_there(own, tmp_path, kind)
