"""Secrets and configs that shall be there, on swarms of real engines."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.job.vault.kind import CONFIG, SECRET, Kind
from lib.sailor.message.ids import random_id
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import run_step
from tests.jobs.crash import Death, Delivery, deaths
from tests.jobs.engines import config
from tests.jobs.vaults import (
    MARK,
    cleared,
    ensure,
    key_of,
    make,
    manager,
    names,
    own,
    reference,
    refused,
    service,
    told,
)
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.socket_proxy import SocketProxy

__all__ = ["manager", "own"]
KINDS = [pytest.param(kind, id=kind.name, marks=pytest.mark.shows(key_of(kind))) for kind in (SECRET, CONFIG)]
pytestmark = [pytest.mark.engine, pytest.mark.parametrize("kind", KINDS)]
DRY = {"dryRun": True, "accessMode": "readOnly"}
FIXED = {"versions": "fixed"}


@pytest.fixture
def name(manager: LabEngine, kind: Kind) -> Iterator[str]:
    """A name that no other test has; what is there at the end goes."""
    made = f"v{random_id()[:13]}"
    yield made
    cleared(manager, kind, made)


def actions(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["action"], one["name"]) for one in body["plan"]]


def content(engine: LabEngine, kind: Kind, name: str) -> bytes:
    """What a config holds; a secret's is not told."""
    return base64.b64decode(told(engine, kind, name)["Spec"]["Data"]) if kind is CONFIG else b""


def test_it_succeeds_and_a_repeat_has_no_effect(manager: LabEngine, kind: Kind, name: str) -> None:
    found = [ensure(manager, kind, name, "sésame one", labels={"team": "shop", "n": 7}) for _ in range(3)]
    assert [body["action"] for body in found] == ["created", "none", "none"]
    assert [body["changed"] for body in found] == [True, False, False]
    assert [(body["name"], body["version"]) for body in found] == [(f"{name}.v1", 1)] * 3
    assert actions(found[0]) == [("create", f"{name}.v1")]
    there = told(manager, kind, f"{name}.v1")
    assert {body["id"] for body in found} == {there["ID"]}
    assert {"team": "shop", "n": "7"}.items() <= there["Spec"]["Labels"].items()
    assert kind is SECRET or content(manager, kind, f"{name}.v1") == "sésame one".encode()
    assert (MARK in there["Spec"]["Labels"]) == (kind is SECRET)


def test_another_content_is_another_version(manager: LabEngine, kind: Kind, name: str) -> None:
    for number in range(1, 12):  # v10 comes after v9
        body = ensure(manager, kind, name, f"content {number}")
        assert (body["name"], body["version"], body["action"]) == (f"{name}.v{number}", number, "created")
    assert body["differences"] == [{"path": "content", "effect": "newVersion"}]
    assert ensure(manager, kind, name, "content 11")["action"] == "none"
    # The newest counts: what an older one has is wanted anew.
    assert ensure(manager, kind, name, "content 1")["version"] == 12


def test_names_that_are_alike_are_others(manager: LabEngine, kind: Kind, name: str) -> None:
    for other in (name, f"{name}.v", f"{name}.v01", f"{name}.v7x", f"{name}.v1.v9"):
        make(manager, kind, other)
    assert ensure(manager, kind, name, "x")["version"] == 1
    assert ensure(manager, kind, f"{name}.v7", "x", **FIXED)["action"] == "created"
    assert ensure(manager, kind, name, "y")["version"] == 8
    # For a swarm one name in upper and lower case is one name.
    make(manager, kind, f"{name}.V9".upper())
    assert ensure(manager, kind, name, "z")["version"] == 10
    assert ensure(manager, kind, f"{name}.v7".upper(), "x", **FIXED)["action"] == "none"


def test_labels_are_changed_where_it_is(manager: LabEngine, kind: Kind, name: str) -> None:
    for wish in ({}, FIXED):
        first = ensure(manager, kind, name, "one", labels={"a": "1", "kept": "yes"}, **wish)
        dry = ensure(manager, kind, name, "one", DRY, labels={"a": "2"}, **wish)
        found = [ensure(manager, kind, name, "one", labels={"a": "2"}, **wish) for _ in range(2)]
        assert [body["action"] for body in found] == ["updated", "none"]
        assert (dry["plan"], dry["changed"], dry["action"]) == (found[0]["plan"], False, "updated")
        assert actions(found[0]) == [("update", first["name"])]
        assert found[0]["differences"] == [
            {"path": "labels.a", "before": "1", "after": "2", "effect": "update"}
        ]
        there = told(manager, kind, first["name"])
        assert there["ID"] == first["id"]
        assert {"a": "2", "kept": "yes"}.items() <= there["Spec"]["Labels"].items()
        assert ensure(manager, kind, name, "one", **wish)["action"] == "none"


