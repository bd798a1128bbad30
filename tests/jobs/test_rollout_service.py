"""A service that is changed and has to arrive, on swarms of one node."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from tests.actions.stepping import run_step
from tests.jobs.engines import config
from tests.jobs.swarms import SECOND, inspected, made, running, service, swarm
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

__all__ = ["service", "swarm"]
pytestmark = pytest.mark.engine
KEY = "RolloutService"
EMIT = {"badOutcome": "emit"}
BAD = {"TaskTemplate": {"ContainerSpec": {"Command": ["sh", "-c", "echo no database; exit 3"]}}}
NEW = {"TaskTemplate": {"ContainerSpec": {"Command": ["sleep", "700"]}}}
NOWHERE = {"TaskTemplate": {"Placement": {"Constraints": ["node.labels.zone==moon"]}}}


def rollout(
    engine: LabEngine, name: str, settings: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """The output of the job."""
    outcome = run_step(KEY, {"service": name, **fields}, config(engine, **(settings or {})))
    assert outcome.errors == []
    (body,) = outcome.bodies
    assert isinstance(body, dict)
    return body


def refused(engine: LabEngine, name: str, settings: dict[str, Any] | None = None, **fields: Any) -> Any:
    """The error of the job, as a message."""
    return rollout(engine, name, {"errorPolicy": "emit", **(settings or {})}, **fields)["error"]


def brief(body: dict[str, Any]) -> tuple[Any, ...]:
    return body["outcome"], body["changed"], body["running"], body["desired"]


def test_a_change_that_is_good_succeeds_and_its_repeat_changes_nothing(
    swarm: LabEngine, service: str
) -> None:
    made(swarm, service)
    before = running(swarm, service)
    body = rollout(swarm, service, spec=NEW, env={"A": "1", "B": 2})
    assert brief(body) == ("converged", True, 1, 1)
    assert body["updateState"] == "completed"
    assert body["failed"] == body["warnings"] == []
    assert [(one["action"], one["kind"], one["name"]) for one in body["plan"]] == [
        ("update", "service", service)
    ]
    told = inspected(swarm, service)["Spec"]
    assert told["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=1", "B=2"]
    assert told["UpdateConfig"]["FailureAction"] == "rollback"
    after = running(swarm, service)
    assert len(after) == 1
    assert after != before
    paths = {one["path"]: (one["before"], one["after"], one["effect"]) for one in body["differences"]}
    assert paths["TaskTemplate.ContainerSpec.Env.A"] == (None, "***", "newTasks")
    version = inspected(swarm, service)["Version"]
    again = rollout(swarm, service, spec=NEW, env={"A": "1", "B": 2})
    assert brief(again) == ("unchanged", False, 1, 1)
    assert again["plan"] == again["differences"] == []
    assert (running(swarm, service), inspected(swarm, service)["Version"]) == (after, version)
    assert rollout(swarm, service, env={"A": None})["changed"] is True
    assert inspected(swarm, service)["Spec"]["TaskTemplate"]["ContainerSpec"]["Env"] == ["B=2"]


def test_a_bad_command_fails_and_is_rolled_back(swarm: LabEngine, service: str) -> None:
    made(swarm, service, Mode={"Replicated": {"Replicas": 3}}, Labels={"tier": "web"})
    error = refused(swarm, service, spec=BAD)
    assert error["name"] == "RolledBack"
    assert error["outcome"] == "rolledBack"
    (failed,) = error["failed"]
    assert (failed["state"], failed["exitCode"], failed["lines"]) == ("failed", 3, ["no database"])
    told = inspected(swarm, service)
    assert told["Spec"]["TaskTemplate"]["ContainerSpec"]["Command"] == ["sleep", "600"]
    assert told["UpdateStatus"]["State"] == "rollback_completed"
    wait_until(lambda: len(running(swarm, service)) == 3, "the old ones")


def test_trap_17_a_rollback_is_told_though_its_tasks_run_long_before(swarm: LabEngine, service: str) -> None:
    made(swarm, service, Mode={"Replicated": {"Replicas": 3}})
    body = rollout(swarm, service, EMIT, spec=BAD)
    assert (body["outcome"], body["reached"], body["updateState"]) == (
        "rolledBack",
        False,
        "rollback_completed",
    )
    assert body["desired"] == 3
    wait_until(lambda: len(running(swarm, service)) == 3, "the old ones")
    # Another message with the same wish is another try.
    assert rollout(swarm, service, EMIT, spec=BAD)["outcome"] == "rolledBack"
    # What is as it was is no rollback of this message.
    assert brief(rollout(swarm, service, replicas=3)) == ("unchanged", False, 3, 3)


@pytest.mark.parametrize("change", [{"spec": {"Labels": {"tier": "web"}}}, {"replicas": 2}])
def test_trap_17_labels_and_numbers_succeed_without_new_tasks_and_without_a_state(
    swarm: LabEngine, service: str, change: dict[str, Any]
) -> None:
    made(swarm, service)
    before = running(swarm, service)
    body = rollout(swarm, service, **change)
    count = change.get("replicas", 1)
    assert brief(body) == ("converged", True, count, count)
    assert body["updateState"] == ""
    assert set(before) <= set(running(swarm, service))
    assert inspected(swarm, service)["Spec"]["UpdateConfig"]["FailureAction"] == "pause"
    assert brief(rollout(swarm, service, **change)) == ("unchanged", False, count, count)


def test_zero_replicas_succeed_at_once(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    assert brief(rollout(swarm, service, replicas=0)) == ("converged", True, 0, 0)
    assert brief(rollout(swarm, service, replicas=1)) == ("converged", True, 1, 1)


def test_a_bad_image_fails_and_is_paused_where_that_is_wanted(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    error = refused(swarm, service, image="127.0.0.1:9/none:1", onFailure="pause")
    assert (error["name"], error["outcome"]) == ("NotReached", "paused")
    assert [one["state"] for one in error["failed"]] == ["rejected"]
    assert error["failed"][0]["lines"] == []
    assert inspected(swarm, service)["UpdateStatus"]["State"] == "paused"


def test_a_sick_task_fails(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    check = {"Test": ["CMD", "false"], "Interval": SECOND // 5, "Retries": 1, "Timeout": SECOND}
    body = rollout(swarm, service, EMIT, spec={"TaskTemplate": {"ContainerSpec": {"Healthcheck": check}}})
    assert body["outcome"] == "rolledBack"
    assert "unhealthy" in body["failed"][0]["error"]


def test_a_global_service_succeeds(swarm: LabEngine, service: str) -> None:
    made(swarm, service, Mode={"Replicated": None, "Global": {}})
    assert brief(rollout(swarm, service, spec=NEW)) == ("converged", True, 1, 1)
    assert refused(swarm, service, replicas=2)["name"] == "BadInput"


@pytest.mark.parametrize("condition", ["on-failure", "none"])
def test_trap_18_a_service_whose_task_ends_well_succeeds(
    swarm: LabEngine, service: str, condition: str
) -> None:
    once = {"ContainerSpec": {"Command": ["true"]}, "RestartPolicy": {"Condition": condition}}
    made(swarm, service, steady=False, TaskTemplate=once)
    assert brief(rollout(swarm, service)) == ("unchanged", False, 1, 1)
    spec = {"TaskTemplate": {"ContainerSpec": {"Command": ["sh", "-c", "true"]}}}
    assert brief(rollout(swarm, service, spec=spec)) == ("converged", True, 1, 1)


def test_trap_18_a_crash_loop_is_no_arrival(swarm: LabEngine, service: str) -> None:
    loop = {"ContainerSpec": {"Command": ["sh", "-c", "sleep 1; exit 1"]}}
    made(swarm, service, steady=False, TaskTemplate=loop)
    settings = {"maxSeconds": 12, "whenTimeIsUp": "fail", "errorPolicy": "emit"}
    error = rollout(swarm, service, settings)["error"]
    assert (error["name"], error["outcome"]) == ("NotReached", "notReached")
    assert error["failed"][0]["exitCode"] == 1


def test_a_job_succeeds_once_its_tasks_are_complete(swarm: LabEngine, service: str) -> None:
    job = {"Replicated": None, "ReplicatedJob": {"MaxConcurrent": 1, "TotalCompletions": 2}}
    template = {"ContainerSpec": {"Command": ["true"]}, "RestartPolicy": {"Condition": "none"}}
    made(
        swarm, service, steady=False, Mode=job, TaskTemplate=template, UpdateConfig=None, RollbackConfig=None
    )
    assert brief(rollout(swarm, service)) == ("unchanged", False, 2, 2)
    assert brief(rollout(swarm, service, force=True)) == ("converged", True, 2, 2)
    assert inspected(swarm, service)["JobStatus"]["JobIteration"]["Index"] == 1


def test_a_service_that_no_node_fits_fails(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    error = refused(swarm, service, spec=NOWHERE)
    assert (error["name"], error["outcome"]) == ("NotReached", "notReached")
    assert "no suitable node" in error["message"]


def test_force_makes_new_tasks(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    before = running(swarm, service)
    assert brief(rollout(swarm, service, force=True)) == ("converged", True, 1, 1)
    assert set(before).isdisjoint(running(swarm, service))


def test_without_waiting_it_succeeds_once_the_update_is_sent(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    body = rollout(swarm, service, spec=NOWHERE, wait=False)
    assert (body["outcome"], body["changed"]) == ("started", True)


def test_a_dry_run_has_the_plan_of_the_real_run_and_a_read_only_credential_is_enough(
    swarm: LabEngine, service: str
) -> None:
    made(swarm, service)
    before = inspected(swarm, service)
    dry = rollout(swarm, service, {"dryRun": True, "accessMode": "readOnly"}, spec=NEW)
    assert (dry["outcome"], dry["changed"], dry["dryRun"]) == ("planned", False, True)
    assert inspected(swarm, service) == before
    real = rollout(swarm, service, spec=NEW, wait=False)
    assert (dry["plan"], dry["differences"]) == (real["plan"], real["differences"])
    nothing = rollout(swarm, service, {"dryRun": True}, spec=NEW)
    assert (nothing["outcome"], nothing["plan"]) == ("unchanged", [])


def test_a_read_only_credential_is_refused_before_anything(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    before = inspected(swarm, service)
    assert refused(swarm, service, {"accessMode": "readOnly"}, spec=NEW)["name"] == "ReadOnly"
    assert inspected(swarm, service) == before


def test_two_messages_at_once_are_both_merged(swarm: LabEngine, service: str) -> None:
    made(swarm, service)
    changes: list[dict[str, Any]] = [{"env": {"A": "1"}}, {"env": {"B": "1"}}, {"replicas": 2}]
    at_once(*[partial(rollout, swarm, service, **change) for change in changes])
    spec = inspected(swarm, service)["Spec"]
    assert sorted(spec["TaskTemplate"]["ContainerSpec"]["Env"]) == ["A=1", "B=1"]
    assert spec["Mode"]["Replicated"]["Replicas"] == 2
    wait_until(lambda: len(running(swarm, service)) == 2, "both tasks")


def test_a_service_that_is_not_there_fails(swarm: LabEngine, service: str) -> None:
    assert refused(swarm, service)["name"] == "NotFound"
