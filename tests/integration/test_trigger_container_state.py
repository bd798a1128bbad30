"""The trigger containerStateChanged on a real engine."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.trigger_lab import config, desk, engines_closed, own_engine, settled
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
KEY = "containerStateChanged"
ALWAYS = {"RestartPolicy": {"Name": "always"}}
UNTIL_TOLD = "while [ ! -e /tmp/go ]; do sleep 0.05; done"
SECOND = 1_000_000_000


@pytest.fixture
def clean(own_engine: LabEngine) -> Any:
    yield own_engine
    for entry in own_engine.wire.do("GET", "/containers/json", all=True).json():
        own_engine.remove(entry["Id"])


def what(body: dict[str, Any]) -> tuple[str, str]:
    return body["change"], body["container"]["name"]


def told(emitted: Emitted) -> list[tuple[str, str]]:
    return [what(body) for body in emitted.of("change")]


def state(engine: LabEngine, container: str) -> dict[str, Any]:
    answer: dict[str, Any] = engine.wire.do("GET", f"/containers/{container}/json").json()
    return answer


def run_in(engine: LabEngine, container: str, command: str) -> None:
    made = engine.wire.do("POST", f"/containers/{container}/exec", {"Cmd": ["sh", "-c", command]}).json()
    engine.wire.do("POST", f"/exec/{made['Id']}/start", {"Detach": True})


def test_ends_are_told_with_their_exit_codes(clean: LabEngine) -> None:
    step = desk("container_state_changed", clean)
    step.poll()
    for code in (0, 3, 143):
        clean.wait(clean.run(["sh", "-c", f"exit {code}"], name=f"code{code}"))
    emitted = step.poll(normalExitCodes="0, 143")
    step.replay()
    assert told(emitted) == [("exited", "code0"), ("exited", "code143"), ("crashed", "code3")]
    assert [body["exitCode"] for body in emitted.bodies] == [0, 143, 3]
    assert step.poll().bodies == []
    truth = [("exited", "code0"), ("exited", "code143"), ("crashed", "code3")]
    record(KEY, clean.version, "ends between two polls", told=step.told(what), truth=truth)


def test_a_kill_of_the_step_repeats_with_equal_ids(clean: LabEngine) -> None:
    step = desk("container_state_changed", clean)
    step.poll()
    for number in range(3):
        clean.wait(clean.run(["sh", "-c", "exit 1"], name=f"c{number}"))
    first = step.poll(dies_after=2)
    again = step.poll()
    assert again.ids[:2] == first.ids
    assert len(set(again.ids)) == 3
    truth = [("crashed", f"c{number}") for number in range(3)]
    record(KEY, clean.version, "killed between emission and snapshot", told=step.told(what), truth=truth)


def test_a_quick_restart_between_two_polls_is_seen(clean: LabEngine) -> None:
    container = clean.run(name="quick")
    step = desk("container_state_changed", clean)
    step.poll()
    clean.wire.do("POST", f"/containers/{container}/restart", t=0)
    truth = [("restarted", "quick")]
    assert told(step.poll()) == truth
    step.replay()
    record(KEY, clean.version, "restarted by hand between two polls", told=step.told(what), truth=truth)


def test_a_crash_that_the_engine_mended_is_seen(clean: LabEngine) -> None:
    script = f"[ -e /tmp/again ] && sleep 600; {UNTIL_TOLD}; touch /tmp/again; exit 9"
    container = clean.run(["sh", "-c", script], HostConfig=ALWAYS, name="mended")
    step = desk("container_state_changed", clean)
    step.poll()
    run_in(clean, container, "touch /tmp/go")
    wait_until(lambda: state(clean, container)["RestartCount"] == 1, "the restart")
    wait_until(lambda: state(clean, container)["State"]["Status"] == "running", "it to run again")
    emitted = step.poll()
    step.replay()
    truth = [("crashed", "mended"), ("started", "mended")]
    assert told(emitted) == truth
    assert (emitted.bodies[0]["restarts"], emitted.bodies[0]["exitCode"]) == (1, None)
    record(KEY, clean.version, "crash mended by the restart policy", told=step.told(what), truth=truth)


def test_a_restart_loop_is_told(clean: LabEngine) -> None:
    step = desk("container_state_changed", clean)
    container = clean.run(["sh", "-c", f"{UNTIL_TOLD}; sleep 0.1; exit 1"], HostConfig=ALWAYS, name="loop")
    step.poll()
    run_in(clean, container, "touch /tmp/go")
    wait_until(lambda: state(clean, container)["RestartCount"] >= 4, "four restarts")
    assert ("restartLoop", "loop") in told(step.poll())


def test_health_and_removal_are_told(clean: LabEngine) -> None:
    check = {"Test": ["CMD-SHELL", "[ -e /tmp/well ]"], "Interval": SECOND, "Retries": 1}
    check["StartPeriod"] = 600 * SECOND  # it is starting until it is well
    container = clean.run(name="patient", Healthcheck=check, Labels={"team": "shop"})
    step = desk("container_state_changed", clean)
    step.poll()
    seen: list[tuple[str, str]] = []
    for command, health in (
        ("touch /tmp/well", "healthy"),
        ("rm /tmp/well", "unhealthy"),
        ("touch /tmp/well", "healthy"),
    ):
        run_in(clean, container, command)
        wait_until(
            lambda health=health: state(clean, container)["State"]["Health"]["Status"] == health, health
        )
        seen += told(step.poll())
        step.replay()
    clean.remove(container)
    emitted = step.poll()
    step.replay()
    turns = [("healthy", "patient"), ("unhealthy", "patient"), ("healthy", "patient")]
    assert seen == turns
    assert told(emitted) == [("removed", "patient")]
    gone = emitted.bodies[0]["container"]
    assert (gone["id"], gone["labels"]["team"]) == (container, "shop")
    truth = [*turns, ("removed", "patient")]
    record(KEY, clean.version, "health changes and removal", told=step.told(what), truth=truth)


def test_only_wanted_changes_of_selected_containers_are_told_without_a_reset(clean: LabEngine) -> None:
    clean.run(name="other")
    web = clean.run(name="web-1", Labels={"team": "shop"})
    settled()
    step = desk("container_state_changed", clean, names="web-*")
    step.poll()
    clean.wire.do("POST", f"/containers/{web}/kill")
    assert told(step.poll(changes=["removed"])) == []
    clean.wire.do("POST", f"/containers/{web}/start")
    assert told(step.poll(labels=["team=shop"], changes=["started"])) == [("started", "web-1")]
    assert told(step.poll(names="")) == []


def test_the_first_run_can_tell_what_there_is(clean: LabEngine) -> None:
    clean.run(name="here")
    assert told(desk("container_state_changed", clean, startFrom="everything").poll()) == [
        ("started", "here")
    ]
    assert told(desk("container_state_changed", clean).poll()) == []


def test_every_snapshot_on_the_way_is_a_good_start(clean: LabEngine) -> None:
    step = desk("container_state_changed", clean)
    step.poll()
    starts, seen = [], []
    for number in range(4):
        starts.append((len(seen), step.snapshot))
        clean.wait(clean.run(["sh", "-c", "exit 1"], name=f"c{number}"))
        seen += told(step.poll())
    for passed, start in starts:
        assert told(PollHarness("container_state_changed", config(clean), start).poll()) == seen[passed:]


def test_a_try_out_gives_a_sample(clean: LabEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    step = desk("container_state_changed", clean)
    assert [body["sample"] for body in step.poll().bodies] == [True]
    clean.run(name="real")
    assert told(step.poll()) == [("started", "real")]
