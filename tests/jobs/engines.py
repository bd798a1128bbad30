"""The engines that jobs are shown on: the system's own (20.10), one of the newest (28.5), and those of ENGINES."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.local.sandbox.supervisor import SupervisorError
from tests.actions.stepping import forget_engines
from tests.lab.engine import LabEngine
from tests.lab.engine_folders import FOLDERS
from tests.lab.newer import NewerEngineError, binaries
from tests.lab.podman import PodmanEngine, PodmanError
from tests.lab.skipping import missing, skip_anywhere

BOTH = ("20.10", "28.5", *FOLDERS)
MORE = ("26.1", "28.5-containerd")
"""Engines on which one message of each job is played."""
PODMAN = "podman"


def begin(name: str) -> LabEngine:
    """Start an engine of these that is the test's own; the test is skipped where it cannot be had."""
    if name in FOLDERS:
        return FOLDERS[name].begin()
    if name == PODMAN:
        try:
            return PodmanEngine()
        except (PodmanError, SupervisorError, LocalImageError) as problem:
            skip_anywhere(str(problem))
    suite = {"26.1": "trixie", "20.10": ""}.get(name, "sid")
    daemon = {"features": {"containerd-snapshotter": True}} if name == "28.5-containerd" else {}
    try:
        engine = LabEngine.begin(binaries=str(binaries(suite)) if suite else "", daemon=daemon)
    except (NewerEngineError, PrivateEngineError, LocalImageError) as problem:
        (skip_anywhere if suite else missing)(str(problem))
    engine.kind = name
    return engine


@pytest.fixture(scope="module", params=BOTH)
def own(request: Any) -> Iterator[LabEngine]:
    """An engine with nothing but the image of the lab; a test may leave things, others of its file will see them."""
    engine = begin(request.param)
    yield engine
    forget_engines()
    engine.close()


def config(engine: LabEngine, **settings: Any) -> dict[str, Any]:
    """Return the configuration of a step on this engine."""
    return {"server": "2", "otherServer": engine.url, **settings}
