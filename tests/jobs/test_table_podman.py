"""Each job on Podman, as far as that can do what the job needs; `tests/jobs/table.py` says what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import forget_engines
from tests.jobs.engines import PODMAN, begin
from tests.jobs.playing import ended, killed_here_and_there, of_jobs, played, read, refused
from tests.jobs.scenes import Scene
from tests.lab.engine import LabEngine

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=[PODMAN])
def own(request: Any) -> Iterator[LabEngine]:
    engine = begin(request.param)
    try:
        yield engine
    finally:
        forget_engines()
        engine.close()


@of_jobs("succeeds", "dry_run", "repeat", "read_only", on=PODMAN, changing=True)
def test_it_does_what_its_dry_run_says_and_a_repeat_does_nothing(
    own: LabEngine, tmp_path: Path, kind: type[Scene]
) -> None:
    with ended(kind(own, tmp_path)) as scene:
        played(scene)


@of_jobs("succeeds", "repeat", "read_only", on=PODMAN, changing=False)
def test_it_reads(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    with ended(kind(own, tmp_path)) as scene:
        read(scene)


@of_jobs("fails", on=PODMAN)
def test_it_fails_and_changes_nothing(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    with ended(kind(own, tmp_path)) as scene:
        refused(scene)


@of_jobs("killed", on=PODMAN, changing=True)
def test_killed_after_a_change_it_comes_to_its_end(own: LabEngine, tmp_path: Path, kind: type[Scene]) -> None:
    killed_here_and_there(own, tmp_path, kind)
