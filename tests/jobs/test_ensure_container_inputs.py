"""EnsureContainer with inputs that cannot be: each is refused by name, and the engine stays as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.jobs.containers import ensure, inspect, name, network, of, refused
from tests.jobs.engines import own
from tests.lab.engine import LabEngine

__all__ = ["name", "own"]
pytestmark = pytest.mark.engine


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for _ in range(levels):
        tree = {"a": tree}
    return tree


def host(**settings: Any) -> dict[str, Any]:
    return {"settings": {"HostConfig": settings}}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": "x" * 300}, "name"),
    ({"name": "../x"}, "name"),
    ({"image": "a b"}, "image"),
    ({"image": "../../x"}, "image"),
    ({"image": "\ud800"}, "image"),
    ({"env": {"A": "\ud800"}}, "env"),
    ({"env": {"A": "\0"}}, "env"),
    ({"env": "[1]"}, "env"),
    ({"labels": {"docker-engine-connector.run": "x"}}, "labels"),
    ({"settings": nested(150)}, "settings"),
    ({"settings": json.dumps(nested(500))}, "settings"),
    ({"settings": "[]"}, "settings"),
    ({"settings": {"Image": "other"}}, "settings.Image"),
    ({"settings": {"Env": "A=1"}}, "settings.Env"),
    ({"settings": {"Labels": {"docker-engine-connector.spec": "x"}}}, "labels"),
    ({"settings": {"NetworkingConfig": {"EndpointsConfig": {"a": 5}}}}, "settings.NetworkingConfig"),
    (host(Binds="a:/b"), "settings.HostConfig.Binds"),
    (host(Memory="64m"), "settings.HostConfig.Memory"),
    (host(Memory=1e300), "settings"),
    (host(NanoCpus=10**30), "settings"),
    (host(Ulimits=[{}]), "settings.HostConfig.Ulimits"),
    (host(NetworkMode="container:"), "settings.HostConfig.NetworkMode"),
    (host(PidMode="container:../x"), "settings.HostConfig.PidMode"),
    (host(AutoRemove=True), "settings.HostConfig.AutoRemove"),
    ({"networks": [{"name": "bridge"}, {"name": "bridge"}]}, "networks"),
    ({"networks": [{"name": "host"}, {"name": "bridge"}]}, "networks"),
    ({"networks": [{"name": "bridge"}, {"name": "none"}]}, "networks"),
    ({"networks": [{"name": "bridge"}], **host(NetworkMode="host")}, "networks"),
    ({"networks": [{"name": "container:x"}]}, "networks"),
    ({"networks": [{"name": "bridge", "aliases": ["x"]}]}, "networks"),
    ({"networks": [{"name": "bridge", "ip": "172.17.0.77"}]}, "networks"),
    ({"ports": ["1-1000"] * 3000}, "ports"),
    ({"ports": ["\u0663"]}, "ports"),
    ({"ports": ["8080:80-81"]}, "ports"),
    ({"restart": "on-failure:9999999999"}, "restart"),
    ({"memoryMb": 1e308}, "memoryMb"),
    ({"cpus": 1e308}, "cpus"),
    ({"healthcheck": {"intervalSeconds": 1e300}}, "healthcheck.intervalSeconds"),
    ({"command": "'"}, "command"),
    ({"command": ["\0"]}, "command"),
    ({"check": "logLine"}, "pattern"),
    ({"check": "logLine", "pattern": "("}, "pattern"),
]


def shown(given: dict[str, Any]) -> str:
    return ascii(given)[:60]


@pytest.mark.parametrize(("fields", "field"), BAD, ids=shown)
def test_a_bad_input_fails_by_its_name_and_changes_nothing(
    own: LabEngine, name: str, fields: dict[str, Any], field: str
) -> None:
    for there in (False, True):
        if there:
            own.run(name=name)
        before = inspect(own, name) if there else of(own, name)
        error, text = refused(own, name, **fields)
        assert (error, text.startswith(field)) == ("BadInput", True), text
        assert (inspect(own, name) if there else of(own, name)) == before


REFUSED: list[dict[str, Any]] = [
    {"memoryMb": 1e-7},
    {"cpus": 1000},
    {"restart": "always:3"},
    {"workingDir": "relative"},
    {"volumes": ["a:b"]},
    {"networks": [{"name": "nowhere"}]},
    {"networks": [{"name": "bridge"}, {"name": "nowhere"}]},
    host(NetworkMode="nowhere"),
    host(Mounts=[{"Type": "volume"}]),
    host(Tmpfs={"": ""}),
]


@pytest.mark.parametrize("fields", REFUSED, ids=shown)
def test_what_the_engine_refuses_fails_and_leaves_all_as_it_was(
    own: LabEngine, name: str, fields: dict[str, Any]
) -> None:
    error = refused(own, name, **fields)[0]
    assert error != "EngineFault"
    assert of(own, name) == []
    ensure(own, name)
    before = inspect(own, name)
    refused(own, name, **fields, env={"A": "1"})
    now = inspect(own, name)

    assert of(own, name) == [name]
    assert all(now[part] == before[part] for part in ("Id", "Config", "HostConfig"))
    assert (now["State"]["StartedAt"], now["RestartCount"]) == (before["State"]["StartedAt"], 0)
    assert set(now["NetworkSettings"]["Networks"]) == {"bridge"}
    assert now["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]


def test_no_error_and_no_difference_tells_a_value(own: LabEngine, name: str) -> None:
    secret = "hunter2-and-more"
    for fields in ({"env": {"": secret}}, {"settings": {"Env": [f"={secret}"]}}):
        assert secret not in "".join(refused(own, name, **fields))
    ensure(own, name, env={"A": secret})
    told = ensure(own, name, {"dryRun": True}, env={"A": secret[:-1]})

    assert (told["action"], secret[:-1] in json.dumps(told)) == ("recreated", False)


def test_a_network_may_be_given_by_its_id(own: LabEngine, name: str) -> None:
    names = [network(own, f"{name}-{number}") for number in (1, 2)]
    ids = [own.wire.do("GET", f"/networks/{one}").json()["Id"] for one in names]
    given = {"networks": [{"name": ids[0]}, {"name": ids[1][:12], "aliases": ["shop"]}]}
    assert ensure(own, name, **given)["action"] == "created"
    assert ensure(own, name, **given)["action"] == "none"
    told = ensure(own, name, **given, env={"A": "1"}, compare="strict")

    assert (told["action"], set(told["container"]["networks"])) == ("recreated", set(names))


def test_names_of_settings_may_be_written_in_any_case(own: LabEngine, name: str) -> None:
    given = {"settings": {"hostconfig": {"memory": 64 << 20}, "cmd": "cat"}}
    ensure(own, name, **given, state="present")
    now = inspect(own, name)

    assert (now["HostConfig"]["Memory"], now["Config"]["Cmd"]) == (64 << 20, ["cat"])
    assert ensure(own, name, **given, state="present")["action"] == "none"
