"""The image as a platform uses it: built, started with an environment, fed by a broker, ended by a signal."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.base_image import ROOT, SITE, base_archive
from tests.lab.broker import Broker
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.fixtures import MakeContainer
from tests.lab.own_component import assembled
from tests.lab.skipping import missing
from tests.sailor.step_harness import StepHarness

pytestmark = [pytest.mark.engine, pytest.mark.broker]
BASE = "python:local"
IMAGE = "docker-engine-connector:test"
ANOTHER = "tickets:test"
OCI = "org.opencontainers.image."
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def image(engine_lab: LabEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The image, built by the command that the Dockerfile names; what the engine says of it."""
    try:
        base = base_archive()
    except FileNotFoundError as problem:
        missing(str(problem))
    repository, _, tag = BASE.partition(":")
    engine_lab.wire.do(
        "POST",
        "/images/create",
        base,
        fromSrc="-",
        repo=repository,
        tag=tag,
        changes=f"ENV PYTHONPATH=/{SITE}",
    )
    build(engine_lab, tmp_path_factory.mktemp("docker"))
    yield engine_lab.wire.do("GET", f"/images/{IMAGE}/json").json()
    for name in (IMAGE, ANOTHER, BASE):
        engine_lab.wire.ask("DELETE", f"/images/{name}", force=True)


def build(engine: LabEngine, configuration: Path, folder: Path = ROOT, tag: str = IMAGE) -> None:
    arguments = {"BASE": BASE, "PIP_OPTIONS": "--no-index", "VERSION": "9.8.7", "COMMIT": "0123abc"}
    given = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    environment = {
        "PATH": os.environ["PATH"],
        "DOCKER_HOST": engine.url,
        "DOCKER_CONFIG": str(configuration),
        "DOCKER_BUILDKIT": "0",
    }
    command = ["docker", "build", "--network", "none", "--tag", tag, *given, "."]
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        missing("the docker command is not installed: install the package docker.io")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def doors(engine_lab: LabEngine, broker: Broker, stage: StepHarness) -> Iterator[dict[str, str]]:
    """What a container reaches out here: broker, platform and engine, as variables and addresses."""
    namespace = engine_lab.private.supervisor.namespace if engine_lab.private else ""
    host, _, port = stage.platform.url.removeprefix("http://").partition(":")
    with (
        FaultyProxy(("127.0.0.1", broker.port), namespace=namespace) as messages,
        FaultyProxy((host, int(port)), namespace=namespace) as api,
        FaultyProxy(engine_lab.socket, namespace=namespace) as engine,
    ):
        yield {
            "ELASTICIO_AMQP_URI": broker.uri.replace(str(broker.port), str(messages.port)),
            "ELASTICIO_API_URI": f"http://127.0.0.1:{api.port}",
            "engine": f"http://127.0.0.1:{engine.port}",
        }


def settings(stage: StepHarness, doors: dict[str, str], image: str = IMAGE, **changes: str) -> dict[str, Any]:
    variables = {name: value for name, value in doors.items() if name.isupper()}
    variables |= {
        "ELASTICIO_COMPONENT_PATH": "",
        **{f"ELASTICIO_{name.upper()}": value for name, value in changes.items()},
    }
    environment = [f"{name}={value}" for name, value in stage.environment(**variables).items() if value]
    return {
        "Env": environment,
        "HostConfig": {"NetworkMode": "host"},
        "Image": image,
        "StopSignal": "SIGTERM",
    }


def logs(engine: LabEngine, container: str) -> str:
    frames = engine.wire.do("GET", f"/containers/{container}/logs", stdout=1, stderr=1).body
    return frames.decode(errors="replace")


def test_the_image_holds_what_runs_and_says_what_it_is(image: dict[str, Any]) -> None:
    config = image["Config"]
    assert config["User"] == "1000:1000"
    assert config["Entrypoint"][0] == "tini"
    labels = config["Labels"]
    assert {key: labels[key] for key in labels if key.startswith(OCI)} == {
        f"{OCI}title": "Docker Engine connector",
        f"{OCI}description": PROJECT["description"],
        f"{OCI}licenses": PROJECT["license"],
        f"{OCI}version": "9.8.7",
        f"{OCI}revision": "0123abc",
        f"{OCI}base.name": BASE,
    }
    assert {key: labels[key] for key in labels if key.startswith("elastic.io.")} == {
        "elastic.io.repoId": PROJECT["name"],
        "elastic.io.buildId": "9.8.7",
        "elastic.io.hash": "0123abc",
    }


