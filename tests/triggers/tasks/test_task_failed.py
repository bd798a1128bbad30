"""The trigger taskFailed on a swarm whose tasks the test writes."""

from __future__ import annotations

from typing import Any

import pytest

from lib.trigger.clock import SECOND, iso
from lib.trigger.cursor import LIMIT
from lib.trigger.marks.compact import mark
from lib.trigger.marks.markset import identity_mark, packed
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import Emitted, PollHarness, size
from tests.triggers.table import record

KEY = "taskFailed"


class Swarm:
    """Tasks, each change of which takes the next version; `desk` watches them."""

    def __init__(self, fake: FakeEngine, **fields: Any) -> None:
        self.fake = fake
        self.tasks: dict[str, Any] = {}
        self.services: list[Any] = [{"ID": "s1", "Spec": {"Name": "web"}}]
        self.nodes: list[Any] = [{"ID": "n1", "Description": {"Hostname": "worker"}}]
        self.limit: int | None = 5
        self.index = 10
        orchestration = {"TaskHistoryRetentionLimit": 5}
        fake.routes["/swarm"] = lambda _: (
            200,
            {
                "ID": "one",
                "Spec": {"Orchestration": {**orchestration, "TaskHistoryRetentionLimit": self.limit}},
            },
        )
        fake.routes["/tasks"] = lambda _: (200, list(self.tasks.values()))
        fake.routes["/services"] = lambda _: (200, self.services)
        fake.routes["/nodes"] = lambda _: (200, self.nodes)
        self.desk = PollHarness("task_failed", {**fake.config, **fields})

    def put(self, name: str, state: str, desired: str = "running", *, slot: int = 1, **more: Any) -> None:
        """A task in a state; a state that it had is kept with its time."""
        self.index += 1
        time = iso(int(self.fake.ring.now * SECOND))
        before = self.tasks.get(name, {}).get("Status", {})
        if before.get("State") == state:
            time = before["Timestamp"]
        self.tasks[name] = {
            "ID": name,
            "Version": {"Index": self.index},
            "ServiceID": "s1",
            "NodeID": "n1",
            "Slot": slot,
            "DesiredState": desired,
            "Status": {"State": state, "Timestamp": time},
            **more,
        }


def told(emitted: Emitted) -> list[str]:
    return [body["task"] for body in emitted.of("task")]


def note(swarm: Swarm, situation: str, truth: list[str]) -> None:
    """A row of the table, with the tasks that failed or are stuck."""
    told = swarm.desk.told(lambda body: body["task"])
    record(KEY, "fake", situation, told=told, truth=truth, gap=swarm.desk.gap)


def reasons(emitted: Emitted) -> list[str]:
    return [body["reason"] for body in emitted.of("warning")]


@pytest.fixture
def swarm(fake: FakeEngine) -> Swarm:
    return Swarm(fake)


def crash(swarm: Swarm, numbers: range) -> None:
    """A slot that fails again and again, in a swarm that remembers five tasks of it, the present one among them."""
    for number in numbers:
        swarm.put(f"t{number}", "failed", "shutdown")
        swarm.put(f"t{number + 1}", "running")
    for number in range(max(numbers[-1] - 3, 0)):
        swarm.tasks.pop(f"t{number}", None)


def test_fault_9_1_more_failures_than_the_swarm_remembers_are_warned_of(swarm: Swarm) -> None:
    """Fault 9.1: the present task counts in the history, so of five tasks only four have failed."""
    swarm.put("t0", "running")
    swarm.desk.poll()
    crash(swarm, range(9))
    assert len(swarm.tasks) == 5
    killed = swarm.desk.poll(dies_after=5)
    emitted = swarm.desk.poll()
    assert (len(told(emitted)), reasons(emitted)) == (4, ["history"])
    assert emitted.of("warning")[0]["service"] == {"id": "s1", "name": "web"}
    assert killed.ids == emitted.ids
    assert swarm.desk.poll().bodies == []
    crash(swarm, range(9, 18))
    again = swarm.desk.poll()
    assert (len(told(again)), reasons(again)) == (4, ["history"])
    assert not {*again.ids} & {*emitted.ids}
    failed = [f"t{number}" for number in range(18)]
    note(swarm, "9.1 18 failures of a slot with a history of 5", failed)


