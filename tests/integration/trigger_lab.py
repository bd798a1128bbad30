"""What the tests of triggers on real engines share."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lib import credentials
from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from tests.lab.engine import LabEngine
from tests.lab.newer import NewerEngineError, begin, binaries
from tests.lab.skipping import missing, skip_anywhere
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness

__all__ = ["config", "either_engine", "engines_closed", "names", "own_engine", "settled"]


@pytest.fixture(autouse=True)
def engines_closed() -> Iterator[None]:
    """Close the connections that are kept for the next step."""
    yield
    for engine in credentials._engines.values():
        engine.close()


@pytest.fixture(scope="module")
def own_engine() -> Iterator[LabEngine]:
    """An engine that nobody else's events reach, and that may be stopped; of the suite LAB_SUITE, if that is set."""
    suite = os.environ.get("LAB_SUITE")
    try:
        engine = LabEngine.begin(binaries=str(binaries(suite)) if suite else "")
    except (PrivateEngineError, LocalImageError, NewerEngineError) as problem:
        missing(str(problem))
    yield engine
    engine.close()


@pytest.fixture(scope="module", params=["20.10", "28.5"])
def either_engine(request: pytest.FixtureRequest) -> Iterator[LabEngine]:
    """The system's engine, and a newer one, each of the module's own."""
    try:
        engine = LabEngine.begin() if request.param == "20.10" else begin("sid")
    except NewerEngineError as problem:
        skip_anywhere(str(problem))
    except (PrivateEngineError, LocalImageError) as problem:
        missing(str(problem))
    yield engine
    engine.close()


def config(engine: LabEngine, **fields: Any) -> dict[str, Any]:
    """A step's configuration for an engine."""
    return {"server": "2", "otherServer": engine.url, **fields}


def settled() -> None:
    """Wait until what happened is old enough for a poll: two whole seconds by the engine's clock, which is ours."""
    shown = math.ceil(time.time()) + 2.05
    wait_until(lambda: time.time() >= shown, "what happened to be shown")


def names(emitted: Emitted, kind: str = "event") -> list[str]:
    """The names in messages of a kind."""
    return [body.get("name") or body["container"]["name"] for body in emitted.of(kind)]


def desk(module: str, engine: LabEngine, **fields: Any) -> PollHarness:
    """A step of a trigger on an engine."""
    return PollHarness(module, config(engine, **fields))
