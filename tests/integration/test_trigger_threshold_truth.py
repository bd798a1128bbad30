"""resourceThreshold on real engines of either age: what stops above its limit, small limits, many containers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.trigger_lab import desk, engines_closed, own_engine
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
# Busy while /tmp/calm is not there.
WAVES = ["sh", "-c", "while :; do [ -e /tmp/calm ] && sleep 0.1; done"]


def what(body: dict[str, Any]) -> tuple[str, str, str]:
    return body["event"], body["metric"], body["container"]["name"]


def told(emitted: Emitted) -> list[tuple[str, str, str]]:
    return [what(body) for body in emitted.of("threshold")]


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[tuple[str, str, str]]) -> None:
    """A row of the table, with what happened to the containers."""
    told = step.told(what)
    record("resourceThreshold", engine.version, situation, told=told, truth=truth, gap=step.gap)


def run_in(engine: LabEngine, container: str, command: str) -> None:
    made = engine.wire.do("POST", f"/containers/{container}/exec", {"Cmd": ["sh", "-c", command]}).json()
    engine.wire.do("POST", f"/exec/{made['Id']}/start", {"Detach": True})


def tells(step: PollHarness, event: str, name: str) -> None:
    """Poll until something is told, which must be this."""
    found: list[tuple[str, str, str]] = []
    wait_until(lambda: bool(found.extend(told(step.poll())) or found), event)
    assert found == [(event, "cpu", name)]


def test_fault_9_20_a_small_limit_fires_again_and_a_stop_is_a_recovery(own_engine: LabEngine) -> None:
    container = own_engine.run(WAVES, name="waves")
    step = desk("resource_threshold", own_engine, cpuPercent="10", polls="1", recovered=True)
    step.poll()
    tells(step, "exceeded", "waves")
    run_in(own_engine, container, "touch /tmp/calm")
    tells(step, "recovered", "waves")
    run_in(own_engine, container, "rm /tmp/calm")
    tells(step, "exceeded", "waves")
    own_engine.wire.do("POST", f"/containers/{container}/kill")
    own_engine.wait(container)
    emitted = step.poll()
    step.replay()
    assert told(emitted) == [("recovered", "cpu", "waves")]
    assert emitted.bodies[0]["value"] is None
    assert step.poll().bodies == []
    own_engine.remove(container)
    changes = [(event, "cpu", "waves") for event in ("exceeded", "recovered") * 2]
    note(step, own_engine, "9.20 a limit of 10, then stopped above it", changes)


def test_fault_9_23_many_containers_are_measured_in_one_poll(own_engine: LabEngine) -> None:
    limit = {"HostConfig": {"Memory": 6 << 20}}  # the least that engines take
    made = [own_engine.run(name=f"idle{number:02}", **limit) for number in range(20)]
    step = desk("resource_threshold", own_engine, memoryPercent="0.1", polls="2")
    assert told(step.poll()) == []
    changes = [("exceeded", "memory", f"idle{number:02}") for number in range(20)]
    assert told(step.poll()) == changes
    step.replay()
    note(step, own_engine, "9.23 twenty containers in one poll", changes)
    for container in made:
        own_engine.remove(container)