def test_fault_9_1_what_is_proven_to_be_whole_is_not_warned_of(swarm: Swarm) -> None:
    """Fault 9.1: a failure of before that is still there shows that no later one was forgotten."""
    swarm.put("t0", "running")
    swarm.desk.poll()
    for first in range(0, 9, 3):
        crash(swarm, range(first, first + 3))
        emitted = swarm.desk.poll()
        assert (told(emitted), reasons(emitted)) == ([f"t{number}" for number in range(first, first + 3)], [])


def test_fault_9_1_failures_pushed_out_by_other_ends_are_warned_of(swarm: Swarm) -> None:
    """Fault 9.1: also those of which nothing is left."""
    swarm.put("t0", "running")
    swarm.desk.poll()
    del swarm.tasks["t0"]
    for number in range(4):
        swarm.put(f"t{number + 5}", "complete", "shutdown")
    swarm.put("t9", "running")
    assert reasons(swarm.desk.poll()) == ["history"]


@pytest.mark.parametrize(
    ("attempts", "limit", "changed", "warned"),
    [
        (9, 5, True, []),
        (3, 50, True, ["history"]),
        (4, 5, True, ["history"]),
        (4, 5, False, []),
        (0, -1, True, []),
    ],
)
def test_fault_9_1_the_service_may_have_another_history(
    swarm: Swarm, attempts: int, limit: int, changed: bool, warned: list[str]
) -> None:
    """Fault 9.1: restarts of a service are counted in it, so that swarms keep more or fewer tasks."""
    restart = {"MaxAttempts": attempts}
    spec = {"Name": "web", "TaskTemplate": {"RestartPolicy": restart}}
    swarm.services = [{"ID": "s1", "Spec": spec, "PreviousSpec": spec if changed else None}]
    swarm.limit = limit
    swarm.put("t0", "running")
    swarm.desk.poll()
    crash(swarm, range(9))
    assert reasons(swarm.desk.poll()) == warned


def test_fault_9_14_a_node_without_a_host_name_spoils_nothing(swarm: Swarm) -> None:
    """Fault 9.14: it is shown by its id."""
    swarm.desk.poll()
    swarm.nodes = [{"ID": "n1", "Description": {}}, {"ID": "n2"}]
    swarm.put("t0", "failed")
    (body,) = swarm.desk.poll().of("task")
    assert body["node"] == {"id": "n1", "name": None}


@pytest.mark.parametrize(
    "odd",
    [None, 5, {}, {"ID": "x"}, {"ID": "x", "Version": {"Index": 1}, "Status": None}],
)
def test_fault_9_15_an_entry_that_is_no_task_is_told_once(swarm: Swarm, odd: Any) -> None:
    """Fault 9.15: the others are told."""
    swarm.desk.poll()
    swarm.tasks["odd"] = odd
    swarm.put("t0", "failed")
    emitted = swarm.desk.poll()
    assert (told(emitted), reasons(emitted)) == (["t0"], ["objectFailed"])
    assert swarm.desk.poll().bodies == []


def test_fault_9_20_two_thousand_stuck_tasks_are_told_once(fake: FakeEngine) -> None:
    """Fault 9.20: more than 300 were told again and again. Nothing of them has to be remembered."""
    swarm = Swarm(fake, stuckMinutes=1)
    swarm.desk.poll()
    for number in range(2000):
        swarm.put(f"t{number}", "pending", slot=number)
    fake.ring.now += 30
    assert swarm.desk.poll().bodies == []
    fake.ring.now += 31
    killed = swarm.desk.poll(dies_after=10)
    emitted = swarm.desk.poll()
    assert len(set(told(emitted))) == 2000
    assert {body["state"] for body in emitted.of("task")} == {"stuck"}
    assert emitted.ids[:10] == killed.ids
    for _ in range(3):
        fake.ring.now += 60
        assert swarm.desk.poll().bodies == []
    assert size(swarm.desk.snapshot) < LIMIT
    note(swarm, "9.20 2,000 stuck tasks", [f"t{number}" for number in range(2000)])


