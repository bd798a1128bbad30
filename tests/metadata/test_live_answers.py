"""The schemas against what a real engine says and takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.action.input.validation import validator

SCHEMAS = Path(__file__).parents[2] / "schemas"

pytestmark = pytest.mark.engine


def problems(key, body):
    return [str(problem) for problem in validator(SCHEMAS / f"{key}.out.json").errors(body)]


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("SystemInfo", "/info"),
        ("SystemVersion", "/version"),
        ("SystemDataUsage", "/system/df"),
        ("VolumeList", "/volumes"),
    ],
)
def test_an_object_of_the_engine_fits_its_schema(engine_lab, run_container, key, path):
    run_container()
    assert problems(key, engine_lab.wire.do("GET", path).json()) == []


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("ContainerList", "/containers/json"),
        ("ImageList", "/images/json"),
        ("NetworkList", "/networks"),
        ("PluginList", "/plugins"),
    ],
)
def test_a_list_of_the_engine_fits_its_schema(engine_lab, run_container, key, path):
    run_container()
    assert problems(key, {"results": engine_lab.wire.do("GET", path).json()}) == []


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("ContainerInspect", "/containers/{id}/json?size=1"),
        ("ContainerTop", "/containers/{id}/top"),
        ("ContainerStats", "/containers/{id}/stats?stream=0"),
    ],
)
def test_what_the_engine_says_of_a_container_fits_its_schema(engine_lab, run_container, key, path):
    container = run_container()
    assert problems(key, engine_lab.wire.do("GET", path.format(id=container)).json()) == []


@pytest.mark.parametrize(
    ("key", "path"), [("ImageInspect", "/images/{}/json"), ("NetworkInspect", "/networks/bridge")]
)
def test_what_the_engine_says_of_images_and_networks_fits_its_schema(engine_lab, key, path):
    assert problems(key, engine_lab.wire.do("GET", path.format(engine_lab.image)).json()) == []


def test_what_inspect_says_of_a_container_can_be_sent_back_to_make_another(engine_lab, run_container):
    found = engine_lab.wire.do("GET", f"/containers/{run_container()}/json").json()
    body = {**found["Config"], "HostConfig": found["HostConfig"]}
    assert validator(SCHEMAS / "ContainerCreate.in.json").errors({"requestBody": body}) == []


@pytest.fixture
def swarm(swarm_pair):
    """A manager with one service."""
    swarm_pair.form()
    manager = swarm_pair.first
    spec = {
        "Name": "web",
        "TaskTemplate": {"ContainerSpec": {"Image": manager.image, "Command": ["sleep", "600"]}},
        "Mode": {"Replicated": {"Replicas": 1}},
    }
    manager.wire.do("POST", "/services/create", spec)
    manager.wire.do("POST", "/secrets/create", {"Name": "token", "Data": "eA=="})
    yield manager
    manager.wire.do("DELETE", "/services/web")
    swarm_pair.dissolve()


def test_what_a_swarm_says_fits_its_schemas_and_can_be_sent_back(swarm):
    for key, path in {
        "ServiceList": "/services",
        "NodeList": "/nodes",
        "TaskList": "/tasks",
        "SecretList": "/secrets",
    }.items():
        assert problems(key, {"results": swarm.wire.do("GET", path).json()}) == []
    assert problems("SwarmInspect", swarm.wire.do("GET", "/swarm").json()) == []

    for key, path in {
        "ServiceUpdate": "/services/web",
        "SwarmUpdate": "/swarm",
        "SecretUpdate": "/secrets/token",
    }.items():
        spec = swarm.wire.do("GET", path).json()["Spec"]
        body = {"requestBody": spec} if key == "SwarmUpdate" else {"id": "x", "requestBody": spec}
        assert validator(SCHEMAS / f"{key}.in.json").errors(body) == []
