"""The component as the platform runs it: child processes, a real broker, a real engine; and no secret anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.broker import Broker
from tests.lab.engine import LabEngine
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

pytestmark = [pytest.mark.engine, pytest.mark.broker]


@pytest.fixture
def stage(broker: Broker) -> Iterator[StepHarness]:
    with StepHarness(broker.uri) as stage:
        yield stage


def start(stage: StepHarness, key: str, engine: LabEngine, **config: Any) -> Process:
    stage.platform.step["config"] = {"server": "2", "otherServer": engine.url, **config}
    return stage.start(function=key, component_path="", LOG_LEVEL="trace", data_rate_limit="1000")


def send(stage: StepHarness, **body: Any) -> None:
    stage.wires.send({"body": body})


def test_an_action_answers_with_the_engines_own_object(stage: StepHarness, engine_lab: LabEngine) -> None:
    start(stage, "SystemVersion", engine_lab)
    send(stage)
    body = stage.take("data").payload["body"]
    assert body["ApiVersion"] == engine_lab.api
    stage.settled()


def test_a_container_goes_through_its_life_step_by_step(stage: StepHarness, engine_lab: LabEngine) -> None:
    name = f"life-{stage.wires.prefix}"
    inputs = {
        "ContainerCreate": {
            "name": name,
            "requestBody": {"Image": engine_lab.image, "Cmd": ["sh", "-c", "echo out; echo err >&2; exit 3"]},
        },
        "ContainerStart": {"id": name},
        "ContainerWait": {"id": name},
        "ContainerLogs": {"id": name},
        "ContainerDelete": {"id": name},
    }
    bodies = {}
    for key, body in inputs.items():
        process = start(stage, key, engine_lab)
        send(stage, **body)
        bodies[key] = stage.take("data").payload["body"]
        assert process.stop() == 0
        process.close()
    assert bodies["ContainerStart"] == {"changed": True}
    assert bodies["ContainerWait"]["StatusCode"] == 3
    lines = {(line["stream"], line["text"]) for line in bodies["ContainerLogs"]["results"]}
    assert lines == {("stdout", "out"), ("stderr", "err")}
    assert bodies["ContainerDelete"] == {}
    stage.settled()


def test_a_wrong_field_is_an_error_that_names_it(stage: StepHarness, engine_lab: LabEngine) -> None:
    start(stage, "ContainerList", engine_lab)
    send(stage, limit="many")
    error = stage.take("error").error
    assert (error["name"], error["message"]) == (
        "BadInput",
        'limit ("Newest only"): must be a whole number, not the text "many"',
    )
    stage.settled()


def test_an_engine_that_is_away_puts_the_message_back(stage: StepHarness, engine_lab: LabEngine) -> None:
    start(stage, "SystemPing", engine_lab, otherServer="unix:///nonexistent.sock")
    send(stage)
    headers = stage.take("rebound").headers
    assert headers["reboundIteration"] == 1
    assert "No engine answers at unix:///nonexistent.sock" in headers["reboundReason"]
    stage.settled()


def test_no_secret_is_in_a_log_an_error_or_a_rebound(stage: StepHarness, engine_lab: LabEngine) -> None:
    secrets = {
        "registries": '{"registry.example.org": {"username": "me", "password": "canary-registry"}}',
        "apiKey": "canary-key-of-something",
    }
    process = start(stage, "ContainerCreate", engine_lab, verbose=True, **secrets)
    env = ["PASSWORD=canary-env"]
    send(
        stage, requestBody={"Image": engine_lab.image, "Env": env}, name="x"
    )  # refused: the name is too short
    send(stage, requestBody={"Image": "canary-free:none", "Env": env})  # refused: no such image
    send(stage, requestBody={"Image": engine_lab.image, "Env": "PASSWORD=canary-env"})  # refused: not a list
    send(stage, requestBody={"Image": engine_lab.image, "Enf": env}, X_Registry_Auth="canary-auth")
    errors = [stage.take("error") for _ in range(4)]
    stage.settled()
    told = "".join(f"{error.error}" for error in errors)
    log = "".join(process.raw) + process.stderr
    for text in (told, log):
        assert "canary" not in text.replace("canary-free", "")


def test_a_build_argument_is_not_in_the_error_of_a_build(stage: StepHarness, engine_lab: LabEngine) -> None:
    process = start(stage, "ImageBuild", engine_lab, verbose=True)
    text = f"FROM {engine_lab.image}\nARG token\nRUN exit 7\n"
    send(stage, dockerfileText=text, buildargs={"token": "canary-argument"}, t="Not/A/Valid:Tag:x")
    send(stage, dockerfileText=text, buildargs={"token": "canary-argument"})
    errors = [stage.take("error") for _ in range(2)]
    stage.settled()
    assert any("returned a non-zero code: 7" in error.error["message"] for error in errors)
    assert "canary" not in "".join(str(error.error) for error in errors) + "".join(process.raw)


def test_the_credential_is_verified_as_a_service_call(stage: StepHarness, engine_lab: LabEngine) -> None:

    stage.platform.on("POST", "/result", (200, {}))
    environment = {
        "ELASTICIO_POST_RESULT_URL": f"{stage.platform.url}/result",
        "ELASTICIO_CFG": json.dumps({"server": "2", "otherServer": engine_lab.url}),
        "ELASTICIO_API_URI": stage.platform.url,
        "ELASTICIO_API_USERNAME": "task-1",
        "ELASTICIO_API_KEY": "key",
    }
    service = Process("lib.sailor.service", environment, "verifyCredentials")
    try:
        result = stage.platform.wait_for("POST", "/result")[0].json()
    finally:
        service.close()
    assert result["status"] == "success"
    assert result["data"]["verified"] is True
    assert result["data"]["apiVersion"] == engine_lab.api
