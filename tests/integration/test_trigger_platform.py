"""A trigger as the platform runs it: a process of its own behind a broker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.trigger_lab import engines_closed
from tests.lab.broker import Broker
from tests.sailor.step_harness import StepHarness
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import PollHarness

__all__ = ["engines_closed"]


@pytest.fixture
def stage(broker: Broker) -> Iterator[StepHarness]:
    """A step of this component, not started yet."""
    with StepHarness(broker.uri) as stage:
        yield stage


@pytest.fixture
def fake(tmp_path: Any) -> Iterator[FakeEngine]:
    """An engine made of a ring."""
    engine = FakeEngine(str(tmp_path / "docker.sock"))
    yield engine
    engine.close()


def test_fault_9_25_sigterm_on_the_platform_stores_the_place_of_what_was_told(
    stage: StepHarness, fake: FakeEngine
) -> None:
    stage.platform.step["config"] = {**fake.config, "mode": "realTime", "realTimeSeconds": "600"}
    # A fifth of the deadline is left for the place, once the poll is told to end.
    process = stage.start(
        "engineEvents", ELASTICIO_COMPONENT_PATH=".", ELASTICIO_SHUTDOWN_DEADLINE="20000", LOG_LEVEL="debug"
    )
    stage.wires.send({"body": {}})
    fake.wait_for_stream()
    for _ in range(30):
        fake.publish_live()
    told = [got.payload["body"]["name"] for got in stage.all("data", 30)]
    assert told == [f"c{number}" for number in range(30)]
    assert process.stop() == 0
    snapshot: Any = None
    while stage.wires.depth("snapshot"):
        snapshot = stage.take("snapshot").plain
    fake.ring.now += 10
    assert PollHarness("engine_events", fake.config, snapshot).poll().bodies == []
