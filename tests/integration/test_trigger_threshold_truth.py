"""resourceThreshold on real engines of either age: what stops above its limit, small limits, many containers."""

from __future__ import annotations

import pytest

from tests.integration.trigger_lab import desk, either_engine, engines_closed
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

__all__ = ["either_engine", "engines_closed"]
pytestmark = pytest.mark.engine
# Busy while /tmp/calm is not there.
WAVES = ["sh", "-c", "while :; do [ -e /tmp/calm ] && sleep 0.1; done"]


def told(emitted: Emitted) -> list[tuple[str, str, str]]:
    return [(body["event"], body["metric"], body["container"]["name"]) for body in emitted.of("threshold")]


def run_in(engine: LabEngine, container: str, command: str) -> None:
    made = engine.wire.do("POST", f"/containers/{container}/exec", {"Cmd": ["sh", "-c", command]}).json()
    engine.wire.do("POST", f"/exec/{made['Id']}/start", {"Detach": True})


def tells(step: PollHarness, event: str, name: str) -> None:
    """Poll until something is told, which must be this."""
    found: list[tuple[str, str, str]] = []
    wait_until(lambda: bool(found.extend(told(step.poll())) or found), event)
    assert found == [(event, "cpu", name)]


def test_fault_9_20_a_small_limit_fires_again_and_a_stop_is_a_recovery(either_engine: LabEngine) -> None:
    container = either_engine.run(WAVES, name="waves")
    step = desk("resource_threshold", either_engine, cpuPercent="10", polls="1", recovered=True)
    step.poll()
    tells(step, "exceeded", "waves")
    run_in(either_engine, container, "touch /tmp/calm")
    tells(step, "recovered", "waves")
    run_in(either_engine, container, "rm /tmp/calm")
    tells(step, "exceeded", "waves")
    either_engine.wire.do("POST", f"/containers/{container}/kill")
    either_engine.wait(container)
    emitted = step.poll()
    assert told(emitted) == [("recovered", "cpu", "waves")]
    assert emitted.bodies[0]["value"] is None
    assert step.poll().bodies == []
    either_engine.remove(container)
    record("resourceThreshold", f"a limit of 10, then stopped above it ({either_engine.version})", emitted=4)


def test_fault_9_23_many_containers_are_measured_in_one_poll(either_engine: LabEngine) -> None:
    limit = {"HostConfig": {"Memory": 6 << 20}}  # the least that engines take
    made = [either_engine.run(name=f"idle{number:02}", **limit) for number in range(20)]
    step = desk("resource_threshold", either_engine, memoryPercent="0.1", polls="2")
    assert told(step.poll()) == []
    assert told(step.poll()) == [("exceeded", "memory", f"idle{number:02}") for number in range(20)]
    for container in made:
        either_engine.remove(container)
