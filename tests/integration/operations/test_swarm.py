"""The swarm itself: founded, joined, changed, locked, left."""

from __future__ import annotations

import pytest

from tests.integration.operations.proving import failure, success
from tests.integration.operations.site import Site
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

pytestmark = pytest.mark.engine


def founded(site: Site, engine: LabEngine) -> str:
    """A swarm of the second engine alone; the id of its node."""
    address = site.pair.addresses[1]
    body = {"AdvertiseAddr": address, "ListenAddr": f"{address}:2377"}
    node: str = site.do("SwarmInit", {"requestBody": body}, at=engine)["text"]
    return node


@success("SwarmInit", "SwarmInspect", "SwarmUpdate", "SwarmLeave")
@failure("SwarmInit", "SwarmUpdate", "SwarmLeave")
def test_a_swarm_is_founded_changed_and_left(site: Site, outsider: LabEngine) -> None:
    node = founded(site, outsider)
    assert node == outsider.wire.do("GET", "/info").json()["Swarm"]["NodeID"]
    site.fails("SwarmInit", {"requestBody": {"ListenAddr": "0.0.0.0:2377"}}, "Conflict", at=outsider)
    before = site.do("SwarmInspect", at=outsider)
    change = {"Orchestration": {"TaskHistoryRetentionLimit": 9}}
    assert site.do("SwarmUpdate", {"requestBody": change, "rotateWorkerToken": True}, at=outsider) == {}
    after = site.do("SwarmInspect", at=outsider)
    assert after["Spec"]["Orchestration"]["TaskHistoryRetentionLimit"] == 9
    assert after["Spec"]["Raft"] == before["Spec"]["Raft"]
    assert after["JoinTokens"]["Worker"] != before["JoinTokens"]["Worker"]
    assert after["JoinTokens"]["Manager"] == before["JoinTokens"]["Manager"]
    outdated = {"version": before["Version"]["Index"], "requestBody": before["Spec"]}
    site.fails("SwarmUpdate", outdated, "EngineFault", at=outsider)
    site.fails("SwarmLeave", {}, "Conflict", at=outsider)  # the last manager leaves by force only
    assert site.do("SwarmLeave", {"force": True}, at=outsider) == {}


@success("SwarmUnlockkey", "SwarmUnlock")
@failure("SwarmUnlock")
def test_a_locked_manager_is_unlocked(site: Site, outsider: LabEngine) -> None:
    founded(site, outsider)
    change = {"EncryptionConfig": {"AutoLockManagers": True}}
    site.do("SwarmUpdate", {"requestBody": change}, at=outsider)
    key = site.do("SwarmUnlockkey", at=outsider)["UnlockKey"]
    outsider.stop()
    outsider.start()
    site.fails("SwarmInspect", {}, "NoManager", at=outsider)
    wrong = key[:-6] + ("aaaaaa" if key[-6:] != "aaaaaa" else "bbbbbb")
    body = {"requestBody": {"UnlockKey": wrong}}
    told = site.fails("SwarmUnlock", body, "Unauthorized", "Refused", "Conflict", at=outsider)
    assert "registry" not in told
    assert wrong not in told
    right = {"requestBody": {"UnlockKey": key}}

    def unlocked() -> bool:
        ended = site.run("SwarmUnlock", right, at=outsider)
        assert ended.errors == []
        return not ended.rebounds  # an engine that still closes what the wrong key opened is busy

    wait_until(unlocked, "the engine to be unlocked")
    site.do("SwarmInspect", at=outsider)


@success("SwarmJoin", "SwarmLeave", "NodeUpdate", "NodeInspect", "NodeDelete")
@failure("SwarmJoin", "NodeDelete")
def test_a_worker_joins_is_drained_leaves_and_is_forgotten(swarm: Site, outsider: LabEngine) -> None:
    first, second = swarm.pair.addresses
    token = swarm.do("SwarmInspect")["JoinTokens"]["Worker"]
    body = {"RemoteAddrs": [f"{first}:2377"], "AdvertiseAddr": second, "ListenAddr": f"{second}:2377"}
    joining = {"requestBody": {**body, "JoinToken": token}}
    assert swarm.do("SwarmJoin", joining, at=outsider) == {}
    assert token not in swarm.fails("SwarmJoin", joining, "Conflict", at=outsider)
    node = outsider.wire.do("GET", "/info").json()["Swarm"]["NodeID"]
    change = {"id": node, "requestBody": {"Availability": "drain", "Labels": {"zone": "a"}}}
    assert swarm.do("NodeUpdate", change) == {}
    found = swarm.do("NodeInspect", {"id": node})
    assert found["Spec"] == {"Availability": "drain", "Labels": {"zone": "a"}, "Role": "worker"}
    swarm.fails("NodeDelete", {"id": node}, "EngineFault", "Refused")  # it is not down
    assert swarm.do("SwarmLeave", {"force": True}, at=outsider) == {}
    assert swarm.do("NodeDelete", {"id": node, "force": True}) == {}
    swarm.fails("NodeInspect", {"id": node}, "NotFound")


@success("NodeList")
def test_nodes_are_listed(swarm: Site) -> None:
    results = swarm.do("NodeList", {"filters": {"role": ["manager"]}})["results"]
    assert len(results) == 1


@failure("NodeList", "NodeInspect", "NodeUpdate")
def test_what_nodes_there_are_not(swarm: Site) -> None:
    swarm.fails("NodeList", {"filters": {"nonsense": ["x"]}}, "Refused", "EngineFault")
    swarm.fails("NodeInspect", {"id": "nothing"}, "NotFound")
    swarm.fails("NodeUpdate", {"id": "nothing", "requestBody": {"Availability": "active"}}, "NotFound")


@failure("SwarmInspect", "SwarmUnlockkey")
def test_an_engine_without_swarm_has_nothing_to_tell(site: Site, outsider: LabEngine) -> None:
    for key in ("SwarmInspect", "SwarmUnlockkey"):
        assert "swarm" in site.fails(key, {}, "NoManager", at=outsider)
