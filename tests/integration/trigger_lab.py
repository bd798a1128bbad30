"""What the tests of triggers on real engines share."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lib import credentials
from tests.integration.old_and_new_engine import engine as own_engine
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness

__all__ = ["config", "engines_closed", "names", "own_engine", "settled"]


@pytest.fixture(autouse=True)
def engines_closed() -> Iterator[None]:
    """Close the connections that are kept for the next step."""
    yield
    for engine in credentials._engines.values():
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
