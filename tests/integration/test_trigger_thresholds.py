"""The triggers resourceThreshold and diskUsage on a real engine."""

from __future__ import annotations

from typing import Any

import pytest

from lib.engine.errors import BadInput
from lib.trigger.cursor import LIMIT
from tests.integration.trigger_lab import desk, engines_closed, own_engine
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, size
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
BUSY = ["sh", "-c", "while [ ! -e /tmp/enough ]; do :; done; sleep 600"]


def what(body: dict[str, Any]) -> tuple[str, str]:
    return body["event"], body.get("metric") or body["what"]


def events(emitted: Emitted) -> list[tuple[str, str]]:
    return [what(body) for body in emitted.of("threshold")]


def calm(engine: LabEngine, container: str) -> None:
    made = engine.wire.do("POST", f"/containers/{container}/exec", {"Cmd": ["touch", "/tmp/enough"]}).json()[
        "Id"
    ]
    engine.wire.do("POST", f"/exec/{made}/start", {"Detach": True})


def cpu_seconds(engine: LabEngine, container: str) -> float:
    told = engine.wire.do("GET", f"/containers/{container}/stats", stream=False, **{"one-shot": True}).json()
    nanoseconds: int = told["cpu_stats"]["cpu_usage"]["total_usage"]
    return nanoseconds / 1e9


def works_on(engine: LabEngine, container: str) -> None:
    """Wait until it has had the processor for a while: on a busy machine it may get none between two polls."""
    before = cpu_seconds(engine, container)
    wait_until(lambda: cpu_seconds(engine, container) > before + 0.05, "the container to work")


def test_a_busy_container_is_told_after_some_polls_and_again_after_it_was_calm(own_engine: LabEngine) -> None:
    container = own_engine.run(BUSY, name="busy")
    step = desk("resource_threshold", own_engine, cpuPercent="1", polls="2", hysteresis="2", recovered=True)
    assert events(step.poll()) == []
    seen = []
    for _ in range(3):
        works_on(own_engine, container)
        seen.append(events(step.poll()))
    assert seen == [[], [("exceeded", "cpu")], []]
    calm(own_engine, container)
    wait_until(lambda: events(step.poll()) == [("recovered", "cpu")], "the recovery")
    step.replay()
    own_engine.remove(container)
    assert step.poll().bodies == []
    situation, truth = "busy for three polls, then calm", [("exceeded", "cpu"), ("recovered", "cpu")]
    record("resourceThreshold", own_engine.version, situation, told=step.told(what), truth=truth)


def test_a_container_started_again_has_no_backward_counters(own_engine: LabEngine) -> None:
    container = own_engine.run(BUSY, name="again")
    step = desk("resource_threshold", own_engine, cpuPercent="1", polls="1")
    wait_until(lambda: cpu_seconds(own_engine, container) > 1, "counters that a restart sets back")
    step.poll()
    own_engine.wire.do("POST", f"/containers/{container}/restart", t=0)
    assert events(step.poll()) == []
    own_engine.remove(container)


def test_a_kill_before_the_snapshot_repeats_with_an_equal_id(own_engine: LabEngine) -> None:
    container = own_engine.run(BUSY, name="killed")
    step = desk("resource_threshold", own_engine, cpuPercent="1", polls="1")
    step.poll()
    works_on(own_engine, container)
    first = step.poll(dies_after=1)
    works_on(own_engine, container)
    assert events(first) == [("exceeded", "cpu")]
    assert step.poll().ids == first.ids
    own_engine.remove(container)
    situation, truth = "killed between emission and snapshot", [("exceeded", "cpu")]
    record("resourceThreshold", own_engine.version, situation, told=step.told(what), truth=truth)


def test_containers_that_went_leave_the_snapshot(own_engine: LabEngine) -> None:
    made = [own_engine.run(name=f"gauge{number}") for number in range(4)]
    step = desk("resource_threshold", own_engine, memoryPercent="99")
    step.poll()
    assert 4 * 31 < size(step.snapshot) < LIMIT
    for container in made:
        own_engine.remove(container)
    step.poll()
    assert size(step.snapshot) < 200


def test_disk_usage_is_told_when_a_limit_is_crossed(own_engine: LabEngine) -> None:
    step = desk("disk_usage", own_engine, imagesGigabytes="0.001", totalGigabytes="1", recovered=True)
    first = step.poll(dies_after=1)
    emitted = step.poll()
    assert events(emitted) == [("exceeded", "images")]
    assert emitted.ids == first.ids
    assert emitted.bodies[0]["bytes"] > emitted.bodies[0]["thresholdBytes"] == 1_000_000
    assert step.poll().bodies == []
    assert events(step.poll(imagesGigabytes="0.5")) == [("recovered", "images")]
    step.replay()
    situation, truth = "crossed, killed, recovered", [("exceeded", "images"), ("recovered", "images")]
    record("diskUsage", own_engine.version, situation, told=step.told(what), truth=truth)


def test_volumes_count_into_disk_usage(own_engine: LabEngine) -> None:
    step = desk("disk_usage", own_engine, volumesGigabytes="0.003")
    step.poll()
    script = "head -c 4000000 /dev/zero >/data/file"
    container = own_engine.run(["sh", "-c", script], HostConfig={"Binds": ["usage:/data"]})
    own_engine.wait(container)
    assert events(step.poll()) == [("exceeded", "volumes")]
    own_engine.remove(container)
    own_engine.wire.do("DELETE", "/volumes/usage")
    assert step.poll().bodies == []


@pytest.mark.parametrize(
    ("module", "fields", "text"),
    [
        ("resource_threshold", {}, "cpuPercent, memoryPercent: give at least one limit"),
        ("resource_threshold", {"memoryPercent": "120"}, "memoryPercent .*: '120' is out of range"),
        ("resource_threshold", {"cpuPercent": "50", "polls": "1.5"}, "polls .*: 1.5 is no whole number"),
        ("disk_usage", {}, "totalGigabytes: give at least one limit"),
        ("disk_usage", {"imagesGigabytes": "lots"}, "imagesGigabytes .*: 'lots' is no number"),
    ],
)
def test_a_wrong_field_is_named(
    own_engine: LabEngine, module: str, fields: dict[str, str], text: str
) -> None:
    with pytest.raises(BadInput, match=text):
        desk(module, own_engine, **fields).poll()


def test_a_try_out_gives_a_sample(own_engine: LabEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    for module, fields in (
        ("resource_threshold", {"cpuPercent": "50"}),
        ("disk_usage", {"totalGigabytes": "50"}),
    ):
        assert [body["sample"] for body in desk(module, own_engine, **fields).poll().bodies] == [True]
