"""PruneEngine on real engines: what goes, what stays, and that the dry run says the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.engines import own
from tests.jobs.places import Place
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "PruneEngine"
UNTIL = "docker-engine-connector.until"
RUN = "docker-engine-connector.run"


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Iterator[Place]:
    """An engine without anything but the lab's image, before and after."""
    yield Place(own, tmp_path)
    wire = own.wire
    for one in wire.do("GET", "/containers/json", all=True).json():
        own.remove(one["Id"])
    for one in wire.do("GET", "/networks").json():
        wire.ask("DELETE", f"/networks/{one['Id']}")
    for one in wire.do("GET", "/volumes").json()["Volumes"] or []:
        wire.ask("DELETE", f"/volumes/{one['Name']}", force=True)
    for one in wire.do("GET", "/images/json").json():
        for tag in one["RepoTags"] or []:
            if tag != own.image:
                wire.ask("DELETE", f"/images/{tag}")


def names(answer: dict[str, Any], part: str = "removed") -> set[str]:
    return {one["name"] for one in answer[part]}


def both(place: Place, body: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """The answer of a real run, which does what the dry run before it said, under a credential that may only read."""
    dry = place.do(KEY, body, dryRun=True, accessMode="readOnly", **settings)
    done = place.do(KEY, body, **settings)
    assert done["plan"] == dry["plan"]
    assert [one["id"] for one in done["removed"]] == [one["id"] for one in dry["wouldRemove"]]
    assert (dry["changed"], done["failed"]) == (False, [])
    again = place.do(KEY, body, **settings)
    assert (again["changed"], again["plan"]) == (False, [])
    return done


def containers(place: Place) -> set[str]:
    listed = place.engine.wire.do("GET", "/containers/json", all=True).json()
    return {name[1:] for one in listed for name in one["Names"]}


@pytest.mark.shows("PruneEngine", "succeeds", "dry_run", "repeat")
def test_containers_that_have_ended_go(place: Place) -> None:
    engine = place.engine
    engine.run(name="alive")
    paused = engine.run(name="paused")
    engine.wire.do("POST", f"/containers/{paused}/pause")
    engine.wait(engine.run(("true",), name="over", Labels={"team": "a"}))
    engine.create(name="unused", Labels={"team": "a"})
    engine.create(name="mine", Labels={"team": "b"})
    engine.create(name="dear-1", Labels={"team": "a"})
    engine.create(name="held", Labels={"team": "a", "hold": "yes"})
    body = {"what": ["containers"], "labels": ["team=a"], "notLabels": ["hold"], "keep": ["dear-*"]}
    done = both(place, body)
    assert names(done) == {"over", "unused"}
    assert containers(place) == {"alive", "paused", "mine", "dear-1", "held"}
    reasons = {one["name"]: one["reason"] for one in done["kept"]}
    assert reasons["dear-1"] == "keep names it"
    assert reasons["held"] == "it has a label of notLabels"
    assert reasons["mine"] == "it lacks a label"
    assert "over" in done["text"]


def test_what_is_younger_stays(place: Place) -> None:
    place.engine.create(name="young")
    done = place.do(KEY, {"what": ["containers"], "olderThan": "1d1h"})
    assert (names(done), names(done, "kept")) == (set(), {"young"})
    assert names(both(place, {"what": ["containers"], "olderThan": "1ns"})) == {"young"}
    assert "olderThan" in place.fails(KEY, {"what": ["containers"], "olderThan": "often"}, "BadInput")


def test_trap_12_networks_of_stopped_containers_stay(place: Place) -> None:
    wire = place.engine.wire
    for name in ("empty", "used", "resting"):
        wire.do("POST", "/networks/create", {"Name": name})
    place.engine.run(name="runs", HostConfig={"NetworkMode": "used"})
    rests = place.engine.create(name="rests", HostConfig={"NetworkMode": "resting"})
    before = {one["Name"] for one in wire.do("GET", "/networks").json()}
    assert names(both(place, {"what": ["networks"]})) == {"empty"}
    assert {one["Name"] for one in wire.do("GET", "/networks").json()} == before - {"empty"}
    wire.do("POST", f"/containers/{rests}/start")
    wire.do("POST", f"/containers/{rests}/kill")
    place.engine.wait(rests)
    assert names(both(place, {"what": ["networks"], "networksOfStopped": "remove"})) == {"resting"}


def test_what_containers_held_goes_with_them(place: Place) -> None:
    wire = place.engine.wire
    wire.do("POST", "/networks/create", {"Name": "of-old"})
    image = place.engine.import_image("shop/old:1")
    mount = {"Type": "volume", "Source": "of-old", "Target": "/d"}
    place.engine.create(name="old", Image=image, HostConfig={"NetworkMode": "of-old", "Mounts": [mount]})
    body = {
        "what": ["volumes", "images", "networks", "containers"],
        "images": "unused",
        "volumes": "all",
        "keep": [place.engine.image],
    }
    text = place.fails(KEY, body, "WouldDestroy")
    assert "allowDataLoss" in text
    place.fails(KEY, {**body, "allowDataLoss": True, "atMost": 3}, "WouldDestroy")
    assert "old" in containers(place)
    done = both(place, {**body, "allowDataLoss": True, "atMost": 4})
    assert [(one["kind"], one["name"]) for one in done["removed"]] == [
        ("container", "old"),
        ("network", "of-old"),
        ("image", "shop/old:1"),
        ("volume", "of-old"),
    ]


def test_images_of_any_container_stay_and_the_last_of_each_repository(place: Place) -> None:
    engine = place.engine
    for tag in ("1", "2", "3"):
        engine.import_image(f"shop/web:{tag}")
    engine.import_image("shop/used:1")
    engine.create(name="user", Image="shop/used:1")
    engine.import_image("shop/used:1")  # the first has no tag now, and a stopped container
    engine.import_image("shop/none:1")
    engine.import_image("shop/none:1")  # the first has no tag now, and nothing uses it
    dangling = both(place, {"what": ["images"]})
    assert len(dangling["removed"]) == 1
    assert names(dangling).pop().startswith("sha256:")
    done = both(place, {"what": ["images"], "images": "unused", "keepLast": 1})
    assert len(done["removed"]) == 2
    assert names(done) < {"shop/web:1", "shop/web:2", "shop/web:3"}
    left = {tag for one in engine.wire.do("GET", "/images/json").json() for tag in one["RepoTags"] or []}
    assert {"shop/used:1", "shop/none:1", engine.image} <= left
    assert engine.wire.do("POST", "/containers/user/start").status == 204


def test_anonymous_volumes_go_and_named_ones_stay(place: Place) -> None:
    wire = place.engine.wire
    for name in ("named", ""):
        wire.do("POST", "/volumes/create", {"Name": name} if name else {})
    place.engine.create(name="holder", HostConfig={"Mounts": [{"Type": "volume", "Target": "/a"}]})
    done = both(place, {"what": ["volumes"]})
    assert len(done["removed"]) == 1
    assert len(names(done).pop()) == 64
    left = wire.do("GET", "/volumes").json()["Volumes"]
    assert len(left) == 2
    assert "named" in {one["Name"] for one in left}


def test_what_jobs_left_goes_when_its_time_is_over(place: Place) -> None:
    now = int(time.time())
    past, future = {RUN: "r", UNTIL: str(now - 10)}, {RUN: "r", UNTIL: str(now + 3600)}
    place.engine.create(name="job-past", Labels=past)
    place.engine.create(name="job-future", Labels=future)
    place.engine.run(name="job-runs", Labels=past)
    place.engine.create(name="ensured", Labels={RUN: "r"})
    place.engine.create(name="odd", Labels={RUN: "r", UNTIL: "soon"})
    assert names(both(place, {"what": ["jobLeftovers"]})) == {"job-past"}
    assert names(both(place, {"what": ["containers"]})) == {"ensured"}
    assert containers(place) == {"job-future", "job-runs", "odd"}


def test_what_comes_into_use_meanwhile_stays(place: Place) -> None:
    """The engine's own refusal is the second guard: an image that another one stands on cannot be removed."""
    engine = place.engine
    engine.import_image("shop/base:1")
    made = engine.create(name="from-base", Image="shop/base:1")
    engine.wire.do("POST", "/commit", {}, container=made, repo="shop/child", tag="1")
    engine.remove(made)
    child = engine.create(name="child", Image="shop/child:1")
    done = place.do(KEY, {"what": ["images"], "images": "unused", "keep": [engine.image]})
    assert done["failed"] == []
    assert engine.wire.do("POST", f"/containers/{child}/start").status == 204


def test_what_is_looked_at_twice_is_inspected_once(place: Place) -> None:
    """Unless an age decides: what runs and ends between both looks is younger by then."""
    lone = ["containers"]

    def calls(**fields: Any) -> list[str]:
        made = place.engine.create(name="over")
        with SocketProxy(place.engine.socket, ".*") as proxy:
            done = place.do(KEY, {"what": lone, **fields}, otherServer=proxy.url)
            assert names(done) == {"over"}
        return [call.replace(made, "over") for call in proxy.calls if "/containers/" in call]

    listed, inspected = "GET /containers/json", "GET /containers/over/json"
    assert calls() == [listed, inspected, listed, "DELETE /containers/over"]
    twice = [listed, inspected, listed, inspected, "DELETE /containers/over"]
    assert calls(olderThan="0.000001s") == twice


def test_the_size_of_what_goes_is_told(place: Place) -> None:
    place.engine.wait(place.engine.run(("sh", "-c", "head -c 100000 /dev/zero > /file"), name="over"))
    done = both(place, {"what": ["containers"]})
    assert [one["size"] for one in done["removed"]] == [100_000]
    assert done["reclaimed"] == 100_000


def test_what_was_started_meanwhile_stays(place: Place) -> None:
    """Started after the first look, by somebody who is there before the second."""
    made = place.engine.create(name="over")

    def starts(call: str) -> None:
        if call == f"GET /containers/{made}/json":
            place.engine.wire.ask("POST", f"/containers/{made}/start")

    with SocketProxy(place.engine.socket, ".*") as proxy:
        proxy.before = starts
        done = place.do(KEY, {"what": ["containers"]}, otherServer=proxy.url)
    assert (done["removed"], done["failed"], containers(place)) == ([], [], {"over"})


def test_build_cache_is_left_to_the_engine(place: Place) -> None:
    assert both(place, {"what": ["buildCache"]})["removed"] == []
    done = place.do(KEY, {"what": ["buildCache"], "labels": ["a"]})
    assert len(done["warnings"]) == 1


@pytest.mark.shows("PruneEngine", "read_only", "fails")
def test_a_credential_that_may_only_read_removes_nothing(place: Place) -> None:
    place.engine.create(name="stays")
    place.fails(KEY, {"what": ["containers"]}, "ReadOnly", accessMode="readOnly")
    assert "stays" in containers(place)
    place.fails(KEY, {"what": []}, "BadInput")
    place.fails(KEY, {"what": ["everything"]}, "BadInput")
