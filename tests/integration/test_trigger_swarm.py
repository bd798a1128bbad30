"""The triggers taskFailed and objectChanged on a real swarm manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.engine.errors import BadInput, NoManager
from lib.trigger import dropdowns as selection
from lib.trigger.cursor import LIMIT
from tests.integration.trigger_lab import config, desk, engines_closed, own_engine
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness, size
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
INIT = {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}
SWARM = ["services", "secrets", "configs", "nodes"]


@pytest.fixture
def manager(own_engine: LabEngine) -> Iterator[LabEngine]:
    own_engine.wire.do("POST", "/swarm/init", INIT)
    yield own_engine
    own_engine.wire.ask("POST", "/swarm/leave", force=True)
    own_engine.wire.do("POST", "/volumes/prune")


def service(engine: LabEngine, name: str, command: list[str], *, delay: float = 0.2, **spec: Any) -> str:
    container = {"Image": engine.image, "Command": command, "StopSignal": "SIGKILL"}
    restart = {"Condition": "any", "Delay": int(delay * 1e9)}
    template = {"ContainerSpec": container, "RestartPolicy": restart, **spec.pop("template", {})}
    body = {"Name": name, "TaskTemplate": template, "Mode": {"Replicated": {"Replicas": 1}}, **spec}
    identity: str = engine.wire.do("POST", "/services/create", body).json()["ID"]
    return identity


def failed(engine: LabEngine, count: int) -> bool:
    tasks = engine.wire.do("GET", "/tasks").json()
    return sum(task["Status"]["State"] == "failed" for task in tasks) >= count


def states(emitted: Emitted) -> list[tuple[str, str]]:
    return [(body["state"], body["service"]["name"]) for body in emitted.of("task")]


def failures(engine: LabEngine) -> list[str]:
    """The ids of the tasks that failed, as the manager tells them."""
    tasks = engine.wire.do("GET", "/tasks").json()
    return [one["ID"] for one in tasks if one["Status"]["State"] == "failed"]


def task(body: dict[str, Any]) -> str:
    return str(body["task"])


def thing(body: dict[str, Any]) -> tuple[str, str, str]:
    return body["type"], body["change"], body["name"]


def objects(emitted: Emitted) -> list[tuple[str, str, str]]:
    return [thing(body) for body in emitted.of("object")]


def test_every_failure_is_told_once(manager: LabEngine) -> None:
    step = desk("task_failed", manager)
    step.poll()
    three = {"RestartPolicy": {"Condition": "any", "Delay": 500_000_000, "MaxAttempts": 2}}
    service(manager, "bad", ["sh", "-c", "sleep 0.3; exit 4"], template=three)
    told: list[str] = []
    for round_number in range(1, 4):
        wait_until(lambda number=round_number: failed(manager, number), "a failure")
        emitted = step.poll()
        step.replay()
        told += [body["task"] for body in emitted.of("task")]
        assert all((body["state"], body["exitCode"]) == ("failed", 4) for body in emitted.of("task"))
    truth = failures(manager)
    assert len(truth) == 3
    manager.wire.do("DELETE", "/services/bad")
    assert len(told) == len(set(told)) == len(truth)
    record("taskFailed", manager.version, "failures over several polls", told=step.told(task), truth=truth)


def test_a_kill_before_the_snapshot_repeats_with_equal_ids(manager: LabEngine) -> None:
    step = desk("task_failed", manager)
    step.poll()
    service(manager, "bad", ["sh", "-c", "exit 1"], delay=60)
    wait_until(lambda: failed(manager, 1), "a failure")
    first = step.poll(dies_after=1)
    assert step.poll().ids == first.ids
    assert step.poll().bodies == []
    situation, truth = "killed between emission and snapshot", failures(manager)
    record("taskFailed", manager.version, situation, told=step.told(task), truth=truth)


def test_a_task_that_does_not_start_is_told_once(manager: LabEngine) -> None:
    step = desk("task_failed", manager, stuckMinutes="0.01")
    step.poll()
    service(manager, "stuck", ["true"], template={"Placement": {"Constraints": ["node.labels.none==x"]}})
    wait_until(lambda: states(step.poll()) == [("stuck", "stuck")], "the stuck task")
    assert step.poll().bodies == []


def test_tasks_are_chosen_by_service_without_a_reset(manager: LabEngine) -> None:
    step = desk("task_failed", manager)
    step.poll()
    service(manager, "a", ["sh", "-c", "exit 1"], delay=60, Labels={"team": "shop"})
    service(manager, "b", ["sh", "-c", "exit 1"], delay=60)
    wait_until(lambda: failed(manager, 2), "two failures")
    before = step.snapshot
    for fields, wanted in (
        ({"services": ["a"]}, ["a"]),
        ({"labels": "team=shop"}, ["a"]),
        ({"names": "b*"}, ["b"]),
    ):
        again = PollHarness("task_failed", config(manager, **fields), before).poll()
        assert [name for _, name in states(again)] == wanted


def test_another_swarm_is_a_gap_and_a_new_start(manager: LabEngine) -> None:
    tasks, things = desk("task_failed", manager), desk("object_changed", manager, kinds=SWARM)
    tasks.poll()
    things.poll()
    manager.wire.do("POST", "/swarm/leave", force=True)
    manager.wire.do("POST", "/swarm/init", INIT)
    for step in (tasks, things):
        assert [body["reason"] for body in step.poll().bodies] == ["otherCluster"]
        assert step.poll().bodies == []
    for key, step in (("taskFailed", tasks), ("objectChanged", things)):
        record(key, manager.version, "another swarm", told=step.told(str), truth=[], gap=step.gap)


def test_without_a_swarm_the_error_says_so(own_engine: LabEngine) -> None:
    with pytest.raises(NoManager):
        desk("task_failed", own_engine).poll()


def test_swarm_objects_are_told_when_they_are_made_and_changed(manager: LabEngine) -> None:
    step = desk("object_changed", manager, kinds=SWARM)
    step.poll()
    manager.wire.do("POST", "/configs/create", {"Name": "settings", "Data": "aGVsbG8="})
    manager.wire.do("POST", "/secrets/create", {"Name": "password", "Data": "aGVsbG8="})
    emitted = step.poll()
    step.replay()
    truth = [("secret", "created", "password"), ("config", "created", "settings")]
    assert objects(emitted) == truth
    assert "aGVsbG8=" not in str(emitted.bodies)
    node = manager.wire.do("GET", "/nodes").json()[0]
    spec = {**node["Spec"], "Labels": {"zone": "a"}}
    manager.wire.do("POST", f"/nodes/{node['ID']}/update", spec, version=node["Version"]["Index"])
    truth.append(("node", "changed", node["Description"]["Hostname"]))
    assert objects(step.poll()) == truth[-1:]
    step.replay()
    assert step.poll().bodies == []
    situation = "swarm objects made and changed"
    record("objectChanged", manager.version, situation, told=step.told(thing), truth=truth)


def test_images_volumes_and_networks_are_told_by_their_ids(own_engine: LabEngine) -> None:
    step = desk("object_changed", own_engine)
    step.poll()
    own_engine.wire.do("POST", "/volumes/create", {"Name": "data", "Labels": {"team": "shop"}})
    own_engine.wire.do("POST", "/networks/create", {"Name": "net"})
    own_engine.wire.do("POST", f"/images/{own_engine.image}/tag", repo="again", tag="1")
    first = step.poll(dies_after=2)
    emitted = step.poll()
    assert objects(emitted) == [
        ("image", "changed", emitted.bodies[0]["name"]),
        ("volume", "created", "data"),
        ("network", "created", "net"),
    ]
    assert emitted.ids[:2] == first.ids
    assert step.poll().bodies == []
    truth = [("image", "changed"), ("volume", "created"), ("network", "created")]
    record(
        "objectChanged",
        own_engine.version,
        "images, volumes, networks",
        told=step.told(lambda body: thing(body)[:2]),
        truth=truth,
    )
    own_engine.wire.do("DELETE", "/volumes/data")
    own_engine.wire.do("POST", "/volumes/create", {"Name": "data"})
    own_engine.wire.do("DELETE", "/networks/net")
    assert len(step.poll().bodies) <= 1


def test_a_kind_chosen_later_is_not_told_as_new(own_engine: LabEngine) -> None:
    own_engine.wire.do("POST", "/volumes/create", {"Name": "old"})
    step = desk("object_changed", own_engine, kinds=["networks"])
    step.poll()
    assert step.poll(kinds=["networks", "volumes"]).bodies == []
    with pytest.raises(BadInput, match=r"kinds .*: 'planets' is not possible"):
        step.poll(kinds="planets")


def test_three_hundred_volumes_fit_into_the_snapshot(own_engine: LabEngine) -> None:
    for number in range(300):
        own_engine.wire.do("POST", "/volumes/create", {"Name": f"many{number}"})
    step = desk("object_changed", own_engine)
    step.poll()
    assert size(step.snapshot) < LIMIT
    own_engine.wire.do("POST", "/volumes/prune")
    situation = f"snapshot of 300 volumes: {size(step.snapshot)} bytes"
    record("objectChanged", own_engine.version, situation, told=step.told(thing), truth=[])


def test_the_drop_downs_offer_what_there_is(manager: LabEngine) -> None:
    service(manager, "offered", ["sleep", "600"])
    container = manager.create(name="here", Labels={"team": "shop"})
    form = config(manager)
    assert "here" in selection.containers(None, form)
    assert manager.image in selection.images(None, form)
    assert "bridge" in selection.networks(None, form)
    assert selection.services(None, form) == {"offered": "offered"}
    assert len(selection.nodes(None, form)) == 1
    assert selection.labels(None, form)["team=shop"] == "team=shop"
    manager.remove(container)
