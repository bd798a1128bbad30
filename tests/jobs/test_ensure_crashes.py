"""Ensure jobs that die before their first, second, third ... write: the next run brings all to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from lib.job.networks.memo import volume_of
from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.engines import config, own
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.socket_proxy import SocketProxy

__all__ = ["own"]
pytestmark = pytest.mark.engine
MEMO = "job-network-"


@contextmanager
def dying(engine: LabEngine, writes: int) -> Iterator[tuple[SocketProxy, list[str]]]:
    """A way to the engine that ends for good before the write after so many; it keeps those that were made.

    What follows a write are reads alone, so death after it leaves the engine as death before the next one.
    """
    made: list[str] = []
    dead: list[str] = []

    def before(call: str) -> None:
        if not dead and not call.startswith(("GET", "HEAD")):
            (made if len(made) < writes else dead).append(call)
        if dead:
            raise ConnectionResetError

    with SocketProxy(engine.socket, ".*") as proxy:
        proxy.before = before
        yield proxy, made


def run_until(engine: LabEngine, key: str, writes: int, wish: dict[str, Any]) -> bool:
    """Run a job that dies before the write after so many; whether it came to its end."""
    with dying(engine, writes) as (proxy, made):
        outcome = run_step(key, wish, {"server": "2", "otherServer": proxy.url, "errorPolicy": "throwError"})
        assert len(made) == writes or outcome.bodies
        return bool(outcome.bodies)


def once(engine: LabEngine, key: str, wish: dict[str, Any]) -> dict[str, Any]:
    body = run_step(key, wish, config(engine)).body
    assert isinstance(body, dict)
    return body


def volumes(engine: LabEngine) -> list[str]:
    return [one["Name"] for one in engine.wire.do("GET", "/volumes").json()["Volumes"] or ()]


@pytest.mark.parametrize("steps", range(9))
@pytest.mark.shows("EnsureNetwork", "killed")
def test_a_network_that_was_being_made_anew_is_brought_to_its_end(own: LabEngine, steps: int) -> None:
    name = f"net-{random_id()}"
    once(own, "EnsureNetwork", {"name": name, "labels": {"a": "1"}, "pools": [{"subnet": "10.215.0.0/24"}]})
    first = own.wire.do("GET", f"/networks/{name}").json()["Id"]
    containers = []
    try:
        for number in (7, 8):
            end = {"Aliases": [f"www{number}"], "IPAMConfig": {"IPv4Address": f"10.215.0.{number}"}}
            ends = {"EndpointsConfig": {name: end}}
            containers.append(own.run(HostConfig={"NetworkMode": name}, NetworkingConfig=ends))
        wish = {"name": name, "labels": {"a": "2"}, "recreate": "force"}
        whole = run_until(own, "EnsureNetwork", steps, wish)
        assert whole == (steps == 8)  # memo, two off, removed, created, two on, memo
        body = once(own, "EnsureNetwork", wish)
        assert body["action"] == ("none" if whole else "recreated")
        (only,) = [one for one in own.wire.do("GET", "/networks").json() if one["Name"] == name]
        assert only["Id"] != first
        assert only["Labels"]["a"] == "2"
        for number, container in zip((7, 8), containers, strict=True):
            ends = own.wire.do("GET", f"/containers/{container}/json").json()["NetworkSettings"]["Networks"]
            assert ends[name]["IPAddress"] == f"10.215.0.{number}"
            assert f"www{number}" in ends[name]["Aliases"]
        assert not [volume for volume in volumes(own) if volume.startswith(MEMO)]
        assert not once(own, "EnsureNetwork", wish)["changed"]
    finally:
        for container in containers:
            own.remove(container)
        with suppress(Exception):
            own.wire.do("DELETE", f"/networks/{name}")


@pytest.mark.parametrize("steps", range(1, 7))
def test_a_way_back_that_breaks_off_is_gone_to_its_end(own: LabEngine, steps: int) -> None:
    """The engine refuses the new network, for another one has its addresses."""
    name, other = f"net-{random_id()}", f"net-{random_id()}"
    once(own, "EnsureNetwork", {"name": other, "pools": [{"subnet": "10.216.0.0/16"}]})
    once(own, "EnsureNetwork", {"name": name, "labels": {"a": "1"}, "pools": [{"subnet": "10.215.0.0/24"}]})
    container = own.run(HostConfig={"NetworkMode": name})
    wish = {"name": name, "pools": [{"subnet": "10.216.7.0/24"}], "recreate": "force"}
    try:
        run_until(own, "EnsureNetwork", steps, wish)
        error = run_step("EnsureNetwork", wish, config(own, errorPolicy="emit")).bodies[0]["error"]
        assert error["name"] == "Conflict"
        (only,) = [one for one in own.wire.do("GET", "/networks").json() if one["Name"] == name]
        assert only["IPAM"]["Config"][0]["Subnet"] == "10.215.0.0/24"
        ends = own.wire.do("GET", f"/containers/{container}/json").json()["NetworkSettings"]["Networks"]
        assert ends[name]["NetworkID"] == only["Id"]
        assert not [volume for volume in volumes(own) if volume.startswith(MEMO)]
    finally:
        own.remove(container)
        for network in (name, other):
            own.wire.ask("DELETE", f"/networks/{network}")


@pytest.mark.parametrize("steps", range(3))
@pytest.mark.shows("EnsureVolume", "killed")
def test_a_volume_that_was_being_made_anew_is_brought_to_its_end(own: LabEngine, steps: int) -> None:
    name = f"vol-{random_id()}"
    once(own, "EnsureVolume", {"name": name, "labels": {"a": "1"}})
    wish = {"name": name, "labels": {"a": "2"}, "recreate": "whenUnused", "allowDataLoss": True}
    whole = run_until(own, "EnsureVolume", steps, wish)
    assert whole == (steps == 2)
    assert once(own, "EnsureVolume", wish)["action"] == ("recreated", "created", "none")[steps]
    assert own.wire.do("GET", f"/volumes/{name}").json()["Labels"]["a"] == "2"
    assert not once(own, "EnsureVolume", wish)["changed"]
    own.wire.do("DELETE", f"/volumes/{name}")


@pytest.mark.parametrize(
    ("key", "path"), [("EnsureVolume", "/volumes/create"), ("EnsureNetwork", "/networks/create")]
)
def test_a_create_whose_answer_is_lost_is_looked_for(own: LabEngine, key: str, path: str) -> None:
    name, proxy = f"lost-{random_id()}", FaultyProxy(own.socket)
    try:
        proxy.answers.cut_after(0, asked=path.encode(), once=True)
        address = {"server": "2", "otherServer": f"http://{proxy.host}:{proxy.port}"}
        body = run_step(key, {"name": name}, address).body
        assert (body["action"], body["changed"]) == ("created", True)
        assert once(own, key, {"name": name})["action"] == "none"
    finally:
        proxy.close()
        once(
            own, key, {"name": name, "state": "absent"} | ({"allowDataLoss": True} if "Volume" in key else {})
        )


@pytest.mark.parametrize("label", ["", "{}", "[1, 2]", '["a", {"Name": "other"}, {}, []]', "[" * 5000])
def test_what_is_no_memo_is_no_order(own: LabEngine, label: str) -> None:
    """Whoever may make volumes could write one: it makes no other network anew, and no volume of others is lost."""
    name = f"net-{random_id()}"
    once(own, "EnsureNetwork", {"name": name})
    labels = {"docker-engine-connector.memo": label}
    volume = volume_of(name)
    own.wire.do("POST", "/volumes/create", {"Name": volume, "Labels": labels})
    try:
        wish = {"name": name, "labels": {"a": "1"}, "recreate": "force"}
        error = run_step("EnsureNetwork", wish, config(own, errorPolicy="emit")).bodies[0]["error"]
        assert error["name"] == "EngineFault"
        assert volume in error["message"] or "form" in error["message"]
        assert "a" not in own.wire.do("GET", f"/networks/{name}").json()["Labels"]
        assert volume in volumes(own)
    finally:
        own.wire.do("DELETE", f"/volumes/{volume}")
        own.wire.do("DELETE", f"/networks/{name}")


def test_a_plan_tells_what_is_left_to_be_done(own: LabEngine) -> None:
    name = f"net-{random_id()}"
    once(own, "EnsureNetwork", {"name": name, "labels": {"a": "1"}})
    container = own.run(HostConfig={"NetworkMode": name})
    try:
        wish = {"name": name, "labels": {"a": "2"}, "recreate": "force"}
        run_until(own, "EnsureNetwork", 2, wish)  # the container is disconnected
        dry = run_step("EnsureNetwork", wish, config(own, dryRun=True)).bodies[0]
        real = once(own, "EnsureNetwork", wish)
        assert [(one["action"], one["kind"]) for one in dry["plan"]] == [
            ("remove", "network"),
            ("create", "network"),
            ("connect", "container"),
            ("remove", "volume"),
        ]
        assert (real["plan"], real["action"]) == (dry["plan"], dry["action"])
    finally:
        own.remove(container)
        own.wire.do("DELETE", f"/networks/{name}")
