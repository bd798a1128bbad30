"""LookupObject: one object by one criterion, on real engines."""

from __future__ import annotations

from typing import Any

import pytest

from tests.jobs.engines import own
from tests.jobs.finding import WEB, done, failed, furnish, step
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import wait_until

__all__ = ["own"]


@pytest.fixture(scope="module")
def street(own: LabEngine) -> LabEngine:
    furnish(own)
    return own


def look(engine: LabEngine, kind: str, value: Any, by: str = "", **settings: Any) -> Any:
    return done(step(engine, "LookupObject", {"value": value}, kind, lookupBy=by, **settings))


def miss(engine: LabEngine, kind: str, value: Any, by: str = "", **settings: Any) -> tuple[str, str]:
    return failed(step(engine, "LookupObject", {"value": value}, kind, lookupBy=by, **settings))


def test_a_container_with_its_flat_fields(street: LabEngine) -> None:
    found = look(street, "container", "web")
    inspected = street.wire.do("GET", "/containers/web/json").json()
    assert found["object"]["Id"] == found["id"] == inspected["Id"]
    assert found["created"] == inspected["Created"][:19] + "Z"
    assert {key: found[key] for key in ("type", "name", "image", "state", "health", "ports", "labels")} == {
        "type": "container",
        "name": "web",
        "image": WEB,
        "state": "running",
        "health": "none",
        "ports": [{"hostIp": "127.0.0.1", "hostPort": 8080, "port": 80, "protocol": "tcp"}],
        "labels": {"app": "web", "com.example.team": "shop"},
    }
    assert found["shortId"] == found["id"][:12]
    assert found["imageId"] == inspected["Image"]
    assert found["warnings"] == []


@pytest.mark.parametrize(
    ("value", "by", "name"),
    [
        ("/web", "name", "web"),
        ("com.example.team=shop", "label", "web"),
        ("com.example.team", "label", "web"),
        ("shop", "labels.com.example.team", "web"),
        ("shop", "Config.Labels.com.example.team", "web"),
        (8080, "ports.hostPort", "web"),
        ("created", "State.Status", "web-2"),
        ("exited", "state", "over"),
        (3, "State.ExitCode", "over"),
        ("3", "State.ExitCode", "over"),
    ],
)
@pytest.mark.shows("LookupObject", "succeeds")
def test_a_container_by_any_field(street: LabEngine, value: Any, by: str, name: str) -> None:
    assert look(street, "container", value, by)["name"] == name


def test_trap_11_only_equal_names_count(street: LabEngine) -> None:
    for kind, name in (
        ("container", "we"),
        ("container", "w.b"),
        ("image", "busy"),
        ("network", "sho"),
        ("volume", "dat"),
        ("service", "d"),
        ("secret", "d"),
        ("config", "d"),
    ):
        assert miss(street, kind, name)[0] == "NotFound", (kind, name)
        assert look(street, kind, name, allowZeroResults=True).keys() == {"duration", "warnings"}
    for kind, name in (("volume", "data"), ("service", "db"), ("secret", "db"), ("config", "db")):
        assert look(street, kind, name)["name"] == name
    assert look(street, "network", "shop-2")["name"] == "shop-2"


def test_a_name_is_no_beginning_of_an_id(street: LabEngine) -> None:
    container = look(street, "container", "web")["id"]
    image = look(street, "image", IMAGE)["id"]
    for kind, identity in (("container", container), ("image", image)):
        short = identity.removeprefix("sha256:")[:12]
        assert miss(street, kind, short, "name")[0] == "NotFound"
        assert look(street, kind, short, "id")["id"] == identity
        assert look(street, kind, identity, "id")["id"] == identity
        assert miss(street, kind, short[:6], "id")[0] == "NotFound"
    assert miss(street, "container", "web", "id")[0] == "NotFound"


