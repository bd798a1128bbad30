"""SettleOutcome for what is done to a swarm itself, and to the volumes and services of one."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.jobs.engines import config, own
from tests.jobs.finding import done
from tests.jobs.test_settle_outcome import Body, Scene, later, manager, new, service, settle
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy

__all__ = ["manager", "own"]
pytestmark = pytest.mark.engine
INIT = {"requestBody": {"AdvertiseAddr": "127.0.0.1", "ListenAddr": "127.0.0.1:2377"}}
ACCESS = {"Scope": "single", "Sharing": "none", "MountVolume": {}}


@pytest.fixture
def way(own: LabEngine) -> Iterator[FaultyProxy]:
    with FaultyProxy(own.socket) as proxy:
        yield proxy
        forget_engines()


@pytest.mark.parametrize("arrives", [False, True], ids=["the request", "the answer"])
def test_it_succeeds_to_tell_of_a_swarm_that_begins_and_ends(
    own: LabEngine, way: FaultyProxy, arrives: bool
) -> None:
    own.wire.ask("POST", "/swarm/leave", force=True)
    begin = Scene("SwarmInit", lambda _: INIT, "/swarm/init")
    error, since = begin.lost(own, way, INIT, arrives=arrives)
    told = settle(own, "SwarmInit", INIT, error=error, since=since)
    assert told["outcome"] == ("happened" if arrives else "didNotHappen"), told
    own.wire.ask("POST", "/swarm/init", INIT["requestBody"])
    assert settle(own, "SwarmInit", INIT, since=later())["next"] == "goOn"
    leave: Body = {"force": True}
    end = Scene("SwarmLeave", lambda _: leave, "/swarm/leave")
    error, since = end.lost(own, way, leave, arrives=arrives)
    told = settle(own, "SwarmLeave", leave, error=error, since=since)
    assert told["outcome"] == ("happened" if arrives else "didNotHappen"), told
    own.wire.ask("POST", "/swarm/leave", force=True)


def test_an_update_of_a_service_that_was_changed_again_is_told(manager: LabEngine) -> None:
    name, since = service(manager), f"{time.time():.6f}"
    first: Body = {"id": name, "requestBody": {"Labels": {"a": "b"}}}
    second: Body = {"id": name, "requestBody": {"Labels": {"a": "c"}}}
    for fields in (first, second):
        done(run_step("ServiceUpdate", fields, config(manager)))
    told = settle(manager, "ServiceUpdate", first, since=since)
    assert (told["outcome"], told["next"]) == ("happened", "ask")
    third: Body = {"id": name, "requestBody": {"Labels": {"a": "d"}}}
    told = settle(manager, "ServiceUpdate", third, since=since)
    assert (told["outcome"], told["next"]) == ("unknown", "ask")
    told = settle(manager, "ServiceUpdate", second, since=later())
    assert (told["outcome"], told["next"]) == ("didNotHappen", "goOn")
    index = manager.wire.do("GET", f"/services/{name}").json()["Version"]["Index"]
    told = settle(manager, "ServiceUpdate", {**third, "version": index}, since=since)
    assert (told["outcome"], told["next"]) == ("didNotHappen", "repeat")


def test_volumes_of_a_swarm_are_settled_where_there_are_any(manager: LabEngine) -> None:
    name, since = new(), f"{time.time():.6f}"
    spec = {"Group": "lab", "AccessMode": ACCESS}
    fields: Body = {"requestBody": {"Name": name, "Driver": "csi", "ClusterVolumeSpec": spec}}
    assert settle(manager, "VolumeCreate", fields, since=since)["outcome"] == "didNotHappen"
    made = run_step("VolumeCreate", fields, config(manager, errorPolicy="emit")).bodies
    if manager.version.startswith("20."):  # it knows no such volumes
        assert made[0]["error"]["name"] == "VersionMismatch"
        return
    assert settle(manager, "VolumeCreate", fields, since=since)["outcome"] == "happened"
    change: Body = {"name": name, "requestBody": {"Spec": {"Availability": "pause"}}}
    told = settle(manager, "VolumeUpdate", change, since=since)
    assert told["outcome"] == "unknown"  # it was made since then, and so changed
    done(run_step("VolumeUpdate", change, config(manager)))
    assert settle(manager, "VolumeUpdate", change, since=since)["outcome"] == "happened"
    delete: Body = {"name": name, "force": True}
    assert settle(manager, "VolumeDelete", delete, since=later())["outcome"] == "didNotHappen"
    manager.wire.ask("DELETE", f"/volumes/{name}", force=True)