def test_a_fixed_one_is_made_anew(manager: LabEngine, kind: Kind, name: str) -> None:
    first = ensure(manager, kind, name, "one", labels={"kept": "yes"}, **FIXED)
    assert (first["name"], first["action"]) == (name, "created")
    assert "version" not in first
    dry = ensure(manager, kind, name, "two", DRY, **FIXED)
    assert told(manager, kind, name)["ID"] == first["id"]
    found = [ensure(manager, kind, name, "two", **FIXED) for _ in range(2)]
    assert [body["action"] for body in found] == ["recreated", "none"]
    assert actions(found[0]) == [("remove", name), ("create", name)]
    assert (dry["plan"], dry["action"], dry["differences"]) == (
        found[0]["plan"],
        "recreated",
        found[0]["differences"],
    )
    assert told(manager, kind, name)["Spec"]["Labels"]["kept"] == "yes"
    assert found[1]["id"] != first["id"]


@pytest.mark.parametrize("wish", [{}, {"state": "absent"}])
def test_it_fails_with_the_services_where_a_fixed_one_is_in_use(
    manager: LabEngine, kind: Kind, name: str, wish: dict[str, Any]
) -> None:
    first = ensure(manager, kind, name, "one", **FIXED)
    user = service(manager, kind, f"{name}-user", reference(kind, first["id"], name, "file"))
    service(manager, kind, f"{name}-other")
    error = refused(manager, kind, name, "two", **FIXED, **wish)
    assert error["name"] == "WouldDestroy"
    assert f"{name}-user" in error["message"]
    assert error["usedBy"] == [{"id": user, "name": f"{name}-user"}]
    assert told(manager, kind, name)["ID"] == first["id"]
    assert ensure(manager, kind, name, "one", **FIXED)["action"] == "none"
    assert ensure(manager, kind, name, "two")["name"] == f"{name}.v1"


def test_it_fails_where_a_service_comes_between_look_and_removal(
    manager: LabEngine, kind: Kind, name: str
) -> None:
    first = ensure(manager, kind, name, "one", **FIXED)

    def before(call: str) -> None:
        if call.startswith("DELETE"):
            service(manager, kind, f"{name}-late", reference(kind, first["id"], name, "file"))

    with SocketProxy(manager.socket, ".*") as proxy:
        proxy.before = before
        address = {"server": "2", "otherServer": proxy.url, "errorPolicy": "emit"}
        body = run_step(key_of(kind), {"name": name, "content": "two", **FIXED}, address).body
    assert body["error"]["name"] == "WouldDestroy"
    assert [one["name"] for one in body["error"]["usedBy"]] == [f"{name}-late"]


def test_absent_removes_all_versions(manager: LabEngine, kind: Kind, name: str) -> None:
    for text in ("one", "two"):
        last = ensure(manager, kind, name, text)
    other = make(manager, kind, f"{name}-other")
    user = service(manager, kind, f"{name}-user", reference(kind, last["id"], last["name"], "file"))
    error = refused(manager, kind, name, "", state="absent")
    assert (error["name"], [one["id"] for one in error["usedBy"]]) == ("WouldDestroy", [user])
    assert len(names(manager, kind, f"{name}.v")) == 2
    manager.wire.do("DELETE", f"/services/{user}")
    dry = ensure(manager, kind, name, "", DRY, state="absent")
    found = [ensure(manager, kind, name, "", state="absent") for _ in range(2)]
    assert [body["action"] for body in found] == ["removed", "none"]
    assert dry["plan"] == found[0]["plan"]
    assert actions(dry) == [("remove", f"{name}.v1"), ("remove", f"{name}.v2")]
    assert names(manager, kind, name) == [f"{name}-other"]
    assert told(manager, kind, f"{name}-other")["ID"] == other


