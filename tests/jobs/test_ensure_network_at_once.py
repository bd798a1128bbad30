"""Two deliveries that make one network anew at one moment: each stops before a call until the other has gone on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.jobs.engines import own
from tests.jobs.stopping import StoppingDelivery, answer, call, refusal, second_call, write
from tests.lab.engine import LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine
CREATE = "POST /networks/create"
GOING = "cannot create network 30b4 (br-30b4): conflicts with network 70c1 (br-70c1): networks have overlapping IPv4"
FORBIDDEN = "no creates today"
MEMO = "job-network-"
LATE = 4
"""The look that shows a network of a swarm as allocated."""


class Scene:
    """A network with label a=1 and two running containers, which deliveries want otherwise."""

    def __init__(self, engine: LabEngine) -> None:
        self.engine, self.name = engine, f"net-{random_id()}"
        self._deliveries: list[StoppingDelivery] = []
        self.containers: list[str] = []
        self.delivery(labels={"a": "1"}).whole()

    def connect(self, number: int = 2) -> None:
        settings = {"HostConfig": {"NetworkMode": self.name}}
        self.containers += [self.engine.run(**settings) for _ in range(number)]

    def delivery(self, **wish: Any) -> StoppingDelivery:
        one = StoppingDelivery(self.engine, "EnsureNetwork", {"name": self.name, "recreate": "force", **wish})
        self._deliveries.append(one)
        return one

    def networks(self) -> list[dict[str, Any]]:
        return [one for one in self.engine.wire.do("GET", "/networks").json() if one["Name"] == self.name]

    def memos(self) -> list[str]:
        volumes = self.engine.wire.do("GET", "/volumes").json()["Volumes"] or []
        return [one["Name"] for one in volumes if one["Name"].startswith(MEMO)]

    def is_whole(self, label: str) -> None:
        """One network with this label, to which all are connected, and nothing left to be done."""
        (only,) = self.networks()
        assert only["Labels"]["a"] == label
        inspected = [self.engine.wire.do("GET", f"/containers/{one}/json").json() for one in self.containers]
        ends = [one["NetworkSettings"]["Networks"] for one in inspected]
        assert [{name: end["NetworkID"] for name, end in found.items()} for found in ends] == [
            {self.name: only["Id"]} for _ in self.containers
        ]
        assert self.memos() == []

    def close(self) -> None:
        for one in self._deliveries:
            one.close()
        for container in self.containers:
            self.engine.remove(container)
        for memo in self.memos():
            self.engine.wire.ask("DELETE", f"/volumes/{memo}")
        for network in self.networks():
            self.engine.wire.ask("DELETE", f"/networks/{network['Id']}")


@pytest.fixture
def scene(own: LabEngine) -> Iterator[Scene]:
    scene = Scene(own)
    try:
        scene.connect()
        yield scene
    finally:
        scene.close()


def refusing_creates(text: str, times: int) -> Callable[[str], bytes | None]:
    left = [times]

    def answers(call: str) -> bytes | None:
        if call != CREATE or not left[0]:
            return None
        left[0] -= 1
        return refusal(text)

    return answers


# memo, two off, removed, created, two on, memo: the first stops before each of them
@pytest.mark.parametrize("first", range(1, 9))
@pytest.mark.parametrize("second", [0, 5])
def test_two_at_once_that_stop_anywhere_both_succeed(scene: Scene, first: int, second: int) -> None:
    one, other = (scene.delivery(labels={"a": "2"}) for _ in range(2))
    one.until(write(first))
    other.until(write(second))
    found = [one.whole(), other.whole()]
    assert [body.get("error") for body in found] == [None, None]
    scene.is_whole("2")


@pytest.mark.parametrize("text", [GOING, "Pool overlaps with other one on this address space"])
def test_a_refusal_that_passes_is_waited_for(scene: Scene, text: str) -> None:
    """An engine says so while another delivery removes the old network, or makes the new one and has to give it up."""
    one = scene.delivery(labels={"a": "2"})
    one.answers = refusing_creates(text, 3)
    body = one.whole()
    assert (body.get("error"), body["action"]) == (None, "recreated")
    scene.is_whole("2")


def test_a_first_create_waits_for_what_passes_too(own: LabEngine) -> None:
    scene = Scene(own)
    try:
        assert scene.delivery(state="absent").whole()["action"] == "removed"
        one = scene.delivery(labels={"a": "2"})
        one.answers = refusing_creates(GOING, 3)
        body = one.whole()
        assert (body["action"], body["changed"]) == ("created", True)
        scene.is_whole("2")
    finally:
        scene.close()


def test_a_way_back_ends_at_the_new_network_of_another_delivery(scene: Scene) -> None:
    """Its create was refused, and before it can make the old form again the other delivery has made the new one."""
    one, other = (scene.delivery(labels={"a": "2"}) for _ in range(2))
    other.until(call(CREATE))
    one.answers = refusing_creates(FORBIDDEN, 1)
    one.until(second_call(CREATE))
    found = [other.whole(), one.whole()]
    assert [body.get("error") for body in found] == [None, None]
    scene.is_whole("2")


def test_a_way_back_that_was_faster_is_told(scene: Scene) -> None:
    one, other = (scene.delivery(labels={"a": "2"}) for _ in range(2))
    other.until(call(CREATE))
    one.answers = refusing_creates(FORBIDDEN, 1)
    refused = one.whole()["error"]
    assert (refused["name"], refused["message"]) == ("Unauthorized", FORBIDDEN)
    assert "as it was before" in refused["hint"]
    differs = other.whole()["error"]
    assert (differs["name"], [one["path"] for one in differs["differences"]]) == ("Differs", ["labels.a"])
    assert "put it back" in differs["hint"]
    scene.is_whole("1")


@pytest.mark.parametrize("first", range(1, 8))
def test_a_way_back_that_stops_anywhere_leaves_nothing_broken(scene: Scene, first: int) -> None:
    """Whoever comes last decides; who fails says so, and all are connected to the network that is there."""
    one, other = (scene.delivery(labels={"a": "2"}) for _ in range(2))
    one.answers = refusing_creates(FORBIDDEN, 1)
    one.until(write(first + 1))
    second = other.whole()
    bodies = [one.whole(), second]
    whole = all("error" not in body for body in bodies[1:])
    assert {body["error"]["name"] for body in bodies if "error" in body} <= {"Unauthorized", "Differs"}
    scene.is_whole("2" if whole else "1")


def test_a_network_that_is_made_anew_again_meanwhile_is_told(scene: Scene) -> None:
    one, other = scene.delivery(labels={"a": "2"}), scene.delivery(labels={"a": "3"})
    one.until(write(7))  # the second container is not yet connected
    assert other.whole()["action"] == "recreated"
    error = one.whole()["error"]
    assert (error["name"], "made anew" in error["message"]) == ("Differs", True)
    scene.is_whole("3")


def test_the_memo_of_a_later_change_stays(scene: Scene) -> None:
    one, other = scene.delivery(labels={"a": "2"}), scene.delivery(labels={"a": "3"})
    looks: list[str] = []

    def last_look(call: str) -> bool:
        looks.append(call)
        return call.startswith("GET /volumes/") and any("/connect" in found for found in looks)

    one.until(last_look)
    # It takes the memo to its end, and has written its own and disconnected one container.
    other.until(lambda call: "/disconnect" in call)
    assert one.whole().get("error") is None
    assert len(scene.memos()) == 1
    assert other.whole()["action"] == "recreated"
    scene.is_whole("3")


def test_a_fixed_address_is_connected_before_the_engine_gives_it_away(own: LabEngine) -> None:
    scene = Scene(own)
    try:
        pools = [{"subnet": "10.217.0.0/24"}]
        assert scene.delivery(labels={"a": "1"}, pools=pools).whole()["action"] == "recreated"
        end = {"IPAMConfig": {"IPv4Address": "10.217.0.2"}}
        ends = {"EndpointsConfig": {scene.name: end}}
        fixed = own.run(HostConfig={"NetworkMode": scene.name}, NetworkingConfig=ends)
        scene.containers.append(fixed)
        scene.connect(1)  # the newest, which lists name first
        body = scene.delivery(labels={"a": "2"}).whole()
        assert (body.get("error"), body["action"]) == (None, "recreated")
        told = own.wire.do("GET", f"/containers/{fixed}/json").json()
        assert told["NetworkSettings"]["Networks"][scene.name]["IPAddress"] == "10.217.0.2"
        scene.is_whole("2")
    finally:
        scene.close()


def test_of_several_the_one_in_use_stays(scene: Scene) -> None:
    """An engine that took long to make one may call it the older."""
    (older,) = scene.networks()
    body = {"Name": scene.name, "Labels": {"docker-engine-connector.job": "EnsureNetwork"}}
    made = scene.engine.wire.ask("POST", "/networks/create", body)
    several = scene.engine.api < "1.42"
    assert made.status == (201 if several else 409)
    used = made.json()["Id"] if several else older["Id"]
    for container in scene.containers if several else ():
        scene.engine.wire.do("POST", f"/networks/{older['Id']}/disconnect", {"Container": container})
        scene.engine.wire.do("POST", f"/networks/{used}/connect", {"Container": container})
    told = scene.delivery().whole()
    assert (told["action"], told["network"]["Id"]) == ("none", used)
    assert [one["action"] for one in told["plan"]] == (["remove"] if several else [])
    assert [one["Id"] for one in scene.networks()] == [used]


@pytest.fixture
def swarm(own: LabEngine) -> Iterator[LabEngine]:
    own.wire.do("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1:2377"})
    yield own
    own.wire.do("POST", "/swarm/leave", force=True)


def test_a_network_that_its_swarm_has_not_allocated_is_waited_for(swarm: LabEngine) -> None:
    """A manager with much to do tells it without driver, options and addresses for a while."""
    name = f"net-{random_id()}"
    looks: list[str] = []

    def unallocated(call: str) -> bytes | None:
        looks.append(call)
        by_id = call.startswith("GET /networks/")
        if call != "GET /networks" and not (by_id and sum("GET /networks/" in look for look in looks) < LATE):
            return None
        listed = swarm.wire.do("GET", "/networks").json()
        found = [{**one, "Driver": "", "IPAM": {}, "Options": None} for one in listed if one["Name"] == name]
        return answer(json.dumps(found[0] if by_id else found).encode())

    wish = {"driver": "overlay", "pools": [{"subnet": "10.218.0.0/24"}]}
    one = StoppingDelivery(swarm, "EnsureNetwork", {"name": name, **wish})
    try:
        one.answers = unallocated
        body = one.whole()
        assert (body["action"], body["network"]["Driver"]) == ("created", "overlay")
        assert body["network"]["IPAM"]["Config"][0]["Subnet"] == "10.218.0.0/24"
        assert sum("GET /networks/" in look for look in looks) == LATE
    finally:
        one.close()
        swarm.wire.do("DELETE", f"/networks/{name}")
