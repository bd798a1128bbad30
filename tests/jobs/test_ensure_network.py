"""A network that shall be there, on real engines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.engines import config, own
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "EnsureNetwork"
ICC = "com.docker.network.bridge.enable_icc"


@pytest.fixture
def name(own: LabEngine) -> Iterator[str]:
    """A name that no other test has; what is there at the end goes."""
    network = f"net-{random_id()}"
    yield network
    for one in of_name(own, network):
        own.wire.ask("DELETE", f"/networks/{one['Id']}")


@pytest.fixture
def user(own: LabEngine) -> Iterator[Any]:
    """Makes a running container in a network, by its name."""
    made: list[str] = []

    def one(
        network: str, name: str, *, run: bool = True, end: dict[str, Any] | None = None, **host: Any
    ) -> str:
        ends = {"EndpointsConfig": {network: end or {}}}
        make = own.run if run else own.create
        settings = {"HostConfig": {"NetworkMode": network, **host}, "NetworkingConfig": ends}
        made.append(make(name=name, ExposedPorts={"80/tcp": {}}, **settings))
        return made[-1]

    yield one
    for container in made:
        own.remove(container)


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


def of_name(engine: LabEngine, name: str) -> list[dict[str, Any]]:
    return [one for one in engine.wire.do("GET", "/networks").json() if one["Name"] == name]


def end_of(engine: LabEngine, container: str, name: str) -> dict[str, Any]:
    inspected = engine.wire.do("GET", f"/containers/{container}/json").json()
    return inspected["NetworkSettings"]["Networks"][name]  # type: ignore[no-any-return]


def actions(body: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["action"], one["kind"]) for one in body["plan"]]


@pytest.mark.shows("EnsureNetwork", "succeeds", "repeat")
def test_three_times_in_a_row_change_once(own: LabEngine, name: str) -> None:
    wish = {
        "driver": "bridge",
        "labels": {"env": "test"},
        "options": {ICC: False},
        "internal": True,
        "attachable": True,
        "ipv6": False,
        "pools": [{"subnet": "10.214.0.0/24", "range": "10.214.0.128/25", "gateway": "10.214.0.2"}],
    }
    found = [ensure(own, name, **wish) for _ in range(3)]
    assert [body["action"] for body in found] == ["created", "none", "none"]
    assert [body["changed"] for body in found] == [True, False, False]
    assert actions(found[0]) == [("create", "network")]
    assert found[2]["network"]["Internal"] is True
    assert found[2]["network"]["IPAM"]["Config"][0]["Gateway"] == "10.214.0.2"
    assert found[2]["differences"] == found[2]["warnings"] == found[2]["plan"] == []


def test_a_gateway_that_the_engine_chose_is_no_difference(own: LabEngine, name: str) -> None:
    ensure(own, name, pools=[{"subnet": "10.214.0.0/24"}])
    assert ensure(own, name, pools=[{"subnet": "10.214.0.9/24", "gateway": "10.214.0.1"}])["action"] == "none"


def test_trap_11_the_name_filter_finds_parts_of_names(own: LabEngine, name: str) -> None:
    longer = f"{name}-longer"
    ensure(own, longer)
    found = own.wire.do("GET", "/networks", filters={"name": [name]}).json()
    assert [one["Name"] for one in found] == [longer]
    assert ensure(own, name)["action"] == "created"
    assert ensure(own, longer, state="absent")["action"] == "removed"
    assert len(of_name(own, name)) == 1


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"labels": {"env": "prod"}}, "labels.env"),
        ({"driver": "macvlan"}, "driver"),
        (
            {"options": {"com.docker.network.bridge.enable_icc": "false"}},
            "options.com.docker.network.bridge.enable_icc",
        ),
        ({"internal": True}, "internal"),
        ({"attachable": True}, "attachable"),
        ({"pools": [{"subnet": "10.214.1.0/24"}]}, "pools"),
        ({"pools": [{"subnet": "10.214.0.0/24", "gateway": "10.214.0.9"}]}, "pools[10.214.0.0/24].gateway"),
        ({"pools": [{"subnet": "10.214.0.0/24", "range": "10.214.0.0/25"}]}, "pools[10.214.0.0/24].range"),
    ],
)
def test_each_part_that_differs_is_told_and_made_anew_where_that_is_allowed(
    own: LabEngine, name: str, wish: dict[str, Any], path: str
) -> None:
    before = ensure(own, name, labels={"env": "test", "kept": "yes"}, pools=[{"subnet": "10.214.0.0/24"}])
    error = refused(own, name, **wish)
    assert error["name"] == "Differs"
    assert [one["path"] for one in error["differences"]] == [path]
    assert [one["Id"] for one in of_name(own, name)] == [before["network"]["Id"]]
    if path == "driver":
        return  # needs an interface of the host
    found = [ensure(own, name, recreate="whenUnused", **wish) for _ in range(3)]
    assert [body["action"] for body in found] == ["recreated", "none", "none"]
    assert [one["path"] for one in found[0]["differences"]] == [path]
    assert found[2]["network"]["Labels"]["kept"] == "yes"
    if "pools" not in wish:
        assert found[2]["network"]["IPAM"]["Config"][0]["Subnet"] == "10.214.0.0/24"
    assert _memos(own) == []


@pytest.mark.shows("EnsureNetwork", "fails")
def test_a_network_in_use_stays(own: LabEngine, name: str, user: Any) -> None:
    ensure(own, name, labels={"a": "1"})
    running, stopped = user(name, f"{name}-a"), user(name, f"{name}-b", run=False)
    for wish in ({"labels": {"a": "2"}, "recreate": "whenUnused"}, {"state": "absent"}):
        error = refused(own, name, **wish)
        assert error["name"] == "WouldDestroy"
        assert f"{name}-a" in error["message"]
        assert {(one["id"], one["state"]) for one in error["usedBy"]} == {
            (running, "running"),
            (stopped, "created"),
        }
    assert of_name(own, name)[0]["Labels"]["a"] == "1"


def test_a_network_is_made_anew_under_its_containers(own: LabEngine, name: str, user: Any) -> None:
    ensure(own, name, labels={"a": "1"}, pools=[{"subnet": "10.214.0.0/24"}])
    end = {"Aliases": ["www"], "IPAMConfig": {"IPv4Address": "10.214.0.77"}}
    published = {"PortBindings": {"80/tcp": [{"HostPort": "28080"}]}}
    running = user(name, f"{name}-a", end=end, **published)
    stopped = user(
        name, f"{name}-b", run=False, end={"Aliases": ["db"], "IPAMConfig": {"IPv4Address": "10.214.0.78"}}
    )
    own.wire.do("POST", f"/containers/{stopped}/start")
    own.wire.do("POST", f"/containers/{stopped}/stop")
    created = user(name, f"{name}-c", run=False)
    before = of_name(own, name)[0]["Id"]
    wish = {"labels": {"a": "2"}, "recreate": "force"}
    dry = ensure(own, name, {"dryRun": True, "accessMode": "readOnly"}, **wish)
    body = ensure(own, name, **wish)
    assert (body["action"], body["plan"]) == ("recreated", dry["plan"])
    assert actions(body)[0] == ("create", "volume")
    assert actions(body)[-1] == ("remove", "volume")
    (after,) = of_name(own, name)
    assert after["Id"] != before
    assert after["Labels"]["a"] == "2"
    for container, alias, address in ((running, "www", "10.214.0.77"), (stopped, "db", "10.214.0.78")):
        told = end_of(own, container, name)
        assert alias in told["Aliases"]
        assert told["IPAMConfig"]["IPv4Address"] == address
    assert end_of(own, running, name)["IPAddress"] == "10.214.0.77"
    ports = own.wire.do("GET", f"/containers/{running}/json").json()["NetworkSettings"]["Ports"]
    assert ports["80/tcp"][0]["HostPort"] == "28080"
    for container in (stopped, created):
        own.wire.do("POST", f"/containers/{container}/start")
        assert end_of(own, container, name)["NetworkID"] == after["Id"]
    own.wire.do("POST", f"/containers/{running}/restart")
    assert end_of(own, running, name)["IPAddress"] == "10.214.0.77"
    assert ensure(own, name, **wish)["action"] == "none"
    assert _memos(own) == []


def test_ipv6_is_compared_and_given(own: LabEngine, name: str) -> None:
    four, six = {"subnet": "10.214.0.0/24"}, {"subnet": "fd00:214::/64"}
    ensure(own, name, pools=[four])
    wish = {"ipv6": True, "pools": [four, six], "recreate": "whenUnused"}
    found = [ensure(own, name, **wish) for _ in range(3)]
    assert [one["path"] for one in found[0]["differences"]] == ["ipv6", "pools"]
    assert [body["changed"] for body in found] == [True, False, False]
    assert found[2]["network"]["EnableIPv6"] is True
    # What is left out is kept, with both families.
    again = ensure(own, name, labels={"a": "1"}, recreate="whenUnused")
    assert [pool["Subnet"] for pool in again["network"]["IPAM"]["Config"]] == [
        "10.214.0.0/24",
        "fd00:214::/64",
    ]
    assert again["network"]["EnableIPv6"] is True


def test_two_at_once_make_it_anew_once(own: LabEngine, name: str, user: Any) -> None:
    ensure(own, name, labels={"a": "1"})
    containers = [user(name, f"{name}-{number}") for number in range(3)]
    wish = {"labels": {"a": "2"}, "recreate": "force"}
    found = at_once(*[lambda: ensure(own, name, {"errorPolicy": "emit"}, **wish)] * 2)
    assert [body.get("error") for body in found] == [None, None]
    (only,) = of_name(own, name)
    assert only["Labels"]["a"] == "2"
    assert {end_of(own, container, name)["NetworkID"] for container in containers} == {only["Id"]}
    assert _memos(own) == []


def test_what_the_engine_refuses_to_make_anew_is_as_before(own: LabEngine, name: str, user: Any) -> None:
    ensure(own, f"{name}-other", pools=[{"subnet": "10.214.0.0/16"}])
    ensure(own, name, labels={"a": "1"}, pools=[{"subnet": "10.215.0.0/24"}])
    running = user(name, f"{name}-a", end={"Aliases": ["www"]})
    stopped = user(name, f"{name}-b", run=False)
    try:
        error = refused(own, name, pools=[{"subnet": "10.214.7.0/24"}], recreate="force")
        assert error["name"] == "Conflict"
        assert "as it was before" in error["hint"]
        (only,) = of_name(own, name)
        assert only["Labels"]["a"] == "1"
        assert only["IPAM"]["Config"][0]["Subnet"] == "10.215.0.0/24"
        assert end_of(own, running, name)["NetworkID"] == only["Id"]
        assert "www" in end_of(own, running, name)["Aliases"]
        own.wire.do("POST", f"/containers/{stopped}/start")
        assert ensure(own, name)["action"] == "none"
        assert _memos(own) == []
    finally:
        ensure(own, f"{name}-other", state="absent")


def test_a_network_of_a_service_is_as_before(own: LabEngine, name: str) -> None:
    own.wire.do("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1:2377"})
    try:
        wish = {"driver": "overlay", "labels": {"a": "1"}, "attachable": True}
        found = [ensure(own, name, **wish) for _ in range(3)]
        assert [body["action"] for body in found] == ["created", "none", "none"]
        assert ensure(own, name, internal=True, recreate="force")["action"] == "recreated"
        task = {"ContainerSpec": {"Image": own.image}, "Networks": [{"Target": name}]}
        service = {"Name": name, "TaskTemplate": task, "Mode": {"Replicated": {"Replicas": 0}}}
        own.wire.do("POST", "/services/create", service)
        for change in ({"labels": {"a": "2"}, "recreate": "force"}, {"state": "absent"}):
            error = refused(own, name, **change)
            assert (error["name"], "ServiceUpdate" in error["hint"]) == ("Conflict", True)
        assert of_name(own, name)[0]["Labels"]["a"] == "1"
        assert _memos(own) == []
        own.wire.do("DELETE", f"/services/{name}")
        assert ensure(own, name, state="absent")["action"] == "removed"
    finally:
        own.wire.do("POST", "/swarm/leave", force=True)


def test_addresses_of_another_network_are_a_conflict(own: LabEngine, name: str) -> None:
    ensure(own, f"{name}-other", pools=[{"subnet": "10.214.0.0/16"}])
    try:
        error = refused(own, name, pools=[{"subnet": "10.214.7.0/24"}])
        assert error["name"] == "Conflict"
        assert of_name(own, name) == []
    finally:
        ensure(own, f"{name}-other", state="absent")


def test_an_address_that_would_not_fit_is_refused_before_anything_happens(
    own: LabEngine, name: str, user: Any
) -> None:
    ensure(own, name, pools=[{"subnet": "10.214.0.0/24"}])
    user(name, f"{name}-a", end={"IPAMConfig": {"IPv4Address": "10.214.0.77"}})
    before = of_name(own, name)
    error = refused(own, name, pools=[{"subnet": "10.214.1.0/24"}], recreate="force")
    assert error["name"] == "WouldDestroy"
    assert "10.214.0.77" in error["message"]
    assert of_name(own, name)[0]["Id"] == before[0]["Id"]


def test_absent_three_times_removes_once(own: LabEngine, name: str) -> None:
    ensure(own, name)
    dry = ensure(own, name, {"dryRun": True, "accessMode": "readOnly"}, state="absent")
    found = [ensure(own, name, state="absent") for _ in range(3)]
    assert [body["action"] for body in found] == ["removed", "none", "none"]
    assert found[0]["plan"] == dry["plan"]
    assert of_name(own, name) == []


def test_the_plan_of_a_dry_run_is_what_a_real_run_does(own: LabEngine, name: str) -> None:
    for wish in ({"labels": {"a": "1"}}, {}, {"labels": {"a": "2"}, "recreate": "whenUnused"}):
        dry = ensure(own, name, {"dryRun": True, "accessMode": "readOnly"}, **wish)
        assert (dry["changed"], dry["dryRun"]) == (False, True)
        real = ensure(own, name, **wish)
        assert (real["plan"], real["action"]) == (dry["plan"], dry["action"])
        assert real["differences"] == dry["differences"]


def test_a_read_only_credential_finds_a_network_and_makes_none(own: LabEngine, name: str) -> None:
    reading = {"accessMode": "readOnly", "errorPolicy": "emit"}
    assert ensure(own, name, reading)["error"]["name"] == "ReadOnly"
    assert of_name(own, name) == []
    ensure(own, name, labels={"a": "1"})
    assert ensure(own, name, reading)["action"] == "none"
    wish = {"labels": {"a": "2"}, "recreate": "force"}
    assert ensure(own, name, reading, **wish)["error"]["name"] == "ReadOnly"
    assert _memos(own) == []


@pytest.mark.parametrize("wish", [{}, {"pools": [{"subnet": "10.214.0.0/24"}]}])
def test_several_at_once_make_one(own: LabEngine, name: str, wish: dict[str, Any]) -> None:
    """Below API 1.42 six creates at once make six networks, or one whose addresses the others miss."""
    found = at_once(*[lambda: ensure(own, name, **wish)] * 6)
    (only,) = of_name(own, name)
    assert ensure(own, name)["network"]["Id"] == only["Id"]
    assert any(body["changed"] for body in found)
    if own.api >= "1.42":
        assert sorted(body["changed"] for body in found) == [False] * 5 + [True]


def test_of_several_networks_that_no_job_made_none_is_taken(own: LabEngine, name: str) -> None:
    made = [own.wire.ask("POST", "/networks/create", {"Name": name}).status for _ in range(2)]
    several = own.api < "1.42"
    assert made == [201, 201 if several else 409]
    body = ensure(own, name, {"errorPolicy": "emit"})
    assert (body["error"]["name"] if several else body["action"]) == ("Ambiguous" if several else "none")
    assert len(of_name(own, name)) == made.count(201)


@pytest.mark.parametrize("network", ["bridge", "none"])
def test_networks_of_the_engine_are_left_alone(own: LabEngine, network: str) -> None:
    assert ensure(own, network)["action"] == "none"
    for wish in ({"state": "absent"}, {"labels": {"a": "1"}, "recreate": "force"}):
        assert refused(own, network, **wish)["name"] == "BadInput"


@pytest.mark.parametrize(
    "pool",
    [
        {"subnet": "10.214.0.0/33"},
        {"subnet": "10.214.0.0/24", "gateway": "localhost"},
        {"subnet": "x" * 9000},
    ],
)
def test_what_is_no_address_is_named(own: LabEngine, name: str, pool: dict[str, str]) -> None:
    error = refused(own, name, pools=[pool])
    assert error["name"] == "BadInput"
    assert error["field"].startswith("pools[0].")
    assert of_name(own, name) == []


def _memos(engine: LabEngine) -> list[str]:
    volumes = engine.wire.do("GET", "/volumes").json()["Volumes"] or []
    return [one["Name"] for one in volumes if one["Name"].startswith("job-network-")]
