from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.frames import FrameProxy
from tests.lab.broker import Broker
from tests.sailor.conftest import stage
from tests.sailor.step_harness import StepHarness

__all__ = ["stage"]


@pytest.fixture
def proxy(broker: Broker, stage: StepHarness) -> Iterator[FrameProxy]:
    """What stands between the step and its broker; the test itself speaks to the broker directly."""
    with FrameProxy(broker.port) as proxy:
        yield proxy


@pytest.fixture
def uri(broker: Broker, proxy: FrameProxy) -> str:
    """The broker's address by way of the proxy."""
    return broker.uri.replace(str(broker.port), str(proxy.port))
