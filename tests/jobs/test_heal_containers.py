"""HealContainers on real engines: what is sick is started anew, so often an hour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.crash import AFTER, BEFORE, Delivery
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "HealContainers"
CHECK = {
    "Test": ["CMD-SHELL", "test ! -e /sick || { echo too sick; false; }"],
    "Interval": 200_000_000,
    "Retries": 1,
}
TALKS = ("sh", "-c", "rm -f /sick; echo a line; sleep 600")


@pytest.fixture
def group(own: LabEngine) -> Iterator[str]:
    """A label of one's own; all containers with it go at the end."""
    label = f"group-{random_id()[:8]}"
    yield label
    for one in own.wire.do("GET", "/containers/json", all=True).json():
        if label in (one["Labels"] or {}):
            own.remove(one["Id"])


def health(engine: LabEngine, name: str) -> str:
    told: str = engine.wire.do("GET", f"/containers/{name}/json").json()["State"]["Health"]["Status"]
    return told


def sick(engine: LabEngine, group: str, name: str, *, curable: bool = True) -> str:
    """An unhealthy container; one that can be cured is well after a start."""
    command = TALKS if curable else ("sh", "-c", "touch /sick; echo a line; sleep 600")
    kept = {"Labels": {group: ""}, "Healthcheck": CHECK, "StopSignal": "SIGKILL"}
    engine.run(command, name=f"{name}-{group}", **kept)
    made = engine.wire.do("POST", f"/containers/{name}-{group}/exec", {"Cmd": ["touch", "/sick"]}).json()
    engine.wire.do("POST", f"/exec/{made['Id']}/start", {"Detach": True})
    wait_until(lambda: health(engine, f"{name}-{group}") == "unhealthy", "it to be sick")
    return f"{name}-{group}"


def heal(engine: LabEngine, group: str, fields: dict[str, Any] | None = None, **settings: Any) -> Any:
    body = {"targets": {"labels": [group]}, **(fields or {})}
    return done(run_step(KEY, body, config(engine, errorPolicy="throwError", **settings)))


def restarts(engine: LabEngine, name: str) -> str:
    started: str = engine.wire.do("GET", f"/containers/{name}/json").json()["State"]["StartedAt"]
    return started


def test_a_sick_one_succeeds_to_be_well_again_and_others_stay(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick")
    own.run(name=f"well-{group}", Labels={group: ""})
    before = restarts(own, f"well-{group}")
    told = heal(own, group)
    (result,) = told["results"]

    assert (result["name"], result["before"], result["action"]) == (name, "unhealthy", "restart")
    assert (result["reached"], result["health"], told["failed"], told["changed"]) == (
        True,
        "healthy",
        0,
        True,
    )
    assert result["lines"] == ["a line"]
    assert "too sick" in result["healthLog"][-1]["output"]
    assert restarts(own, f"well-{group}") == before


def test_a_selection_as_text_succeeds_and_takes_no_others(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick")
    other = sick(own, group, "other")
    before = restarts(own, other)
    told = heal(own, group, {"targets": f'{{"names": ["{name}"]}}'})

    assert [result["name"] for result in told["results"]] == [name]
    assert restarts(own, other) == before


def test_one_that_stays_sick_fails(own: LabEngine, group: str) -> None:
    sick(own, group, "sick", curable=False)
    told = heal(own, group)

    assert (told["results"][0]["reached"], told["failed"]) == (False, 1)
    assert "unhealthy" in told["results"][0]["reason"]


def test_repeat_leaves_alone_what_is_well(own: LabEngine, group: str) -> None:
    sick(own, group, "sick")
    heal(own, group)
    told = heal(own, group)

    assert (told["results"], told["changed"], told["plan"]) == ([], False, [])


def test_too_often_within_the_hour_is_only_reported(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick", curable=False)
    for _ in range(2):
        heal(own, group, {"maxPerHour": 2})
    before = restarts(own, name)
    told = heal(own, group, {"maxPerHour": 2})

    assert (told["results"][0]["action"], told["changed"]) == ("report", False)
    assert "2 times within the hour" in told["results"][0]["reason"]
    assert restarts(own, name) == before


def test_a_report_changes_nothing(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick")
    before = restarts(own, name)
    told = heal(own, group, {"action": "report"}, accessMode="readOnly")

    assert (told["results"][0]["action"], told["results"][0]["lines"]) == ("report", ["a line"])
    assert restarts(own, name) == before


def test_trap_20_a_paused_one_is_left_alone(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick")
    own.wire.do("POST", f"/containers/{name}/pause")
    told = heal(own, group)

    assert (told["results"], told["skipped"]) == ([], [{"name": name, "reason": "it is paused"}])


def test_an_ended_one_and_a_loop_are_healed_where_asked(own: LabEngine, group: str) -> None:
    script = "test -e /again && sleep 600; touch /again; exit 3"
    own.wait(own.run(["sh", "-c", script], name=f"ended-{group}", Labels={group: ""}))
    assert heal(own, group)["results"] == []
    (result,) = heal(own, group, {"when": ["exited", "restarting"]})["results"]

    assert (result["before"], result["after"], result["reached"]) == ("exited", "running", True)


def test_it_may_be_redeployed(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick")
    identity = own.wire.do("GET", f"/containers/{name}/json").json()["Id"]
    (result,) = heal(own, group, {"action": "redeploy"})["results"]

    assert (result["action"], result["reached"]) == ("redeploy", True)
    assert own.wire.do("GET", f"/containers/{name}/json").json()["Id"] != identity


def test_after_a_grace_only_what_is_still_sick_is_healed(own: LabEngine, group: str) -> None:
    sick(own, group, "sick")
    (result,) = heal(own, group, {"graceSeconds": 0.5})["results"]

    assert result["reached"]


def test_dry_run_is_the_plan_of_the_real_run(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick")
    before = restarts(own, name)
    planned = heal(own, group, dryRun=True)
    assert restarts(own, name) == before
    assert planned["plan"] == heal(own, group)["plan"]
    assert not planned["changed"]


def test_read_only_changes_nothing(own: LabEngine, group: str) -> None:
    sick(own, group, "sick")
    body = {"targets": {"labels": [group]}}
    settings = config(own, errorPolicy="throwError", accessMode="readOnly")

    assert failed(run_step(KEY, body, settings))[0] == "ReadOnly"


@pytest.mark.parametrize("die", [(1, BEFORE), (1, AFTER)])
def test_killed_at_its_change_the_next_delivery_heals_what_is_left(
    own: LabEngine, group: str, die: Any
) -> None:
    name = sick(own, group, "sick")
    one = Delivery(own, KEY, {"targets": {"labels": [group]}})
    one.run(die)
    last = one.run()

    assert last.finished, last.errors
    wait_until(lambda: health(own, name) == "healthy", "it to be well")
    assert len(one.events("restart")) == 1


def test_two_at_once_leave_it_well(own: LabEngine, group: str) -> None:
    name = sick(own, group, "sick")
    at_once(*[lambda: heal(own, group)] * 2)

    wait_until(lambda: health(own, name) == "healthy", "it to be well")