def test_what_somebody_else_made(manager: LabEngine, kind: Kind, name: str) -> None:
    """A config shows its content; of a secret without the mark nothing is known."""
    make(manager, kind, f"{name}.v4", base64.b64encode(b"one").decode(), Labels={MARK: "scrypt.30.8.1.00.00"})
    body = ensure(manager, kind, name, "one")
    assert (body["action"], body["version"]) == (("none", 4) if kind is CONFIG else ("created", 5))
    make(manager, kind, name, base64.b64encode(b"one").decode())
    body = ensure(manager, kind, name, "one", **FIXED)
    assert body["action"] == ("none" if kind is CONFIG else "recreated")


def test_a_dry_run_changes_nothing_and_tells_what_a_real_run_does(
    manager: LabEngine, kind: Kind, name: str
) -> None:
    for text in ("one", "one", "two"):
        before = names(manager, kind, name)
        dry = ensure(manager, kind, name, text, DRY)
        assert (dry["changed"], dry["dryRun"], names(manager, kind, name)) == (False, True, before)
        real = ensure(manager, kind, name, text)
        assert (real["plan"], real["action"], real["name"]) == (dry["plan"], dry["action"], dry["name"])
        assert real["differences"] == dry["differences"]


def test_a_read_only_credential_finds_it_and_makes_none(manager: LabEngine, kind: Kind, name: str) -> None:
    reading = {"accessMode": "readOnly", "errorPolicy": "emit"}
    assert ensure(manager, kind, name, "one", reading)["error"]["name"] == "ReadOnly"
    ensure(manager, kind, name, "one", labels={"a": "1"})
    ensure(manager, kind, name, "one", **FIXED)
    before = names(manager, kind, name)
    assert ensure(manager, kind, name, "one", reading)["action"] == "none"
    for text, wish in (
        ("two", {}),
        ("two", FIXED),
        ("one", {"labels": {"a": "2"}}),
        ("one", {"state": "absent"}),
    ):
        assert ensure(manager, kind, name, text, reading, **wish)["error"]["name"] == "ReadOnly"
    assert names(manager, kind, name) == before


@pytest.mark.parametrize(("theirs", "version"), [("same", 1), ("other", 2)])
def test_at_once_the_later_of_one_version_looks_again(
    manager: LabEngine, kind: Kind, name: str, theirs: str, version: int
) -> None:
    """Another step makes the version between our look and our create, which gets 409."""

    def before(call: str) -> None:
        if call.startswith("POST") and not names(manager, kind, name):
            ensure(manager, kind, name, theirs)

    with SocketProxy(manager.socket, ".*") as proxy:
        proxy.before = before
        address = {"server": "2", "otherServer": proxy.url}
        body = run_step(key_of(kind), {"name": name, "content": "same"}, address).body
    assert body["version"] == version
    assert body["changed"] == (theirs == "other")
    assert body["action"] == ("created" if theirs == "other" else "none")
    assert actions(body) == ([("create", f"{name}.v2")] if theirs == "other" else [])


@pytest.mark.parametrize("wish", [{}, FIXED], ids=["versioned", "fixed"])
def test_several_at_once_make_one(manager: LabEngine, kind: Kind, name: str, wish: dict[str, Any]) -> None:
    ensure(manager, kind, name, "before", **wish)
    found = at_once(*[lambda: ensure(manager, kind, name, "one", **wish)] * 4)
    assert len({body["id"] for body in found}) == 1
    made = [entry for body in found for entry in actions(body) if entry[0] == "create"]
    assert made == [("create", name if wish else f"{name}.v2")]
    assert len(names(manager, kind, name)) == (1 if wish else 2)


@pytest.mark.parametrize(
    ("wish", "die"),
    [*(({}, die) for die in deaths(1)), *((FIXED, die) for die in deaths(2))],
)
def test_killed_at_each_call_it_is_made_once(
    manager: LabEngine, kind: Kind, name: str, wish: dict[str, Any], die: Death
) -> None:
    ensure(manager, kind, name, "old", **wish)
    body = {"name": name, "content": "new", "labels": {"a": "1"}, **wish}
    delivery = Delivery(manager, key_of(kind), body)
    dead = delivery.run(die)
    assert (dead.finished, dead.published) == (None, [])
    again = delivery.run()
    assert again.finished
    there = names(manager, kind, name)
    assert there == ([name] if wish else [f"{name}.v1", f"{name}.v2"])
    assert again.bodies[0]["name"] == there[-1]
    assert len(delivery.events("create", kind.name)) == 1
    assert ensure(manager, kind, name, "new", **wish)["action"] == "none"


