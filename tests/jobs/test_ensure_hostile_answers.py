"""What is no answer of an engine becomes an EngineFault of the ensure jobs, and nothing is changed after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Act, Scripted, answer, say, told

ID = "a" * 64
VOLUME = {"Name": "data", "Driver": "local", "Labels": {"a": "1"}, "Options": None}
NETWORK = {"Id": ID, "Name": "shop", "Driver": "bridge", "Labels": {}, "IPAM": {"Config": None}}
IMAGE = {
    "Id": f"sha256:{ID}",
    "RepoTags": ["web:1"],
    "RepoDigests": [f"web@sha256:{ID}"],
    "Size": 5,
    "Os": "linux",
}
CONTAINER = {"Id": ID, "Names": ["/web"], "State": "running", "ImageID": "sha256:old", "Image": "sha256:old"}
ODD: list[Any] = [5, [], {}, "text", [5], None]
MOUNTS = [{"Type": "volume", "Name": "data"}]
LISTED: list[Any] = [
    *(5, {"message": "no list"}, ["text"], [5]),
    [{**CONTAINER, "Mounts": 5}],
    [{**CONTAINER, "Mounts": [5]}],
    [{**CONTAINER, "Mounts": MOUNTS, "Names": 5}],
]
NETWORKS = (5, {"Networks": 5}, {"Networks": {"shop": 5}}, {"Networks": ["shop"]})
WISHES = {
    "EnsureVolume": {"name": "data"},
    "EnsureNetwork": {"name": "x1"},
    "EnsureImage": {"reference": "web"},
}


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


MISSING = say(answer(b'{"message": "no such volume"}', "404 Not Found"))


def fault_of(folder: Path, key: str, body: dict[str, Any], *acts: Act) -> str:
    """The name of the error; all that was asked are reads."""
    with Scripted(folder, *acts) as server:
        config = {"server": "2", "otherServer": server.url, "errorPolicy": "emit"}
        (emitted,) = run_step(key, body, config).bodies
        assert {request.split()[0] for request in server.requests} <= {b"GET", b"HEAD"}
    return str(emitted["error"]["name"])


@pytest.mark.parametrize(
    "volume", [*ODD, {**VOLUME, "Labels": 5}, {**VOLUME, "Options": [5]}], ids=json.dumps
)
def test_a_volume_that_is_none(tmp_path: Path, volume: Any) -> None:
    assert fault_of(tmp_path, "EnsureVolume", {"name": "data"}, told(volume)) == "EngineFault"


@pytest.mark.parametrize("listed", LISTED, ids=json.dumps)
@pytest.mark.parametrize(
    "wish", [{}, {"labels": {"a": "2"}, "recreate": "whenUnused", "allowDataLoss": True}]
)
def test_users_of_a_volume_that_are_none(tmp_path: Path, wish: dict[str, Any], listed: Any) -> None:
    body = {"name": "data", **wish}
    assert fault_of(tmp_path, "EnsureVolume", body, told(VOLUME), told(listed)) == "EngineFault"


@pytest.mark.parametrize(
    "listed",
    [
        *(5, ["text"], [5], [{"Name": "shop"}]),
        [{**NETWORK, "Labels": 5}],
        [{**NETWORK, "IPAM": 5}],
        [{**NETWORK, "IPAM": {"Config": [5]}}],
        [{**NETWORK, "Options": ["x"]}],
    ],
    ids=json.dumps,
)
def test_networks_that_are_none(tmp_path: Path, listed: Any) -> None:
    assert fault_of(tmp_path, "EnsureNetwork", {"name": "shop"}, MISSING, told(listed)) == "EngineFault"


@pytest.mark.parametrize("networks", NETWORKS, ids=json.dumps)
def test_users_of_a_network_that_are_none(tmp_path: Path, networks: Any) -> None:
    users = told([{**CONTAINER, "NetworkSettings": networks}])
    wish = {"name": "shop", "labels": {"a": "1"}, "recreate": "force"}
    assert fault_of(tmp_path, "EnsureNetwork", wish, MISSING, told([NETWORK]), users, users) == "EngineFault"


@pytest.mark.parametrize(
    "part",
    [
        {"ConfigFrom": 5},
        {"IPAM": {"Config": [{"Subnet": 5, "Gateway": {}}], "Options": 5}},
        {"IPAM": {"Config": [], "Options": [5]}},
    ],
    ids=json.dumps,
)
def test_a_network_that_cannot_be_made_anew(tmp_path: Path, part: dict[str, Any]) -> None:
    wish = {"name": "shop", "labels": {"a": "1"}, "recreate": "force"}
    acts = [MISSING, told([{**NETWORK, **part}]), told([]), told([])]
    assert fault_of(tmp_path, "EnsureNetwork", wish, *acts) == "EngineFault"


@pytest.mark.parametrize("image", [*ODD, {**IMAGE, "RepoDigests": 5}], ids=json.dumps)
def test_an_image_that_is_none(tmp_path: Path, image: Any) -> None:
    assert fault_of(tmp_path, "EnsureImage", {"reference": "web:1"}, told(image)) == "EngineFault"


def test_a_size_that_is_none(tmp_path: Path) -> None:
    acts = [told({**IMAGE, "Size": "x"}), told([])]
    assert fault_of(tmp_path, "EnsureImage", {"reference": "web:1"}, *acts) == "EngineFault"


@pytest.mark.parametrize("answered", [*ODD, {"Descriptor": 5}, {"Descriptor": {}}], ids=json.dumps)
def test_a_digest_that_is_none(tmp_path: Path, answered: Any) -> None:
    wish = {"reference": "web:1", "policy": "newer", "whenRegistryFails": "fail"}
    assert fault_of(tmp_path, "EnsureImage", wish, told(IMAGE), told(answered)) == "EngineFault"


@pytest.mark.parametrize("inspected", [5, [], {}, {"Config": 5}, {"Config": {}}], ids=json.dumps)
def test_a_container_of_an_image_that_is_none(tmp_path: Path, inspected: Any) -> None:
    acts = [told(IMAGE), told([CONTAINER]), told(inspected)]
    assert fault_of(tmp_path, "EnsureImage", {"reference": "web:1"}, *acts) == "EngineFault"


@pytest.mark.parametrize("key", WISHES)
def test_an_address_that_leads_to_no_engine_is_nothing_missing(tmp_path: Path, key: str) -> None:
    page = say(answer(b"404 page not found\n", "404 Not Found", "text/plain"))
    assert fault_of(tmp_path, key, WISHES[key], page) == "NoSuchOperation"
