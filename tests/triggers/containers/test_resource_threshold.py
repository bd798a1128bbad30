"""The trigger resourceThreshold on an engine whose counters the tests set."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStates
from lib.trigger.cursor import CursorTooLarge
from lib.trigger.marks.compact import digits
from tests.lab.waiting import DEADLINE
from tests.triggers.fake_engine import Answer, FakeEngine
from tests.triggers.old_states import pack_id
from tests.triggers.poll_harness import Emitted, PollHarness, size
from tests.triggers.table import record

KEY = "resourceThreshold"
GIGA = 10**9


class Machine:
    """Containers with a load: `cpu` in percent of one processor since the last look, `memory` in percent."""

    def __init__(self, engine: FakeEngine, count: int = 1) -> None:
        self.engine, self.count = engine, count
        self.cpu, self.memory = 0.0, 0.0
        self.used, self.passed = GIGA, 100 * GIGA
        self.statuses: dict[int, str] = {}
        self.answers: dict[int, Answer] = {}
        self.controller = True
        engine.routes["/containers/json"] = lambda _: (200, [self._entry(n) for n in range(self.count)])
        for number in range(count):
            path = f"/containers/{self.id(number)}/stats"
            engine.routes[path] = lambda _, number=number: self._stats(number)

    @staticmethod
    def id(number: int) -> str:
        return f"{number + 1:012x}".ljust(64, "c")

    def load(self, cpu: float = 0, memory: float = 0) -> None:
        """A minute passes with a load."""
        self.used += int(cpu / 100 * 60 * GIGA)
        self.passed += 60 * GIGA
        self.memory = memory
        self.engine.ring.now += 60

    def _entry(self, number: int) -> dict[str, Any]:
        status = self.statuses.get(number, "running")
        return {"Id": self.id(number), "Names": [f"/c{number}"], "Image": "i", "State": status}

    def _stats(self, number: int) -> Answer:
        if number in self.answers:
            return self.answers[number]
        memory = {"usage": int(self.memory * 10**7), "limit": GIGA} if self.controller else {}
        cpu = {
            "cpu_usage": {"total_usage": self.used + number * 10**6},
            "system_cpu_usage": self.passed + number * 10**7,
            "online_cpus": 1,
        }
        return 200, {"cpu_stats": cpu, "memory_stats": memory}


def step(engine: FakeEngine, **fields: Any) -> PollHarness:
    return PollHarness("resource_threshold", {**engine.config, "polls": "1", **fields})


def what(body: dict[str, Any]) -> tuple[str, str]:
    return body["event"], body["metric"]


def told(emitted: Emitted) -> list[tuple[str, str]]:
    return [what(body) for body in emitted.of("threshold")]


def note(desk: PollHarness, situation: str, truth: list[tuple[str, str]]) -> None:
    """A row of the table, with how often a limit was crossed."""
    record(KEY, "fake", situation, told=desk.told(what), truth=truth, gap=desk.gap)


def test_fault_9_20_a_small_limit_comes_back_and_fires_again(fake: FakeEngine) -> None:
    machine = Machine(fake)
    desk = step(fake, cpuPercent="10", recovered=True)
    desk.poll()
    seen = []
    for load in (20, 8, 3, 20, 0, 20):
        machine.load(cpu=load)
        seen.append(told(desk.poll()))
    up, down = [("exceeded", "cpu")], [("recovered", "cpu")]
    assert seen == [up, [], down, up, down, up]
    desk.replay()
    note(desk, "9.20 a limit as small as the hysteresis", [*up, *down, *up, *down, *up])


@pytest.mark.parametrize("end", ["exited", "removed", "restarting"])
def test_fault_9_20_a_container_that_stops_above_its_limit_has_recovered(fake: FakeEngine, end: str) -> None:
    machine = Machine(fake, 2)
    desk = step(fake, memoryPercent="80", recovered=True)
    machine.load(memory=90)
    assert told(desk.poll()) == [("exceeded", "memory")] * 2
    if end == "removed":
        machine.count = 1
    elif end == "exited":
        machine.statuses[1] = "exited"
    else:
        machine.answers[1] = (200, {"cpu_stats": {}, "memory_stats": {}})
    start = desk.snapshot
    emitted = desk.poll(dies_after=1)
    assert told(emitted) == [("recovered", "memory")]
    body = emitted.bodies[0]
    assert (body["value"], body["threshold"]) == (None, 80)
    assert body["container"]["id"] == (Machine.id(1)[:12] if end == "removed" else Machine.id(1))
    assert desk.snapshot == start
    assert desk.poll().ids == emitted.ids
    assert desk.poll().bodies == []
    changes = [("exceeded", "memory")] * 2 + [("recovered", "memory")]
    note(desk, f"9.20 {end} above the limit", changes)


def test_fault_9_20_no_recovery_of_what_was_only_selected_away(fake: FakeEngine) -> None:
    machine = Machine(fake)
    desk = step(fake, memoryPercent="80", recovered=True)
    machine.load(memory=90)
    desk.poll()
    assert told(desk.poll(names="other")) == []


def test_fault_9_11_cpu_is_watched_where_memory_is_not_told(fake: FakeEngine) -> None:
    machine = Machine(fake)
    machine.controller = False
    desk = step(fake, cpuPercent="50", memoryPercent="50")
    desk.poll()
    machine.load(cpu=80)
    emitted = desk.poll()
    assert told(emitted) == [("exceeded", "cpu")]
    assert emitted.bodies[0]["memoryBytes"] is None
    desk.replay()
    note(desk, "9.11 an engine without the memory controller", [("exceeded", "cpu")])


def test_fault_9_14_one_container_that_cannot_be_measured_spoils_nothing(fake: FakeEngine) -> None:
    machine = Machine(fake, 3)
    desk = step(fake, cpuPercent="50")
    desk.poll()
    machine.answers[1] = (500, {"message": "no cgroup"})
    machine.load(cpu=80)
    emitted = desk.poll()
    assert told(emitted) == [("exceeded", "cpu")] * 2
    assert [body["reason"] for body in emitted.of("warning")] == ["objectFailed"]
    machine.load(cpu=80)
    assert desk.poll().bodies == []
    del machine.answers[1]
    machine.load(cpu=80)
    assert [body["container"]["name"] for body in desk.poll().bodies] == ["c1"]
    desk.replay()
    note(desk, "9.14 500 on the stats of one", [("exceeded", "cpu")] * 3)


def test_fault_9_23_sixteen_containers_wait_together(fake: FakeEngine) -> None:
    machine = Machine(fake, 32)
    together = threading.Barrier(16)

    def wait(_: dict[str, str], number: int) -> Answer:
        together.wait(DEADLINE)  # passes only where sixteen are here at once
        return machine._stats(number)

    for number in range(32):
        fake.routes[f"/containers/{Machine.id(number)}/stats"] = lambda q, number=number: wait(q, number)
    assert step(fake, cpuPercent="50").poll().bodies == []


def test_fault_9_22_two_thousand_containers_have_room(fake: FakeEngine, tmp_path: Path) -> None:
    machine = Machine(fake, 2000)
    desk = step(fake, memoryPercent="80")
    desk.states = FolderStates(str(tmp_path / "objects"))
    desk.poll()
    machine.load(memory=90)
    assert len(told(desk.poll())) == 2000
    desk.replay()
    assert desk.poll().bodies == []
    assert size(desk.snapshot) < 500
    note(desk, "9.22 2,000 containers", [("exceeded", "memory")] * 2000)


def test_fault_9_17_the_limit_crossed_twice_within_a_second_are_two_events(fake: FakeEngine) -> None:
    """Fault 9.17: the time of a poll in seconds does not tell them apart, the counters do."""
    machine = Machine(fake)
    desk = step(fake, cpuPercent="10", recovered=True)
    desk.poll()
    now, ids = fake.ring.now, []
    for load in (20, 0, 20, 0):
        machine.load(cpu=load)
        fake.ring.now = now
        ids += desk.poll().ids
        desk.replay()
    assert len(set(ids)) == 4
    note(
        desk, "9.17 the limit crossed twice within a second", [("exceeded", "cpu"), ("recovered", "cpu")] * 2
    )


def test_fault_9_21_without_a_storage_too_many_are_refused_before_they_are_asked(fake: FakeEngine) -> None:
    Machine(fake, 500)
    with pytest.raises(CursorTooLarge):
        step(fake, memoryPercent="80").poll()
    assert not any(path.endswith("/stats") for path in fake.asked)


def test_a_snapshot_of_version_1_0_is_read(fake: FakeEngine) -> None:
    machine = Machine(fake)
    old = (
        pack_id(Machine.id(0)[:10]) + digits(GIGA, 11) + digits(100 * GIGA, 11) + digits(3, 1) + digits(0, 1)
    )
    desk = step(fake, cpuPercent="50", recovered=True)
    desk.snapshot = {"v": 1, "trigger": KEY, "engine": "", "at": 1, "gauges": old}
    machine.load(cpu=10)
    assert told(desk.poll()) == [("recovered", "cpu")]