@pytest.mark.parametrize(
    ("wish", "die"),
    [
        *(({"labels": {"a": "2"}}, die) for die in deaths(1)),
        *(({"state": "absent"}, die) for die in deaths(2)),
    ],
)
def test_killed_while_labels_change_or_all_go(
    manager: LabEngine, kind: Kind, name: str, wish: dict[str, Any], die: Death
) -> None:
    for text in ("one", "two"):
        ensure(manager, kind, name, text, labels={"a": "1"})
    delivery = Delivery(manager, key_of(kind), {"name": name, "content": "two", **wish})
    delivery.run(die)
    assert delivery.run().finished
    left = names(manager, kind, name)
    assert left == ([f"{name}.v1", f"{name}.v2"] if "labels" in wish else [])
    assert not left or told(manager, kind, left[1])["Spec"]["Labels"]["a"] == "2"


def test_a_repeat_does_not_come_back_over_a_newer_one(manager: LabEngine, kind: Kind, name: str) -> None:
    delivery = Delivery(manager, key_of(kind), {"name": name, "content": "one"})
    delivery.run()
    ensure(manager, kind, name, "two")
    (body,) = delivery.run().bodies
    assert (body["action"], body["name"], body["changed"]) == ("none", f"{name}.v1", False)
    assert f"{name}.v2" in body["warnings"][0]
    assert names(manager, kind, name) == [f"{name}.v1", f"{name}.v2"]


@pytest.mark.parametrize("wish", [{}, FIXED], ids=["versioned", "fixed"])
def test_a_create_whose_answer_is_lost_is_looked_for(
    manager: LabEngine, kind: Kind, name: str, wish: dict[str, Any]
) -> None:
    proxy = FaultyProxy(manager.socket)
    try:
        proxy.answers.cut_after(0, asked=kind.create.encode(), once=True)
        address = {"server": "2", "otherServer": f"http://{proxy.host}:{proxy.port}"}
        body = run_step(key_of(kind), {"name": name, "content": "one", **wish}, address).body
    finally:
        proxy.close()
    assert (body["action"], body["changed"]) == ("created", True)
    assert told(manager, kind, body["name"])["ID"] == body["id"]
    assert ensure(manager, kind, name, "one", **wish)["action"] == "none"


def test_an_attachment_is_taken_as_it_is(manager: LabEngine, kind: Kind, name: str, tmp_path: Path) -> None:
    storage, data = FolderStorage(str(tmp_path)), bytes(range(256)) * 8
    entry = storage.store([data], content_type="application/octet-stream")

    def run(**fields: Any) -> Any:
        settings = config(manager, errorPolicy="emit")
        body = {"name": name, "attachment": "key.der", **fields}
        outcome = run_step(key_of(kind), body, settings, attachments={"key.der": entry}, storage=storage)
        return outcome.bodies[0]

    assert [run()["action"] for _ in range(2)] == ["created", "none"]
    assert kind is SECRET or content(manager, kind, f"{name}.v1") == data
    entry = storage.store([b"x" * (kind.most + 1)], content_type="text/plain")
    assert run()["error"]["field"] == "attachment"
    entry = storage.store([b"x" * kind.most], content_type="text/plain")
    assert run()["version"] == 2
    entry = storage.store([b""], content_type="text/plain")
    assert run()["error"]["field"] == "attachment"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"content": ""}, "content"),
        ({"attachment": "a"}, "attachment"),
        ({"content": "", "attachment": "a"}, "attachment"),
        ({"name": "a b"}, "name"),
        ({"name": "-a"}, "name"),
        ({"name": "../secrets"}, "name"),
        ({"name": "n" * 60}, "name"),
        ({"name": "n" * 65, "versions": "fixed"}, "name"),
        ({"labels": "no"}, "labels"),
    ],
    ids=str,
)
def test_it_fails_where_the_input_is_none(
    manager: LabEngine, kind: Kind, bad: dict[str, Any], field: str
) -> None:
    wish = {"name": "x1", "content": "one", **bad}
    body = run_step(key_of(kind), wish, config(manager, errorPolicy="emit")).body
    assert (body["error"]["name"], body["error"]["field"].split(".")[0]) == ("BadInput", field)
