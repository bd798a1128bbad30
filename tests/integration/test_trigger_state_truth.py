"""containerStateChanged on real engines, with what really happened beside it: nothing lost, ids that stay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.trigger_lab import desk, engines_closed, own_engine, settled
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.waiting import wait_until
from tests.triggers.event_recorder import EventRecorder
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
KEY = "containerStateChanged"
ALWAYS = {"RestartPolicy": {"Name": "always"}}
# A check makes three events: more often, and on a slow machine the engine forgets what happened between two polls.
SICK = {"Test": ["CMD-SHELL", "[ ! -e /tmp/sick ]"], "Interval": 4_000_000_000, "Retries": 1}
# Three crashes after each start by hand, then it stays.
THREE = "n=$(cat /tmp/n 2>/dev/null || echo 0); n=$((n+1)); echo $n >/tmp/n; [ $((n%4)) = 0 ] && sleep 600; exit 9"


@pytest.fixture
def clean(own_engine: LabEngine) -> Iterator[LabEngine]:
    yield own_engine
    for entry in own_engine.wire.do("GET", "/containers/json", all=True).json():
        own_engine.remove(entry["Id"])


@pytest.fixture
def truth(clean: LabEngine) -> Iterator[EventRecorder]:
    recorder = EventRecorder(clean)
    yield recorder
    recorder.close()


def what(body: dict[str, Any]) -> tuple[str, str]:
    return body["change"], body["container"]["name"]


def told(emitted: Emitted) -> list[tuple[str, str]]:
    return [what(body) for body in emitted.of("change")]


def ids(emitted: Emitted) -> dict[str, str | None]:
    return {one.body["change"]: one.id for one in emitted.messages}


def state(engine: LabEngine, container: str) -> dict[str, Any]:
    answer: dict[str, Any] = engine.wire.do("GET", f"/containers/{container}/json").json()
    return answer


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[tuple[str, str]]) -> None:
    record(KEY, engine.version, situation, told=step.told(what), truth=truth, gap=step.gap)


def run_in(engine: LabEngine, container: str, command: str) -> None:
    made = engine.wire.do("POST", f"/containers/{container}/exec", {"Cmd": ["sh", "-c", command]}).json()
    engine.wire.do("POST", f"/exec/{made['Id']}/start", {"Detach": True})


def stays(engine: LabEngine, container: str, restarts: int) -> None:
    def calm() -> bool:
        now = state(engine, container)
        return bool(now["RestartCount"] == restarts and now["State"]["Status"] == "running")

    wait_until(calm, f"{restarts} restarts")


def becomes(engine: LabEngine, container: str, health: str) -> None:
    wait_until(lambda: state(engine, container)["State"]["Health"]["Status"] == health, health)


def test_fault_9_2_a_crash_before_its_removal_is_told_with_its_exit_code(
    clean: LabEngine, truth: EventRecorder
) -> None:
    """One that was known, one that came and went between two polls; and a kill repeats with equal ids."""
    auto = {"AutoRemove": True}
    script = "while [ ! -e /tmp/end ]; do sleep 0.05; done; exit 7"
    container = clean.run(["sh", "-c", script], HostConfig=auto, name="known", Labels={"team": "shop"})
    step = desk("container_state_changed", clean)
    step.poll()
    run_in(clean, container, "touch /tmp/end")
    truth.wait("destroy", container)
    short = clean.run(["sh", "-c", "exit 5"], HostConfig=auto, name="short")
    gone = truth.wait("destroy", short)
    assert gone["Actor"]["Attributes"]["name"] == "short"
    emitted = step.poll()
    assert told(emitted)[:2] == [("crashed", "known"), ("removed", "known")]
    assert emitted.bodies[0]["exitCode"] == 7
    assert emitted.bodies[0]["container"]["labels"] == {"team": "shop"}
    again = step.replay()
    assert again.ids[:2] == emitted.ids[:2]
    rest = told(emitted)[2:] + told(settled_poll(step))
    assert rest == [("crashed", "short"), ("removed", "short")]
    truth_of_both = [(change, name) for name in ("known", "short") for change in ("crashed", "removed")]
    note(step, clean, "9.2 crashed and removed at once", truth_of_both)


def settled_poll(step: PollHarness) -> Emitted:
    settled()
    return step.poll()


def test_fault_9_7_a_container_that_its_policy_restarts_is_told_when_it_is_first_seen(
    clean: LabEngine, truth: EventRecorder
) -> None:
    step = desk("container_state_changed", clean)
    step.poll()
    container = clean.run(["sh", "-c", THREE], HostConfig=ALWAYS, name="three")
    stays(clean, container, 3)
    deaths = ("die", container)
    wait_until(
        lambda: [(e["Action"], e["Actor"]["ID"]) for e in truth.events].count(deaths) == 3, "its deaths"
    )
    emitted = step.poll()
    step.replay()
    changes = [("crashed", "three"), ("started", "three"), ("restartLoop", "three")]
    assert told(emitted) == changes
    assert emitted.bodies[0]["restarts"] == 3
    assert step.poll().bodies == []
    note(step, clean, "9.7 restarted by its policy when first seen", changes)


@pytest.mark.parametrize("killed", [True, False])
def test_fault_9_7_the_end_of_a_new_container_that_somebody_started_again_is_told(
    clean: LabEngine, truth: EventRecorder, killed: bool
) -> None:
    step = desk("container_state_changed", clean)
    step.poll()
    script = "sleep 600" if killed else "[ -e /tmp/n ] && sleep 600; touch /tmp/n; exit 5"
    container = clean.run(["sh", "-c", script], name="again")
    if killed:
        clean.wire.do("POST", f"/containers/{container}/kill")
    truth.wait("die", container)
    clean.wait(container)
    clean.wire.do("POST", f"/containers/{container}/start")
    emitted = step.poll()
    step.replay()
    changes = ["restarted"] if killed else ["crashed", "started"]
    assert told(emitted) == [(change, "again") for change in changes]
    assert emitted.bodies[0]["exitCode"] == (None if killed else 5)
    settled()
    assert step.poll().bodies == []
    how = "killed" if killed else "crashed"
    note(step, clean, f"9.7 {how} and started by hand when first seen", [(one, "again") for one in changes])


def test_fault_9_8_crashes_after_a_start_by_hand_are_told(clean: LabEngine) -> None:
    container = clean.run(["sh", "-c", THREE], HostConfig=ALWAYS, name="three")
    stays(clean, container, 3)
    step = desk("container_state_changed", clean)
    step.poll()
    clean.wire.do("POST", f"/containers/{container}/restart", t=0)
    stays(clean, container, 3)
    changes = [("crashed", "three"), ("started", "three"), ("restartLoop", "three")]
    assert told(step.poll()) == changes
    step.replay()
    note(step, clean, "9.8 the engine's count was set back by a start by hand", changes)


def test_fault_9_17_a_repeat_has_the_same_ids_whatever_happened_meanwhile(clean: LabEngine) -> None:
    step = desk("container_state_changed", clean)
    step.poll()
    container = clean.run(name="patient", Healthcheck=SICK)
    first = step.poll(dies_after=1)
    assert told(first) == [("started", "patient")]
    becomes(clean, container, "healthy")
    second = step.poll(dies_after=2)
    assert told(second) == [("started", "patient"), ("healthy", "patient")]
    run_in(clean, container, "touch /tmp/sick")
    becomes(clean, container, "unhealthy")
    third = step.poll(dies_after=3)
    assert told(third) == [("started", "patient"), ("healthy", "patient"), ("unhealthy", "patient")]
    clean.wire.do("POST", f"/containers/{container}/pause")
    fourth = step.poll()
    assert ids(fourth).items() >= ids(third).items() >= ids(second).items() >= ids(first).items()
    assert told(fourth)[3:] == [("paused", "patient")]
    assert len(set(fourth.ids)) == 4
    changes = [(one, "patient") for one in ("started", "healthy", "unhealthy", "paused")]
    note(step, clean, "9.17 killed four times while the container went on", changes)


def test_fault_9_17_a_crash_that_was_mended_meanwhile_has_the_same_id(clean: LabEngine) -> None:
    script = "while [ ! -e /tmp/go ]; do sleep 0.05; done; rm /tmp/go; exit 4"
    container = clean.run(["sh", "-c", script], HostConfig=ALWAYS, name="slow")
    step = desk("container_state_changed", clean)
    step.poll()
    run_in(clean, container, "touch /tmp/go")
    stays(clean, container, 1)
    first = step.poll(dies_after=2)
    assert told(first) == [("crashed", "slow"), ("started", "slow")]
    clean.wire.do("POST", f"/containers/{container}/pause")
    second = step.poll()
    assert second.ids[:2] == first.ids
    assert told(second)[2:] == [("paused", "slow")]
    changes = [(one, "slow") for one in ("crashed", "started", "paused")]
    note(step, clean, "9.17 crashed, mended by its policy, killed, paused", changes)


def test_fault_9_17_a_crash_that_somebody_mended_meanwhile_has_the_same_id(clean: LabEngine) -> None:
    script = "while [ ! -e /tmp/go ]; do sleep 0.05; done; rm /tmp/go; exit 4"
    container = clean.run(["sh", "-c", script], name="slow")
    other = clean.run(name="other")
    step = desk("container_state_changed", clean)
    step.poll()
    run_in(clean, container, "touch /tmp/go")
    clean.wait(container)
    first = step.poll(dies_after=1)
    assert told(first) == [("crashed", "slow")]
    clean.wire.do("POST", f"/containers/{container}/start")
    clean.wire.do("POST", f"/containers/{other}/restart", t=0)
    second = step.poll()
    assert told(second) == [("restarted", "other"), ("crashed", "slow"), ("started", "slow")]
    assert second.ids[1] == first.ids[0]
    assert [body["exitCode"] for body in (first.bodies[0], second.bodies[1])] == [4, 4]
    assert step.poll().bodies == []
    changes = [("restarted", "other"), ("crashed", "slow"), ("started", "slow")]
    note(step, clean, "9.17 crashed, killed, started by hand", changes)


def test_fault_9_20_health_that_turns_and_returns_and_pauses_are_told(
    clean: LabEngine, truth: EventRecorder
) -> None:
    container = clean.run(name="patient", Healthcheck=SICK)
    other = clean.run(name="paused")
    clean.wire.do("POST", f"/containers/{other}/pause")
    becomes(clean, container, "healthy")
    step = desk("container_state_changed", clean)
    step.poll()
    run_in(clean, container, "touch /tmp/sick")
    becomes(clean, container, "unhealthy")
    run_in(clean, container, "rm /tmp/sick")
    becomes(clean, container, "healthy")
    clean.wire.do("POST", f"/containers/{other}/unpause")
    clean.wire.do("POST", f"/containers/{other}/restart", t=0)
    clean.wire.do("POST", f"/containers/{other}/pause")

    def turns() -> list[str]:
        happened = [e["Action"] for e in truth.events if e["Actor"]["ID"] == container]
        return [one.partition(": ")[2] for one in happened if one.startswith("health_status")]

    wait_until(lambda: turns()[-2:] == ["unhealthy", "healthy"], "what happened to be known")
    emitted = step.poll()
    step.replay()
    changes = [("healthy", "patient"), ("unhealthy", "patient")]
    changes += [(one, "paused") for one in ("paused", "restarted", "unpaused")]
    assert sorted(told(emitted)) == sorted(changes)
    assert step.poll().bodies == []
    note(step, clean, "9.20 health and pauses that turn and return", changes)


def test_fault_9_23_a_quiet_poll_asks_for_none_of_the_containers(clean: LabEngine) -> None:
    for number in range(20):
        clean.create(["true"], name=f"made{number}")
    for number in range(6):
        clean.run(name=f"up{number}")
        clean.wait(clean.run(["true"], name=f"down{number}"))
    with FaultyProxy(clean.socket) as door:
        step = PollHarness(
            "container_state_changed", {"server": "2", "otherServer": f"http://{door.host}:{door.port}"}
        )
        step.poll()
        settled_poll(step)
        settled_poll(step)
        before = door.requests.passed
        assert step.poll().bodies == []
        quiet = door.requests.passed - before
    assert quiet < 10 * 200
    note(step, clean, f"9.23 quiet poll of 32 containers: {quiet} bytes of requests", [])
