"""What is no answer of a manager becomes an EngineFault of EnsureService, and nothing is changed after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Scripted, told
from tests.jobs.test_rollout_service_hostile_answers import ODD, SERVICE, TASK, with_spec

NETWORK = {"Id": "a" * 25, "Name": "shop", "Scope": "swarm"}


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def fault_of(folder: Path, body: dict[str, Any], *answers: Any) -> str:
    """The name of the error; all that was asked are reads."""
    with Scripted(folder, *map(told, answers)) as server:
        config = {"server": "2", "otherServer": server.url, "errorPolicy": "emit"}
        wish = {"name": "web", "image": "web:1", "resolveDigest": False, **body}
        (emitted,) = run_step("EnsureService", wish, config).bodies
        assert {request.split()[0] for request in server.requests} <= {b"GET", b"HEAD"}
    return str(emitted["error"]["name"])


@pytest.mark.parametrize(
    "service",
    [
        *ODD,
        with_spec(Mode=5),
        with_spec(TaskTemplate={"ContainerSpec": 5}),
        with_spec(TaskTemplate={"ContainerSpec": {"Env": 5}}),
        with_spec(TaskTemplate={"ContainerSpec": {"Mounts": {"a": 1}}}),
        with_spec(TaskTemplate={"Placement": 5}),
        with_spec(EndpointSpec=[5]),
        with_spec(EndpointSpec={"Ports": 5}),
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("update", [{}, {"FailureAction": "pause"}], ids=["safely", "as_given"])
def test_a_service_that_is_none(tmp_path: Path, service: Any, update: dict[str, Any]) -> None:
    wish = {"env": {"A": "2"}, "ports": ["80"], "mounts": ["a:/a"], "constraints": ["a==b"]}
    acts = [service] if service in ODD else [service] * 3
    assert fault_of(tmp_path, {**wish, "update": update}, *acts, [TASK]) == "EngineFault"


@pytest.mark.parametrize("state", ["absent", "present"])
def test_a_service_of_another_form(tmp_path: Path, state: str) -> None:
    assert fault_of(tmp_path, {"state": state}, {**SERVICE, "Version": None}) == "EngineFault"


@pytest.mark.parametrize(
    "networks", [5, ["text"], [5], [{"Name": "shop"}], [{**NETWORK, "Labels": 5}]], ids=json.dumps
)
def test_networks_that_are_none(tmp_path: Path, networks: Any) -> None:
    assert fault_of(tmp_path, {"networks": ["shop"]}, networks) == "EngineFault"


@pytest.mark.parametrize("kind", ["secrets", "configs"])
@pytest.mark.parametrize(
    "listed", [5, ["text"], [5], [{"Spec": 5}], [{"Spec": {"Name": "a"}}]], ids=json.dumps
)
def test_secrets_that_are_none(tmp_path: Path, kind: str, listed: Any) -> None:
    assert fault_of(tmp_path, {kind: ["a"]}, listed) == "EngineFault"


def test_two_networks_of_one_name(tmp_path: Path) -> None:
    listed = [NETWORK, {**NETWORK, "Id": "b" * 25}]
    assert fault_of(tmp_path, {"networks": ["shop"]}, listed) == "Ambiguous"
