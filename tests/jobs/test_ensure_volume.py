"""A volume that shall be there, on real engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.engines import config, own
from tests.jobs.stopping import StoppingDelivery, after, call, nth
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "EnsureVolume"
RUN = "docker-engine-connector.run"


@pytest.fixture
def name(own: LabEngine) -> Iterator[str]:
    """A name that no other test has; what is there at the end goes."""
    volume = f"vol-{random_id()}"
    yield volume
    own.wire.ask("DELETE", f"/volumes/{volume}", force=True)


def ensure(
    engine: LabEngine, name: str, settings: dict[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """The output of the job."""
    body = run_step(KEY, {"name": name, **fields}, config(engine, **(settings or {}))).body
    assert isinstance(body, dict)
    return body


def refused(engine: LabEngine, name: str, **fields: Any) -> dict[str, Any]:
    """The error of the job, as a message."""
    return ensure(engine, name, {"errorPolicy": "emit"}, **fields)["error"]  # type: ignore[no-any-return]


def told(engine: LabEngine, name: str) -> dict[str, Any]:
    return engine.wire.do("GET", f"/volumes/{name}").json()  # type: ignore[no-any-return]


def is_there(engine: LabEngine, name: str) -> bool:
    return engine.wire.ask("GET", f"/volumes/{name}").status == 200


def actions(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["action"], one["name"]) for one in body["plan"]]


@pytest.mark.shows("EnsureVolume", "succeeds", "repeat")
def test_three_times_in_a_row_change_once(own: LabEngine, name: str) -> None:
    wish = {
        "driver": "local",
        "labels": {"env": "test", "number": 7},
        "options": '{"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}',
    }
    found = [ensure(own, name, **wish) for _ in range(3)]
    assert [body["action"] for body in found] == ["created", "none", "none"]
    assert [body["changed"] for body in found] == [True, False, False]
    assert actions(found[0]) == [("create", name)]
    assert not found[1]["plan"]
    volume = found[2]["volume"]
    assert volume["Options"] == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    assert {"env": "test", "number": "7"}.items() <= volume["Labels"].items()
    assert found[2]["differences"] == found[2]["warnings"] == []


def test_what_is_left_out_is_left_alone(own: LabEngine, name: str) -> None:
    own.wire.do("POST", "/volumes/create", {"Name": name, "Labels": {"by": "hand"}})
    assert ensure(own, name)["action"] == "none"
    assert ensure(own, name, labels={"by": "hand"}, options={})["action"] == "none"


def test_a_part_that_is_left_out_later_is_a_warning(own: LabEngine, name: str) -> None:
    ensure(own, name, labels={"a": "1", "b": "2"})
    body = ensure(own, name, labels={"a": "1"})
    assert body["action"] == "none"
    assert "another input" in body["warnings"][0]


@pytest.mark.shows("EnsureVolume", "fails")
def test_differences_are_an_error_that_tells_them(own: LabEngine, name: str) -> None:
    ensure(own, name, labels={"env": "test"})
    error = refused(own, name, labels={"env": "prod", "new": "x"})
    assert error["name"] == "Differs"
    assert "labels.env is test, not prod" in error["message"]
    assert error["differences"] == [
        {"path": "labels.env", "before": "test", "after": "prod", "effect": "recreate"},
        {"path": "labels.new", "before": None, "after": "x", "effect": "recreate"},
    ]
    assert told(own, name)["Labels"]["env"] == "test"


def test_data_is_lost_only_where_the_input_allows_it(own: LabEngine, name: str) -> None:
    ensure(own, name, labels={"env": "test", "kept": "yes"})
    wish = {"labels": {"env": "prod"}, "recreate": "whenUnused"}
    error = refused(own, name, **wish)
    assert error["name"] == "WouldDestroy"
    assert "allowDataLoss" in error["hint"]
    assert told(own, name)["Labels"]["env"] == "test"
    found = [ensure(own, name, allowDataLoss=True, **wish) for _ in range(3)]
    assert [body["action"] for body in found] == ["recreated", "none", "none"]
    assert actions(found[0]) == [("remove", name), ("create", name)]
    assert found[0]["differences"][0]["path"] == "labels.env"
    assert {"env": "prod", "kept": "yes"}.items() <= told(own, name)["Labels"].items()


@pytest.mark.parametrize("wish", [{"labels": {"a": "2"}, "recreate": "whenUnused"}, {"state": "absent"}])
def test_a_volume_in_use_stays(own: LabEngine, name: str, wish: dict[str, Any]) -> None:
    ensure(own, name, labels={"a": "1"})
    user = own.create(name=f"user-{name}", HostConfig={"Binds": [f"{name}:/data"]})
    try:
        error = refused(own, name, allowDataLoss=True, **wish)
        assert error["name"] == "WouldDestroy"
        assert f"user-{name}" in error["message"]
        assert error["usedBy"] == [{"id": user, "name": f"user-{name}", "state": "created"}]
        assert ensure(own, name)["usedBy"] == error["usedBy"]
        assert told(own, name)["Labels"]["a"] == "1"
    finally:
        own.remove(user)


def test_a_path_like_the_name_is_no_use_of_the_volume(own: LabEngine, name: str) -> None:
    """The engine's filter finds mount paths too."""
    other = own.create(HostConfig={"Binds": [f"other-{name}:/{name}"]})
    try:
        ensure(own, name)
        assert ensure(own, name)["usedBy"] == []
    finally:
        own.remove(other)
        own.wire.ask("DELETE", f"/volumes/other-{name}")