def test_fault_9_20_stuck_tasks_are_not_lost_when_the_minutes_change(fake: FakeEngine) -> None:
    """Fault 9.20: a task that waited for less than before, and for longer than now, is told."""
    swarm = Swarm(fake, stuckMinutes=60)
    swarm.desk.poll()
    swarm.put("t1", "pending")
    fake.ring.now += 600
    assert swarm.desk.poll().bodies == []
    assert told(swarm.desk.poll(stuckMinutes=5)) == ["t1"]
    assert swarm.desk.poll(stuckMinutes=5).bodies == []
    assert swarm.desk.poll(stuckMinutes="").bodies == []


def test_fault_9_20_a_task_that_should_not_run_yet_is_stuck_when_it_should(fake: FakeEngine) -> None:
    """Fault 9.20: its state may be older than the last poll."""
    swarm = Swarm(fake, stuckMinutes=1)
    swarm.put("t1", "pending", "ready")
    swarm.desk.poll()
    fake.ring.now += 300
    assert swarm.desk.poll().bodies == []
    swarm.put("t1", "pending", "running")
    assert told(swarm.desk.poll()) == ["t1"]
    swarm.put("t1", "pending", "running")
    assert swarm.desk.poll().bodies == []


def test_fault_9_20_what_is_stuck_already_is_not_told_at_first(fake: FakeEngine) -> None:
    """Fault 9.20: a first run only notes the place; what gets stuck later is told."""
    swarm = Swarm(fake, stuckMinutes=1)
    swarm.put("t1", "pending")
    fake.ring.now += 300
    swarm.put("t2", "pending", slot=2)
    assert swarm.desk.poll().bodies == []
    fake.ring.now += 61
    assert told(swarm.desk.poll()) == ["t2"]


def test_fault_9_20_failures_that_change_once_more_are_not_told_again(swarm: Swarm) -> None:
    """Fault 9.20: when a service is removed all its tasks change; 500 of them are remembered in a snapshot."""
    swarm.desk.poll()
    for number in range(500):
        swarm.put(f"t{number}", "failed", slot=number)
    assert len(told(swarm.desk.poll())) == 500
    for number in range(500):
        swarm.put(f"t{number}", "failed", "remove", slot=number)
    assert swarm.desk.poll().bodies == []
    assert size(swarm.desk.snapshot) < LIMIT


def test_a_task_may_fail_later_than_others_that_are_told(swarm: Swarm) -> None:
    swarm.put("t1", "running")
    swarm.desk.poll()
    swarm.put("t2", "failed")
    assert told(swarm.desk.poll()) == ["t2"]
    swarm.put("t1", "failed")
    assert told(swarm.desk.poll()) == ["t1"]


def test_a_snapshot_of_version_1_0_is_read(swarm: Swarm) -> None:
    """A failure that it told is not told again although it changes, another one is told."""
    swarm.put("t1", "failed")
    old = {"at": 5, "cluster": mark("one", 8), "index": swarm.index, "told": mark(["t1", "failed"], 8)}
    swarm.desk.snapshot = {"v": 1, "trigger": KEY, "engine": "", **old}
    swarm.put("t1", "failed", "shutdown")
    swarm.put("t2", "failed")
    assert told(swarm.desk.poll()) == ["t2"]


def test_fault_9_9_a_failure_among_those_remembered_is_missed_with_less_than_one_in_a_billion() -> None:
    """Fault 9.9: 10,000 marks of 42 bits."""
    marks = {identity_mark([str(number), "failed"]): 0 for number in range(10_000)}
    assert len(marks) == 10_000
    assert len(packed(marks, details=False)) < 50_000