def test_trap_11_a_container_by_its_image_after_the_tag_has_moved_on(street: LabEngine) -> None:
    name, text = miss(street, "container", "registry.local/shop/web", "image")
    assert name == "Ambiguous"
    assert "2 containers match image = registry.local/shop/web: web (" in text
    assert "LookupObjects" in text
    found = look(street, "container", look(street, "container", "web")["id"], "id")
    assert found["image"] == WEB
    assert found["imageId"] != look(street, "image", WEB)["id"]


def test_an_image_by_any_of_its_names(street: LabEngine) -> None:
    street.wire.do("POST", f"/images/{IMAGE}/tag", repo="alias", tag="latest")
    for name in ("alias", "alias:latest", "docker.io/library/alias", IMAGE):
        found = look(street, "image", name)
        assert found["object"]["Id"] == found["imageId"] == found["id"]
    assert miss(street, "image", "alias:2")[0] == "NotFound"
    assert miss(street, "image", "busybox")[0] == "NotFound"  # that would be busybox:latest


def test_two_networks_of_one_name_are_both_told(street: LabEngine) -> None:
    ids = [one["Id"] for one in street.wire.do("GET", "/networks").json() if one["Name"] == "shop"]
    if len(ids) == 1:  # newer engines refuse the second one, whatever they are asked
        assert look(street, "network", "shop")["id"] == ids[0]
        return
    name, text = miss(street, "network", "shop")
    assert name == "Ambiguous"
    assert all(one[:12] in text for one in ids)
    assert look(street, "network", ids[1], "id")["name"] == "shop"


def test_the_types_of_a_swarm(street: LabEngine) -> None:
    def tasks() -> list[Any]:
        return [one for one in street.wire.do("GET", "/tasks").json() if one["Status"]["State"] == "running"]

    wait_until(tasks, "the task to run")
    service, (task,) = look(street, "service", "db"), tasks()
    assert (service["image"], service["labels"], service["ports"]) == (IMAGE, {}, [])
    container = look(street, "container", f"db.1.{task['ID']}")
    found = look(street, "task", container["name"])
    assert (found["id"], found["state"], found["image"]) == (task["ID"], "running", IMAGE)
    assert look(street, "task", task["ID"], "id")["name"] == found["name"]
    assert "db (" in miss(street, "service", IMAGE.partition(":")[0], "image")[1]
    node = look(street, "node", "ready", "state")
    assert look(street, "node", node["name"])["id"] == node["id"]
    assert look(street, "secret", "app=db", "label")["name"] == "db"
    assert (
        look(street, "config", look(street, "config", "db")["id"], "id")["object"]["Spec"]["Data"] == "eA=="
    )
    assert miss(street, "plugin", "none/such:latest")[0] == "NotFound"


@pytest.mark.shows("LookupObject", "fails")
def test_a_missing_value_is_an_error_unless_it_is_allowed(street: LabEngine) -> None:
    for body in ({}, {"value": ""}, {"value": None}, {"value": "  "}):
        name, text = failed(step(street, "LookupObject", body, "container"))
        assert name == "BadInput"
        assert "value" in text
        allowed = done(step(street, "LookupObject", body, "container", allowCriteriaToBeOmitted=True))
        assert allowed.keys() == {"duration", "warnings"}


def test_settings_that_make_no_sense_are_refused(street: LabEngine) -> None:
    assert miss(street, "", "web")[0] == "BadInput"
    assert miss(street, "boat", "web")[0] == "BadInput"
    assert miss(street, "network", "web", "image")[0] == "BadInput"
    assert miss(street, "container", "../version")[0] == "BadInput"
    assert miss(street, "container", "web", "x" * 300)[0] == "BadInput"


def test_a_path_that_no_object_has_is_told(street: LabEngine) -> None:
    found = look(street, "container", "running", "State.Stauts", allowZeroResults=True)
    assert found["warnings"] == ["No container has State.Stauts"]


def test_a_read_only_credential_is_enough(street: LabEngine) -> None:
    assert look(street, "container", "web", accessMode="readOnly")["name"] == "web"