def test_absent_three_times_removes_once(own: LabEngine, name: str) -> None:
    ensure(own, name)
    assert refused(own, name, state="absent")["name"] == "WouldDestroy"
    assert is_there(own, name)
    found = [ensure(own, name, state="absent", allowDataLoss=True) for _ in range(3)]
    assert [body["action"] for body in found] == ["removed", "none", "none"]
    assert [body["changed"] for body in found] == [True, False, False]
    assert not is_there(own, name)


@pytest.mark.parametrize(
    ("before", "wish"),
    [
        (None, {}),
        ({"a": "1"}, {}),
        ({"a": "1"}, {"labels": {"a": "2"}, "recreate": "whenUnused", "allowDataLoss": True}),
        ({"a": "1"}, {"state": "absent", "allowDataLoss": True}),
    ],
)
def test_the_plan_of_a_dry_run_is_what_a_real_run_does(
    own: LabEngine, name: str, before: dict[str, str] | None, wish: dict[str, Any]
) -> None:
    if before:
        ensure(own, name, labels=before)
    dry = ensure(own, name, {"dryRun": True, "accessMode": "readOnly"}, **wish)
    assert (dry["changed"], dry["dryRun"]) == (False, True)
    assert is_there(own, name) == bool(before)
    assert not before or told(own, name)["Labels"]["a"] == "1"
    real = ensure(own, name, **wish)
    assert (real["plan"], real["action"], real["differences"]) == (
        dry["plan"],
        dry["action"],
        dry["differences"],
    )


def test_a_read_only_credential_finds_a_volume_and_makes_none(own: LabEngine, name: str) -> None:
    reading = {"accessMode": "readOnly", "errorPolicy": "emit"}
    assert ensure(own, name, reading)["error"]["name"] == "ReadOnly"
    assert not is_there(own, name)
    ensure(own, name, labels={"a": "1"})
    assert ensure(own, name, reading)["action"] == "none"
    wish = {"labels": {"a": "2"}, "recreate": "whenUnused", "allowDataLoss": True}
    assert ensure(own, name, reading, **wish)["error"]["name"] == "ReadOnly"
    assert told(own, name)["Labels"]["a"] == "1"


def test_several_at_once_make_one_and_one_of_them_says_so(own: LabEngine, name: str) -> None:
    found = at_once(*[lambda: ensure(own, name, labels={"a": "1"})] * 6)
    assert sorted(body["action"] for body in found) == ["created", *["none"] * 5]
    assert sorted(body["changed"] for body in found) == [False] * 5 + [True]
    assert {body["volume"]["Labels"][RUN] for body in found} == {told(own, name)["Labels"][RUN]}


ANEW = {"labels": {"a": "2"}, "recreate": "whenUnused", "allowDataLoss": True}


@pytest.mark.parametrize("first", range(1, 10))
def test_two_at_once_that_make_it_anew_both_succeed(own: LabEngine, name: str, first: int) -> None:
    """One stops before each of its calls until the other is at its end, and may have taken the new one for the old."""
    ensure(own, name, labels={"a": "1"})
    one, other = (StoppingDelivery(own, KEY, {"name": name, **ANEW}) for _ in range(2))
    try:
        other.until(call("DELETE"))
        one.until(nth(first))
        found = [other.whole(), one.whole()]
        assert [body.get("error") for body in found] == [None, None]
        assert told(own, name)["Labels"]["a"] == "2"
    finally:
        one.close()
        other.close()


def test_a_new_one_that_another_delivery_takes_for_the_old_is_made_again(own: LabEngine, name: str) -> None:
    ensure(own, name, labels={"a": "1"})
    one = StoppingDelivery(own, KEY, {"name": name, **ANEW})
    try:
        one.until(after("POST /volumes/create"))
        own.wire.do("DELETE", f"/volumes/{name}")
        body = one.whole()
        assert (body["action"], actions(body)) == ("recreated", [("remove", name), ("create", name)])
        assert told(own, name)["Labels"]["a"] == "2"
    finally:
        one.close()


def test_one_that_was_made_anew_and_is_in_use_meanwhile_stays(own: LabEngine, name: str) -> None:
    ensure(own, name, labels={"a": "1"})
    one = StoppingDelivery(own, KEY, {"name": name, **ANEW})
    try:
        one.until(call("DELETE"))
        assert ensure(own, name, **ANEW)["action"] == "recreated"
        user = own.create(HostConfig={"Binds": [f"{name}:/data"]})
        body = one.whole()
        assert (body["action"], body["changed"], body["plan"]) == ("none", False, [])
        own.remove(user)
    finally:
        one.close()


def test_trap_13_a_create_answers_201_with_the_old_labels(own: LabEngine, name: str) -> None:
    own.wire.do("POST", "/volumes/create", {"Name": name, "Labels": {"a": "old"}})
    again = own.wire.do("POST", "/volumes/create", {"Name": name, "Labels": {"a": "new"}})
    assert (again.status, again.json()["Labels"]) == (201, {"a": "old"})
    assert refused(own, name, labels={"a": "new"})["name"] == "Differs"


@pytest.mark.parametrize(
    "bad", [{"labels": {"a": {"b": 1}}}, {"labels": "no"}, {"name": " "}, {"name": "a b"}]
)
def test_what_is_no_input_is_named(own: LabEngine, bad: dict[str, Any]) -> None:
    outcome = run_step(KEY, {"name": "x1", **bad}, config(own, errorPolicy="emit"))
    (body,) = outcome.bodies
    assert body["error"]["name"] == "BadInput"
    assert body["error"]["field"].startswith(next(iter(bad)))
