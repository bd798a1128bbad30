"""The trigger taskFailed on real swarms, old and new, with the engine's own events as the truth."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.old_and_new_engine import engine
from tests.integration.trigger_lab import desk, engines_closed
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.event_recorder import EventRecorder
from tests.triggers.poll_harness import PollHarness
from tests.triggers.table import record

__all__ = ["engine", "engines_closed"]
pytestmark = pytest.mark.engine
KEY = "taskFailed"
INIT = {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}


@pytest.fixture
def manager(engine: LabEngine) -> Iterator[LabEngine]:
    engine.wire.do("POST", "/swarm/init", INIT)
    yield engine
    engine.wire.ask("POST", "/swarm/leave", force=True)


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[str]) -> None:
    """A row of the table, with the tasks that failed."""
    told = step.told(lambda body: body["task"])
    record(KEY, engine.version, situation, told=told, truth=truth, gap=step.gap)


def fail_often(engine: LabEngine, name: str) -> None:
    """A service whose task fails at once, and is started again at once."""
    body = {
        "Name": name,
        "TaskTemplate": {
            "ContainerSpec": {"Image": engine.image, "Command": ["sh", "-c", "exit 3"]},
            "RestartPolicy": {"Condition": "any", "Delay": 1},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
    }
    engine.wire.do("POST", "/services/create", body)


def test_fault_9_1_more_failures_than_the_swarm_remembers_are_warned_of(manager: LabEngine) -> None:
    """Fault 9.1: whatever the number of failures, all are told, or a warning says that some may be missing."""
    truth = EventRecorder(manager)
    step = desk("task_failed", manager)
    step.poll()
    fail_often(manager, "often")

    def failures() -> int:
        return sum(event["Action"] == "die" for event in truth.events)

    wait_until(lambda: failures() >= 9, "nine failures")
    emitted = step.poll()
    step.replay()
    told = [body["task"] for body in emitted.of("task")]
    happened = failures()  # some of them may be younger than the poll
    assert 4 <= len(told) == len(set(told)) < happened
    assert [body["reason"] for body in emitted.of("warning")] == ["history"]
    assert emitted.of("warning")[0]["service"]["name"] == "often"
    manager.wire.do("DELETE", "/services/often")
    truth.close()
    deaths = [event for event in truth.events if event["Action"] == "die"]
    failed = [event["Actor"]["Attributes"]["com.docker.swarm.task.id"] for event in deaths]
    note(step, manager, "9.1 failures beyond the history", failed)


def test_fault_9_1_failures_within_the_history_are_told_without_a_warning(manager: LabEngine) -> None:
    """Fault 9.1: a service that gives up after two attempts has lost nothing."""
    step = desk("task_failed", manager)
    step.poll()
    body = {
        "Name": "thrice",
        "TaskTemplate": {
            "ContainerSpec": {"Image": manager.image, "Command": ["sh", "-c", "exit 3"]},
            "RestartPolicy": {"Condition": "any", "Delay": 1, "MaxAttempts": 2},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
    }
    manager.wire.do("POST", "/services/create", body)

    def ended() -> bool:
        tasks = manager.wire.do("GET", "/tasks").json()
        return [task["Status"]["State"] for task in tasks] == ["failed"] * 3

    wait_until(ended, "three failures")
    emitted = step.poll()
    step.replay()
    assert len(emitted.of("task")) == 3
    assert emitted.of("warning") == []
    failed = [task["ID"] for task in manager.wire.do("GET", "/tasks").json()]
    note(step, manager, "9.1 failures within the history", failed)
    manager.wire.do("DELETE", "/services/thrice")
    assert step.poll().bodies == []
