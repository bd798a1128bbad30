from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.broker import Broker
from tests.sailor.step_harness import StepHarness


@pytest.fixture
def stage(broker: Broker) -> Iterator[StepHarness]:
    """A step of this test's own, not started yet."""
    with StepHarness(broker.uri) as stage:
        yield stage


@pytest.fixture(scope="module")
def shared(broker: Broker) -> Iterator[StepHarness]:
    """A step with the ordinary environment that all tests of a file send their messages to."""
    with StepHarness(broker.uri) as stage:
        stage.start()
        yield stage
