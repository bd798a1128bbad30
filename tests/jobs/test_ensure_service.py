"""Services that shall be there, on swarms of one node."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.jobs.crash import AFTER, BEFORE, Death, Delivery, deaths
from tests.jobs.engines import config
from tests.jobs.swarms import IMAGE, SECOND, inspected, made, running, service, spec_of, swarm, tasks, updates
from tests.lab.at_once import at_once, beside
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.socket_proxy import SocketProxy
from tests.lab.waiting import wait_until

__all__ = ["service", "swarm"]
pytestmark = pytest.mark.engine
KEY = "EnsureService"
DRY = {"dryRun": True, "accessMode": "readOnly"}
SLEEP = {
    "image": IMAGE,
    "command": ["sleep", "600"],
    "spec": {"TaskTemplate": {"ContainerSpec": {"StopSignal": "SIGKILL"}}},
}
BAD = ["sh", "-c", "echo no database; exit 3"]


def ensure(
    engine: LabEngine, name: str, settings: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """The output of the job; `fields` over a service that sleeps."""
    outcome = run_step(KEY, {"name": name, **SLEEP, **fields}, config(engine, **(settings or {})))
    assert outcome.errors == []
    (body,) = outcome.bodies
    assert isinstance(body, dict)
    return body


def refused(engine: LabEngine, name: str, **fields: Any) -> Any:
    return ensure(engine, name, {"errorPolicy": "emit"}, **fields)["error"]


def brief(body: dict[str, Any]) -> tuple[Any, ...]:
    return body["action"], body["outcome"], body["changed"], body["running"], body["desired"]


def plan(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["action"], one["kind"], one["name"]) for one in body["plan"]]


def container(engine: LabEngine, name: str) -> dict[str, Any]:
    told: dict[str, Any] = inspected(engine, name)["Spec"]["TaskTemplate"]["ContainerSpec"]
    return told


@pytest.mark.shows(KEY, "succeeds", "repeat", "dry_run")
def test_it_succeeds_and_a_repeat_changes_nothing(swarm: LabEngine, service: str) -> None:
    dry = ensure(swarm, service, DRY, replicas=2)
    assert (dry["action"], dry["outcome"], dry["changed"]) == ("created", "planned", False)
    assert swarm.wire.ask("GET", f"/services/{service}").status == 404
    first = ensure(swarm, service, replicas=2)
    assert brief(first) == ("created", "converged", True, 2, 2)
    assert first["plan"] == dry["plan"]
    assert plan(first) == [("create", "service", service)]
    assert "before" not in first
    before = inspected(swarm, service)
    again = [ensure(swarm, service, replicas=2) for _ in range(2)]
    assert [brief(body) for body in again] == [("none", "unchanged", False, 2, 2)] * 2
    assert inspected(swarm, service) == before
    dry = ensure(swarm, service, DRY, command=["sleep", "700"])
    changed = ensure(swarm, service, command=["sleep", "700"])
    assert brief(changed) == ("updated", "converged", True, 2, 2)
    assert (dry["plan"], dry["differences"]) == (changed["plan"], changed["differences"])
    assert plan(changed) == [("update", "service", service)]
    assert container(swarm, service)["Args"] == ["sleep", "700"]


def test_each_part_succeeds_once_and_its_repeat_has_no_difference(swarm: LabEngine, service: str) -> None:
    network = f"{service}-net"
    swarm.wire.do("POST", "/networks/create", {"Name": network, "Driver": "overlay"})
    data = base64.b64encode(b"x").decode()
    for kind in ("secret", "config"):
        for version in ("v1", "v2"):
            body = {"Name": f"{service}-{kind}.{version}", "Data": data, "Labels": {}}
            swarm.wire.do("POST", f"/{kind}s/create", body)
    parts: list[dict[str, Any]] = [
        {"env": {"A": "1", "B": 2, "C": True}},
        {"env": {"B": "3", "A": None}},
        {"labels": {"tier": "web", "n": 7}},
        {"ports": ["80", "8443/udp"]},
        {"ports": ["8443/udp", {"TargetPort": 80}]},
        {"mounts": ["data:/data/:ro", "/tmp:/host", "/anonymous"]},
        {"mounts": [{"Type": "tmpfs", "Target": "/fast", "TmpfsOptions": {"SizeBytes": 65536}}]},
        {"networks": [network]},
        {"networks": [{"name": network, "aliases": ["b", "a"]}]},
        {"secrets": [f"{service}-secret", {"name": f"{service}-secret.v1", "file": "old", "mode": "0400"}]},
        {"configs": [{"name": f"{service}-config", "file": "/etc/x", "uid": 7, "gid": "8"}]},
        {"constraints": ["node.role==manager", "node.id!=moon"]},
        {"constraints": ["node.id!=moon", "node.role==manager"]},
        {"resources": {"Limits": {"MemoryBytes": 64 * 1024**2}, "Reservations": {"NanoCPUs": 10**7}}},
        {"resources": {"Limits": {"MemoryBytes": 0, "NanoCPUs": 0}}},
        {"update": {"Parallelism": 0, "Delay": SECOND, "Order": "start-first"}},
        {"update": {"FailureAction": "pause", "MaxFailureRatio": 0.5}},
        {"rollback": {"Parallelism": 2}},
        {"entrypoint": "env", "command": "sleep 600"},
        {"spec": {"TaskTemplate": {"ContainerSpec": {"Healthcheck": {"Test": ["NONE"]}, "User": "0"}}}},
        {"spec": {"TaskTemplate": {"RestartPolicy": {"Condition": "any", "Delay": SECOND}}}},
        {"spec": {"EndpointSpec": {"Mode": "vip"}, "TaskTemplate": {"LogDriver": {"Name": "json-file"}}}},
    ]
    ensure(swarm, service, wait=False)
    orders = (4, 12)
    for at, part in enumerate(parts):
        found = [ensure(swarm, service, wait=False, **part) for _ in range(2)]
        shown = (part, [body["differences"] for body in found])
        first = "none" if at in orders else "updated"
        assert [body["action"] for body in found] == [first, "none"], shown
    told = container(swarm, service)
    assert told["Env"] == ["B=3", "C=true"]
    assert [one["File"]["Name"] for one in told["Secrets"]] == [f"{service}-secret", "old"]
    assert told["Secrets"][0]["SecretName"] == f"{service}-secret.v2"
    assert told["Secrets"][1]["File"]["Mode"] == 0o400
    # What is left out is left alone; all together make the same service anew.
    assert ensure(swarm, service, wait=False)["action"] == "none"
    swarm.wire.do("DELETE", f"/services/{service}")
    whole: dict[str, Any] = {}
    for part in parts[3:-3]:
        whole |= part
    found = [ensure(swarm, service, wait=False, **whole) for _ in range(2)]
    assert [body["action"] for body in found] == ["created", "none"], found[1]["differences"]
    swarm.wire.do("DELETE", f"/services/{service}")
    wait_until(
        lambda: swarm.wire.ask("DELETE", f"/networks/{network}").status in (204, 404), "the network to go"
    )


@pytest.mark.parametrize("mode", ["global", "job", "replicated"])
def test_a_mode_succeeds_and_fails_where_it_is_another_one(swarm: LabEngine, service: str, mode: str) -> None:
    fields: dict[str, Any] = {"mode": mode}
    if mode == "job":
        fields |= {"command": ["true"], "spec": {"TaskTemplate": {"RestartPolicy": {"Condition": "none"}}}}
        fields |= {"replicas": 2}
    count = 2 if mode == "job" else 1
    assert brief(ensure(swarm, service, **fields)) == ("created", "converged", True, count, count)
    assert brief(ensure(swarm, service, **fields)) == ("none", "unchanged", False, count, count)
    before = inspected(swarm, service)
    other = "replicated" if mode == "global" else "global"
    error = refused(swarm, service, mode=other)
    assert (error["name"], error["differences"][0]["path"]) == ("Differs", "Mode")
    assert mode != "global" or refused(swarm, service, replicas=2)["name"] == "BadInput"
    assert inspected(swarm, service) == before


def test_what_somebody_else_made_is_compared(swarm: LabEngine, service: str) -> None:
    made(swarm, service, EndpointSpec={"Ports": [{"TargetPort": 80}]}, Labels={"theirs": "1"})
    before = inspected(swarm, service)
    wish = {
        "entrypoint": ["sleep", "600"],
        "command": None,
        "ports": ["80/tcp"],
        "replicas": 1,
        "mode": "replicated",
    }
    wish |= {"update": {"Order": "stop-first"}, "spec": {}}
    assert brief(ensure(swarm, service, **wish)) == ("none", "unchanged", False, 1, 1)
    assert inspected(swarm, service) == before
    body = ensure(swarm, service, **wish, labels={"ours": "2"})
    assert [one["path"] for one in body["differences"]] == ["Labels.ours"]
    assert inspected(swarm, service)["Spec"]["Labels"].items() >= {"theirs": "1", "ours": "2"}.items()


def test_a_bad_change_fails_and_is_rolled_back(swarm: LabEngine, service: str) -> None:
    ensure(swarm, service, rollback={"Parallelism": 0, "Monitor": SECOND})
    error = refused(swarm, service, command=BAD)
    assert (error["name"], error["action"], error["outcome"]) == ("RolledBack", "updated", "rolledBack")
    assert error["failed"][0]["lines"] == ["no database"]
    assert container(swarm, service)["Args"] == ["sleep", "600"]
    error = refused(swarm, service, command=BAD, update={"FailureAction": "pause"})
    assert (error["name"], error["outcome"]) == ("NotReached", "paused")


def test_a_new_one_that_no_node_fits_fails(swarm: LabEngine, service: str) -> None:
    error = refused(swarm, service, constraints=["node.labels.zone==moon"])
    assert (error["name"], error["action"], error["outcome"]) == ("NotReached", "created", "notReached")
    assert "no suitable node" in error["message"]


def test_absent_succeeds_and_its_repeat_has_no_effect(swarm: LabEngine, service: str) -> None:
    ensure(swarm, service, wait=False)
    ensure(swarm, f"{service}-other", wait=False)
    dry = ensure(swarm, service, DRY, state="absent")
    found = [ensure(swarm, service, state="absent", image=None) for _ in range(2)]
    assert [body["action"] for body in found] == ["removed", "none"]
    assert [body["outcome"] for body in found] == ["removed", "unchanged"]
    assert (dry["plan"], dry["outcome"]) == (found[0]["plan"], "planned")
    assert swarm.wire.ask("GET", f"/services/{service}").status == 404
    assert swarm.wire.ask("GET", f"/services/{service}-other").status == 200
    swarm.wire.do("DELETE", f"/services/{service}-other")


def test_the_beginning_of_an_id_is_no_name(swarm: LabEngine, service: str) -> None:
    identity = made(swarm, service, steady=False)
    assert ensure(swarm, identity[:12], state="absent")["action"] == "none"
    # For a swarm one name in upper and lower case is one name.
    assert refused(swarm, service.upper())["name"] == "Conflict"


def test_a_read_only_credential_is_refused_before_anything(swarm: LabEngine, service: str) -> None:
    reading = {"accessMode": "readOnly", "errorPolicy": "emit"}
    assert ensure(swarm, service, reading)["error"]["name"] == "ReadOnly"
    assert swarm.wire.ask("GET", f"/services/{service}").status == 404
    ensure(swarm, service)
    before = inspected(swarm, service)
    assert ensure(swarm, service, reading)["action"] == "none"
    for fields in ({"labels": {"a": "1"}}, {"state": "absent"}):
        assert ensure(swarm, service, reading, **fields)["error"]["name"] == "ReadOnly"
    assert inspected(swarm, service) == before


@pytest.mark.parametrize("die", deaths(1))
@pytest.mark.parametrize("there", [False, True], ids=["created", "updated"])
def test_killed_at_its_call_it_is_made_once(swarm: LabEngine, service: str, there: bool, die: Death) -> None:
    if there:
        ensure(swarm, service, command=["sleep", "500"])
    delivery = Delivery(swarm, KEY, {"name": service, **SLEEP})
    dead = delivery.run(die)
    assert (dead.finished, dead.published) == (None, [])
    again = delivery.run()
    assert again.finished
    action = "updated" if there else "created"
    assert brief(again.bodies[0]) == (action, "converged", True, 1, 1)
    assert len(again.calls) == (1 if die[1] == BEFORE else 0)
    created = [
        one for one in delivery.events("create", "service") if one["Actor"]["Attributes"]["name"] == service
    ]
    assert (len(created), updates(swarm, service, delivery.began)) == ((0, 1) if there else (1, 0))
    third = delivery.run()
    assert (brief(third.bodies[0]), third.calls) == ((action, "converged", True, 1, 1), [])


@pytest.mark.parametrize("side", [BEFORE, AFTER])
def test_killed_while_it_removes_it_is_gone(swarm: LabEngine, service: str, side: str) -> None:
    made(swarm, service, steady=False)
    delivery = Delivery(swarm, KEY, {"name": service, "state": "absent"})
    delivery.run((1, side))
    assert delivery.run().finished
    assert swarm.wire.ask("GET", f"/services/{service}").status == 404


def test_a_repeat_after_another_change_does_not_undo_it(swarm: LabEngine, service: str) -> None:
    delivery = Delivery(swarm, KEY, {"name": service, **SLEEP}, {"badOutcome": "emit"})
    delivery.run()
    ensure(swarm, service, command=["sleep", "800"])
    before = inspected(swarm, service)
    life = delivery.run()
    assert (life.bodies[0]["outcome"], life.calls) == ("notReached", [])
    assert inspected(swarm, service) == before


def test_several_at_once_make_one(swarm: LabEngine, service: str) -> None:
    outcomes = at_once(*[lambda: ensure(swarm, service)] * 4)
    assert sorted(body["action"] for body in outcomes) == ["created", "none", "none", "none"]
    assert {body["service"]["id"] for body in outcomes} == {inspected(swarm, service)["ID"]}
    assert len(tasks(swarm, service)) == 1


def test_deliveries_at_once_make_one(swarm: LabEngine, service: str) -> None:
    body = {"name": service, **SLEEP, "idempotencyKey": service}
    outcomes = at_once(*[lambda: run_step(KEY, body, config(swarm))] * 3)
    assert [brief(outcome.body) for outcome in outcomes] == [("created", "converged", True, 1, 1)] * 3
    assert "PreviousSpec" not in inspected(swarm, service)


def test_at_once_another_one_of_the_name_is_compared(swarm: LabEngine, service: str) -> None:
    """It is made between our look and our create, which gets 409."""
    with SocketProxy(swarm.socket, ".*") as proxy:

        def before(call: str) -> None:
            if call == "POST /services/create":
                swarm.wire.do("POST", "/services/create", spec_of(service))

        proxy.before = before
        address = {"server": "2", "otherServer": proxy.url}
        wish = {"name": service, "image": IMAGE, "labels": {"a": "1"}}
        body = run_step(KEY, wish, address).body
        forget_engines()
    assert brief(body) == ("updated", "converged", True, 1, 1)
    assert plan(body) == [("update", "service", service)]


def test_a_create_whose_answer_is_lost_is_looked_for(swarm: LabEngine, service: str) -> None:
    with FaultyProxy(swarm.socket) as way:
        way.answers.cut_after(0, asked=b"/services/create", once=True)
        address = {"server": "2", "otherServer": f"http://{way.host}:{way.port}"}
        body = run_step(KEY, {"name": service, **SLEEP}, address).body
        assert way.answers.limit is None, "nothing was cut"
        forget_engines()
    assert brief(body) == ("created", "converged", True, 1, 1)
    assert len(running(swarm, service)) == 1


def test_a_manager_that_dies_meanwhile_is_waited_for(swarm: LabEngine, service: str) -> None:
    waiting = beside(ensure, swarm, service)
    wait_until(lambda: swarm.wire.ask("GET", f"/services/{service}").status == 200, "the service")
    wait_until(lambda: tasks(swarm, service), "its task")
    swarm.kill()
    swarm.start()
    assert brief(waiting.result()) == ("created", "converged", True, 1, 1)


def test_the_time_of_the_step_is_up_and_a_repeat_waits_on(swarm: LabEngine, service: str) -> None:
    for command, action in (("sleep 600", "created"), ("sleep 700", "updated")):
        body = {"name": service, **SLEEP, "command": command, "idempotencyKey": f"{service} {action}"}
        short = config(swarm, maxSeconds=1, whenTimeIsUp="emit")
        for _ in range(2):
            late = run_step(KEY, body, short).body
            assert (late["action"], late["outcome"], late["reached"]) == (action, "notReached", False)
        assert brief(run_step(KEY, body, config(swarm)).bodies[0]) == (action, "converged", True, 1, 1)


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        ({"name": "a b"}, "BadInput"),
        ({"name": "../x"}, "BadInput"),
        ({"name": "n" * 64}, "BadInput"),
        ({"image": None}, "BadInput"),
        ({"image": "a b"}, "BadInput"),
        ({"ports": ["80:"]}, "BadInput"),
        ({"ports": ["0:80"]}, "BadInput"),
        ({"ports": ["70000"]}, "BadInput"),
        ({"ports": "80"}, "BadInput"),
        ({"mounts": ["data"]}, "BadInput"),
        ({"mounts": ["a:b:c:d"]}, "BadInput"),
        ({"networks": ["no-such-network"]}, "NotFound"),
        ({"networks": [{"aliases": ["x"]}]}, "BadInput"),
        ({"secrets": ["no-such-secret"]}, "NotFound"),
        ({"secrets": [{"name": "x", "path": "y"}]}, "BadInput"),
        ({"configs": ["no-such-config"]}, "NotFound"),
        ({"env": {"A": {"b": 1}}}, "BadInput"),
        ({"env": "no"}, "BadInput"),
        ({"labels": "no"}, "BadInput"),
        ({"resources": [5]}, "BadInput"),
        ({"spec": "no"}, "BadInput"),
        ({"replicas": 2**64}, "BadInput"),
        ({"mode": "both"}, "BadInput"),
    ],
    ids=str,
)
def test_it_fails_where_the_input_is_none(swarm: LabEngine, bad: dict[str, Any], error: str) -> None:
    wish = {"name": "x1", **SLEEP, **bad}
    body = run_step(KEY, wish, config(swarm, errorPolicy="emit")).body
    assert body["error"]["name"] == error
    assert swarm.wire.ask("GET", "/services/x1").status == 404
