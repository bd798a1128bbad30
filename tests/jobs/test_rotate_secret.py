"""Secrets and configs that get another content, and services that go over to it, on swarms of one node."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.job.vault.kind import CONFIG, SECRET, Kind
from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.jobs.crash import BEFORE, Death, Delivery, deaths
from tests.jobs.engines import config
from tests.jobs.swarms import inspected, made, running, swarm, updates
from tests.jobs.test_secret_contents import CONTENT, shows
from tests.jobs.vaults import BOTH_KINDS, cleared, ensure, make, names, reference, told
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.socket_proxy import SocketProxy

__all__ = ["swarm"]
pytestmark = pytest.mark.engine
KEY = "RotateSecret"
DRY = {"dryRun": True, "accessMode": "readOnly"}
EMIT = {"badOutcome": "emit"}


@pytest.fixture
def name(swarm: LabEngine) -> Iterator[str]:
    """A name that no other test has; what is there at the end goes."""
    found = f"v{random_id()[:13]}"
    yield found
    for kind in (SECRET, CONFIG):
        cleared(swarm, kind, found)


def rotate(
    engine: LabEngine, name: str, content: str, settings: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """The output of the job."""
    body = {"name": name, "content": content, **fields}
    outcome = run_step(KEY, body, config(engine, **(settings or {})))
    assert outcome.errors == []
    (found,) = outcome.bodies
    assert isinstance(found, dict)
    return found


def user(
    engine: LabEngine,
    kind: Kind,
    service: str,
    *versions: str,
    steady: bool = True,
    command: str = "sleep 600",
) -> str:
    """A service that has the versions as files f0, f1 and so on."""
    references = [
        reference(kind, told(engine, kind, one)["ID"], one, f"f{at}") for at, one in enumerate(versions)
    ]
    container = {"Command": ["sh", "-c", command], kind.part: references}
    return made(engine, service, steady=steady, TaskTemplate={"ContainerSpec": container})


def used(engine: LabEngine, kind: Kind, service: str) -> list[tuple[str, str]]:
    """What a service uses, as (file, version)."""
    container = inspected(engine, service)["Spec"]["TaskTemplate"]["ContainerSpec"]
    found = [(one["File"]["Name"], one[f"{kind.name.title()}Name"]) for one in container.get(kind.part) or ()]
    ids = [told(engine, kind, version)["ID"] for _, version in found]
    assert ids == [one[f"{kind.name.title()}ID"] for one in container.get(kind.part) or ()]
    return found


def plan(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["action"], one["kind"], one["name"]) for one in body["plan"]]


def outcomes(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["service"], one["outcome"]) for one in body["results"]]


@BOTH_KINDS
@pytest.mark.shows(KEY, "succeeds", "dry_run", "repeat")
def test_services_go_over_and_old_versions_go(swarm: LabEngine, kind: Kind, name: str) -> None:
    rotating = {"kind": kind.name}
    for content in ("one", "two"):
        ensure(swarm, kind, name, content)
    make(swarm, kind, f"{name}-other")
    user(swarm, kind, f"{name}-b", f"{name}.v2", f"{name}-other", f"{name}.v1")
    user(swarm, kind, f"{name}-a", f"{name}.v1")
    user(swarm, kind, f"{name}-c", f"{name}-other")
    other = inspected(swarm, f"{name}-c")
    dry = rotate(swarm, name, "three", DRY, **rotating)
    assert (dry["outcome"], dry["changed"], dry["version"]) == ("planned", False, 3)
    assert len(names(swarm, kind, f"{name}.v")) == 2
    body = rotate(swarm, name, "three", **rotating)
    assert (body["outcome"], body["action"], body["version"]) == ("converged", "created", 3)
    assert outcomes(body) == [(f"{name}-a", "converged"), (f"{name}-b", "converged")]
    assert body["results"][1]["from"] == [f"{name}.v2", f"{name}.v1"]
    assert plan(body) == [
        ("create", kind.name, f"{name}.v3"),
        ("update", "service", f"{name}-a"),
        ("update", "service", f"{name}-b"),
        ("remove", kind.name, f"{name}.v1"),
    ]
    assert dry["plan"] == body["plan"]
    assert (dry["removed"], dry["kept"]) == (body["removed"], body["kept"])
    assert body["removed"] == [f"{name}.v1"]
    assert [one["name"] for one in body["kept"]] == [f"{name}.v2"]
    assert used(swarm, kind, f"{name}-a") == [("f0", f"{name}.v3")]
    assert used(swarm, kind, f"{name}-b") == [
        ("f0", f"{name}.v3"),
        ("f1", f"{name}-other"),
        ("f2", f"{name}.v3"),
    ]
    assert inspected(swarm, f"{name}-c") == other
    again = rotate(swarm, name, "three", **rotating)
    assert (again["outcome"], again["action"], again["changed"], again["plan"]) == (
        "unchanged",
        "none",
        False,
        [],
    )
    # With nothing to keep the last old one goes, too.
    last = rotate(swarm, name, "three", keep=0, **rotating)
    assert (last["removed"], last["changed"]) == ([f"{name}.v2"], True)
    assert names(swarm, kind, f"{name}.v") == [f"{name}.v3"]


def test_one_of_the_bare_name_and_chosen_services_succeed(swarm: LabEngine, name: str) -> None:
    make(swarm, SECRET, name)
    user(swarm, SECRET, f"{name}-a", name)
    user(swarm, SECRET, f"{name}-b", name)
    body = rotate(swarm, name, "one", services=[f"{name}-b"], keep=0)
    assert outcomes(body) == [(f"{name}-b", "converged")]
    assert used(swarm, SECRET, f"{name}-a") == [("f0", name)]
    assert used(swarm, SECRET, f"{name}-b") == [("f0", f"{name}.v1")]
    assert (body["removed"], [one["name"] for one in body["kept"]]) == ([], [name])
    body = rotate(swarm, name, "two", services=[f"{name}-b"], keep=0)
    assert body["removed"] == [f"{name}.v1"]
    user(swarm, SECRET, f"{name}-c", f"{name}.v2")
    body = rotate(swarm, name, "three", services=[f"{name}-a"], keep=0)
    assert body["removed"] == []
    assert f"{name}-c" in next(one["reason"] for one in body["kept"] if one["name"] == f"{name}.v2")


def test_it_fails_where_a_service_is_not_there_and_makes_nothing(swarm: LabEngine, name: str) -> None:
    error = rotate(swarm, name, "one", {"errorPolicy": "emit"}, services=[f"{name}-none"])["error"]
    assert error["name"] == "NotFound"
    assert names(swarm, SECRET, name) == []


@pytest.mark.parametrize("stops", [True, False])
def test_it_fails_where_a_service_is_rolled_back(swarm: LabEngine, name: str, stops: bool) -> None:
    """One that takes only the first content stays with the old version, which stays as well."""
    ensure(swarm, SECRET, name, "good")
    check = "grep -q good /run/secrets/f0 || { echo wrong password; exit 3; }; sleep 600"
    user(swarm, SECRET, f"{name}-a", f"{name}.v1", command=check)
    user(swarm, SECRET, f"{name}-b", f"{name}.v1")
    delivery = Delivery(
        swarm,
        KEY,
        {"name": name, "content": "bad", "keep": 0, "stopAtFirstFailure": stops},
        {"errorPolicy": "emit"},
    )
    for _ in range(2):  # it is told again, and not tried again
        (body,) = delivery.run().bodies
        error = body["error"]
        assert (error["name"], error["outcome"], error["removed"]) == ("RolledBack", "rolledBack", [])
        assert error["results"][0]["failed"][0]["lines"] == ["wrong password"]
        assert error["skipped"] == ([f"{name}-b"] if stops else [])
    assert used(swarm, SECRET, f"{name}-a") == [("f0", f"{name}.v1")]
    assert used(swarm, SECRET, f"{name}-b") == [("f0", f"{name}.v{1 if stops else 2}")]
    assert updates(swarm, f"{name}-a", delivery.began) == 1
    assert names(swarm, SECRET, f"{name}.v") == [f"{name}.v1", f"{name}.v2"]


@pytest.mark.parametrize("die", deaths(4))
def test_killed_at_each_call_it_is_rotated_once(swarm: LabEngine, name: str, die: Death) -> None:
    ensure(swarm, SECRET, name, "one")
    for letter in "ab":
        user(swarm, SECRET, f"{name}-{letter}", f"{name}.v1")
    delivery = Delivery(swarm, KEY, {"name": name, "content": "two", "keep": 0})
    dead = delivery.run(die)
    assert (dead.finished, dead.published) == (None, [])
    again = delivery.run()
    assert again.finished
    (body,) = again.bodies
    assert (body["outcome"], body["changed"], body["version"]) == ("converged", True, 2)
    assert len(dead.calls) + len(again.calls) == 4
    assert len(again.calls) == 4 - die[0] + (die[1] == BEFORE)
    for letter in "ab":
        assert used(swarm, SECRET, f"{name}-{letter}") == [("f0", f"{name}.v2")]
        assert updates(swarm, f"{name}-{letter}", delivery.began) == 1
        assert len(running(swarm, f"{name}-{letter}")) == 1
    assert len(delivery.events("create", "secret")) == 1
    assert names(swarm, SECRET, f"{name}.v") == [f"{name}.v2"]


def test_deliveries_at_once_rotate_it_once(swarm: LabEngine, name: str) -> None:
    ensure(swarm, SECRET, name, "one")
    for letter in "ab":
        user(swarm, SECRET, f"{name}-{letter}", f"{name}.v1")
    body = {"name": name, "content": "two", "keep": 0, "idempotencyKey": name}
    before = [inspected(swarm, f"{name}-{letter}")["Version"]["Index"] for letter in "ab"]
    bodies = [outcome.body for outcome in at_once(*[lambda: run_step(KEY, body, config(swarm))] * 3)]
    assert [one["version"] for one in bodies] == [2, 2, 2]
    assert {one["reached"] for one in bodies} == {True}
    made_by = [entry for one in bodies for entry in plan(one)]
    assert sorted(set(made_by)) == sorted(made_by), "each change once"
    assert len(made_by) == 4
    assert len(before) == 2
    assert names(swarm, SECRET, f"{name}.v") == [f"{name}.v2"]


def test_a_repeat_does_not_come_back_over_a_newer_one(swarm: LabEngine, name: str) -> None:
    user_of = f"{name}-a"
    ensure(swarm, SECRET, name, "one")
    user(swarm, SECRET, user_of, f"{name}.v1")
    delivery = Delivery(swarm, KEY, {"name": name, "content": "two"})
    delivery.run()
    rotate(swarm, name, "three")
    before = inspected(swarm, user_of)
    life = delivery.run()
    (body,) = life.bodies
    assert (body["version"], body["results"], life.calls) == (2, [], [])
    assert f"{name}.v3" in body["warnings"][0]
    assert inspected(swarm, user_of) == before


def test_the_time_of_the_step_is_up_and_a_repeat_goes_on(swarm: LabEngine, name: str) -> None:
    ensure(swarm, SECRET, name, "one")
    for letter in "abc":
        user(swarm, SECRET, f"{name}-{letter}", f"{name}.v1")
    body = {"name": name, "content": "two", "idempotencyKey": name}
    short = {"maxSeconds": 1, "whenTimeIsUp": "emit"}
    late = run_step(KEY, body, config(swarm, **short)).body
    assert (late["outcome"], late["reached"], late["version"]) == ("notReached", False, 2)
    assert outcomes(late) == [(f"{name}-a", "notReached")]
    # However short a stay is, services that have arrived are not waited for again.
    stays = 0
    while not (found := run_step(KEY, body, config(swarm, maxSeconds=7))).bodies:
        assert (len(found.rebounds), found.errors) == (1, [])
        stays += 1
        assert stays < 50
    assert found.bodies[0]["outcome"] == "converged"
    assert [used(swarm, SECRET, f"{name}-{letter}") for letter in "abc"] == [[("f0", f"{name}.v2")]] * 3


def test_a_read_only_credential_is_refused_before_anything(swarm: LabEngine, name: str) -> None:
    reading = {"accessMode": "readOnly", "errorPolicy": "emit"}
    ensure(swarm, SECRET, name, "one")
    user(swarm, SECRET, f"{name}-a", f"{name}.v1")
    before = inspected(swarm, f"{name}-a")
    assert rotate(swarm, name, "two", reading)["error"]["name"] == "ReadOnly"
    assert rotate(swarm, name, "one", reading)["action"] == "none"
    ensure(swarm, SECRET, name, "two")
    assert rotate(swarm, name, "two", reading)["error"]["name"] == "ReadOnly"
    assert inspected(swarm, f"{name}-a") == before
    assert names(swarm, SECRET, f"{name}.v") == [f"{name}.v1", f"{name}.v2"]


@pytest.mark.parametrize("call", ["/secrets/create", "/update", "DELETE /"])
def test_a_call_whose_answer_is_lost_succeeds_and_is_made_once(
    swarm: LabEngine, name: str, call: str
) -> None:
    ensure(swarm, SECRET, name, "one")
    user(swarm, SECRET, f"{name}-a", f"{name}.v1")
    with FaultyProxy(swarm.socket) as way:
        way.answers.cut_after(0, asked=call.encode(), once=True)
        address = {"server": "2", "otherServer": f"http://{way.host}:{way.port}"}
        body = run_step(KEY, {"name": name, "content": "two", "keep": 0}, address).body
        assert way.answers.limit is None, "nothing was cut"
        forget_engines()
    assert (body["outcome"], len(body["plan"])) == ("converged", 3)
    assert names(swarm, SECRET, f"{name}.v") == [f"{name}.v2"]


def test_what_the_engine_fills_in_stays_so(swarm: LabEngine, name: str) -> None:
    ensure(swarm, CONFIG, name, "{{ .Node.Hostname }}", templating=True)
    bodies = [rotate(swarm, name, "{{ .Service.Name }}", kind="config") for _ in range(2)]
    assert [body["action"] for body in bodies] == ["created", "none"]
    assert told(swarm, CONFIG, f"{name}.v2")["Spec"]["Templating"]["Name"] == "golang"


def test_an_old_version_that_cannot_be_removed_is_kept_and_it_succeeds(swarm: LabEngine, name: str) -> None:
    ensure(swarm, SECRET, name, "one")
    user(swarm, SECRET, f"{name}-a", f"{name}.v1")
    with SocketProxy(swarm.socket, "(GET|HEAD|POST) .*") as proxy:
        address = {"server": "2", "otherServer": proxy.url}
        body = run_step(KEY, {"name": name, "content": "two", "keep": 0}, address).body
        forget_engines()
    assert (body["outcome"], body["removed"]) == ("converged", [])
    assert [one["name"] for one in body["kept"]] == [f"{name}.v1"]
    assert ("remove", "secret", f"{name}.v1") not in plan(body)


def test_no_end_of_the_job_tells_the_content(swarm: LabEngine, name: str) -> None:
    ensure(swarm, SECRET, name, "one")
    user(swarm, SECRET, f"{name}-a", f"{name}.v1")
    loud = {"verbose": True, "errorPolicy": "emit"}
    body = {"name": name, "content": CONTENT}
    for more in (
        {"dryRun": True},
        {},
        {"accessMode": "readOnly"},
        {"maxSeconds": 0.001, "whenTimeIsUp": "fail"},
    ):
        outcome = run_step(KEY, body, config(swarm, **loud, **more))
        assert shows(outcome, CONTENT.encode()) == []
    kept = str([inspected(swarm, f"{name}-a"), told(swarm, SECRET, f"{name}.v2")])
    assert CONTENT not in kept
    assert base64.b64encode(CONTENT.encode()).decode() not in kept


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"content": ""}, "content"),
        ({"attachment": "a"}, "attachment"),
        ({"name": "a b"}, "name"),
        ({"name": "n" * 60}, "name"),
        ({"kind": "key"}, "kind"),
        ({"keep": -1}, "keep"),
        ({"services": "web"}, "services"),
        ({"services": [{"a": 1}]}, "services"),
    ],
    ids=str,
)
def test_it_fails_where_the_input_is_none(swarm: LabEngine, bad: dict[str, Any], field: str) -> None:
    body = {"name": "x1", "content": "one", **bad}
    found = run_step(KEY, body, config(swarm, errorPolicy="emit")).body
    assert (found["error"]["name"], found["error"]["field"].split(".")[0].split("[")[0]) == (
        "BadInput",
        field,
    )


@pytest.mark.parametrize("services", [5, ["text"], [5], [{}], [{"ID": "a", "Spec": 5}]], ids=str)
def test_services_that_are_none(tmp_path: Path, services: Any) -> None:

    with Scripted(tmp_path, say(answer(json.dumps(services).encode()))) as server:
        address = {"server": "2", "otherServer": server.url, "errorPolicy": "emit"}
        body = run_step(KEY, {"name": "x1", "content": "one"}, address).body
        assert {request.split()[0] for request in server.requests} == {b"GET"}
    forget_engines()
    assert body["error"]["name"] == "EngineFault"