def test_the_image_holds_nothing_that_production_does_not_need(
    image: dict[str, Any], engine_lab: LabEngine, run_container: MakeContainer
) -> None:
    found = run_container(["find", ".", "-maxdepth", "2", "-not", "-name", "*.pyc"], Image=IMAGE)

    assert engine_lab.wait(found) == 0
    listed = logs(engine_lab, found)
    assert "./lib/sailor" in listed
    for unwanted in (
        "./tests",
        "./.git",
        "./.venv",
        "./lib/local",
        "./lib/metadata",
        "./docs",
        "./Dockerfile",
    ):
        assert unwanted not in listed


def test_a_container_works_on_a_message_and_ends_with_0(
    image: dict[str, Any],
    engine_lab: LabEngine,
    run_container: MakeContainer,
    stage: StepHarness,
    doors: dict[str, str],
) -> None:
    stage.platform.step["config"] = {"server": "2", "otherServer": doors["engine"]}
    container = run_container([], **settings(stage, doors, function="ContainerInspect"))
    stage.wires.send({"body": {"id": container}})

    body = stage.take("data").payload["body"]

    assert body["Id"] == container
    assert body["State"]["Status"] == "running"
    assert body["Config"]["User"] == "1000:1000"
    engine_lab.wire.do("POST", f"/containers/{container}/stop", t=100)
    assert engine_lab.wait(container) == 0, logs(engine_lab, container)
    assert "Ended in order" in logs(engine_lab, container)
    assert stage.wires.depth("in") == 0


def test_a_container_makes_a_service_call(
    image: dict[str, Any],
    engine_lab: LabEngine,
    run_container: MakeContainer,
    stage: StepHarness,
    doors: dict[str, str],
) -> None:
    stage.platform.on("POST", "/result", (200, {}))
    wanted = settings(
        stage,
        doors,
        post_result_url=doors["ELASTICIO_API_URI"] + "/result",
        cfg=json.dumps({"server": "2", "otherServer": doors["engine"]}),
    )

    container = run_container(["verifyCredentials"], **wanted)

    assert engine_lab.wait(container) == 0, logs(engine_lab, container)
    result = stage.platform.asked("POST", "/result")[0].json()
    assert result["status"] == "success", result
    assert result["data"]["verified"] is True


def test_a_container_is_heard_as_npm_and_node(
    image: dict[str, Any], engine_lab: LabEngine, run_container: MakeContainer
) -> None:
    """Without an environment the runtime names what is missing: so it is the runtime that ran."""
    for command in (["npm", "start"], ["node", "./node_modules/elasticio-sailor-nodejs/run.js"]):
        container = run_container(command[1:], Entrypoint=command[:1], Image=IMAGE)

        assert engine_lab.wait(container) == 1
        assert "ELASTICIO_FLOW_ID is missing" in logs(engine_lab, container)


def test_another_component_gets_an_image_as_its_page_says(
    image: dict[str, Any],
    engine_lab: LabEngine,
    run_container: MakeContainer,
    stage: StepHarness,
    doors: dict[str, str],
    tmp_path: Path,
) -> None:
    build(engine_lab, tmp_path, assembled(tmp_path), ANOTHER)
    stage.platform.on("GET", "/tickets/7.json", (200, {"number": 7}))
    stage.platform.step["config"] = {"url": doors["ELASTICIO_API_URI"], "token": "right"}
    container = run_container([], **settings(stage, doors, ANOTHER, function="getTicket"))
    stage.wires.send({"body": {"number": 7}})

    assert stage.take("data").payload["body"] == {"number": 7}
    engine_lab.wire.do("POST", f"/containers/{container}/stop", t=20)
    assert engine_lab.wait(container) == 0, logs(engine_lab, container)
