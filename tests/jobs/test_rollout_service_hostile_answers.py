"""What is no answer of a manager becomes an EngineFault of RolloutService, and nothing is changed after it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say, told

SPEC = {
    "Name": "web",
    "TaskTemplate": {"ContainerSpec": {"Image": "web:1", "Env": ["A=1"]}},
    "Mode": {"Replicated": {"Replicas": 1}},
}
SERVICE = {"ID": "a" * 25, "Version": {"Index": 7}, "Spec": SPEC}
TASK = {
    "ID": "b" * 25,
    "Slot": 1,
    "NodeID": "n",
    "Status": {"State": "running"},
    "DesiredState": "running",
    "Spec": {},
}
NODE = {"ID": "n", "Status": {"State": "ready"}}
ODD: list[Any] = [5, [], {}, "text", [5], None]


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def fault_of(folder: Path, body: dict[str, Any], *answers: Any) -> str:
    """The name of the error; all that was asked are reads."""
    place = Path(tempfile.mkdtemp(dir=folder))
    with Scripted(place, *map(told, answers)) as server:
        config = {"server": "2", "otherServer": server.url, "errorPolicy": "emit"}
        emitted = run_step("RolloutService", {"service": "web", **body}, config).body
        assert {request.split()[0] for request in server.requests} <= {b"GET", b"HEAD"}
    return str(emitted["error"]["name"])


def with_spec(**parts: Any) -> dict[str, Any]:
    return {**SERVICE, "Spec": {**SPEC, **parts}}


@pytest.mark.parametrize(
    "service",
    [
        *ODD,
        {**SERVICE, "Version": 5},
        {**SERVICE, "Version": {"Index": "x"}},
        {**SERVICE, "Spec": [5]},
        {**SERVICE, "UpdateStatus": 5},
        {**SERVICE, "PreviousSpec": [5]},
        {**SERVICE, "JobStatus": {"JobIteration": 5}},
        with_spec(Mode=5),
        with_spec(Mode={"Replicated": 5}),
        with_spec(Mode={"Replicated": {"Replicas": {}}}),
        with_spec(TaskTemplate=[5]),
        with_spec(TaskTemplate={"ContainerSpec": 5}),
        with_spec(TaskTemplate={"ContainerSpec": {"Labels": 5}}),
        with_spec(TaskTemplate={"RestartPolicy": 5}),
        with_spec(Labels=[5]),
        with_spec(UpdateConfig=5),
        with_spec(UpdateConfig={"Monitor": "x"}),
    ],
    ids=json.dumps,
)
def test_a_service_that_is_none(tmp_path: Path, service: Any) -> None:
    assert fault_of(tmp_path, {"env": {"A": "2"}, "onFailure": "pause"}, service) == "EngineFault"


@pytest.mark.parametrize("env", [5, {"A": "1"}, True], ids=json.dumps)
def test_variables_that_are_none(tmp_path: Path, env: Any) -> None:
    odd = with_spec(TaskTemplate={"ContainerSpec": {"Image": "web:1", "Env": env}})
    wish = {"env": {"A": "2"}}
    assert fault_of(tmp_path, wish, odd) == "EngineFault"
    assert fault_of(tmp_path, wish, SERVICE, odd, odd, []) == "EngineFault"


@pytest.mark.parametrize(
    "tasks",
    [
        *(5, {"message": "no list"}, ["text"], [5], [{}]),
        [{**TASK, "Status": 5}],
        [{**TASK, "Status": {}}],
        [{**TASK, "Status": {"State": "failed", "ContainerStatus": {"ExitCode": "x"}}}],
        [{**TASK, "Spec": [5]}],
        [{**TASK, "Spec": {"ContainerSpec": 5}}],
        [{**TASK, "Spec": {"ContainerSpec": {"Labels": 5}}}],
        [{**TASK, "JobIteration": 5}],
    ],
    ids=json.dumps,
)
def test_tasks_that_are_none(tmp_path: Path, tasks: Any) -> None:
    assert fault_of(tmp_path, {}, SERVICE, SERVICE, SERVICE, tasks) == "EngineFault"
    assert fault_of(tmp_path, {}, SERVICE, SERVICE, SERVICE, [], SERVICE, tasks) == "EngineFault"


@pytest.mark.parametrize(
    "nodes", [5, {"message": "no list"}, [5], [{}], [{"ID": "n"}], [{"ID": "n", "Status": 5}]], ids=json.dumps
)
def test_nodes_that_are_none(tmp_path: Path, nodes: Any) -> None:
    assert fault_of(tmp_path, {}, SERVICE, SERVICE, SERVICE, [], SERVICE, [TASK], nodes) == "EngineFault"


@pytest.mark.parametrize(
    "bad",
    [
        {"env": 5},
        {"env": {"A": {"b": 1}}},
        {"spec": "no json"},
        {"spec": [5]},
        {"image": "a b"},
        {"image": " "},
        {"replicas": -1},
        {"replicas": 1.5},
        {"replicas": 2**64},
        {"service": ""},
        {"service": "a/../b"},
        {"monitorSeconds": 0},
        {"onFailure": "explode"},
        {"updateOrder": "both"},
    ],
    ids=json.dumps,
)
def test_an_input_that_is_none(tmp_path: Path, bad: dict[str, Any]) -> None:
    assert fault_of(tmp_path, bad, SERVICE, SERVICE, SERVICE, []) == "BadInput"


def test_an_address_that_leads_to_no_engine_is_nothing_missing(tmp_path: Path) -> None:
    page = say(answer(b"404 page not found\n", "404 Not Found", "text/plain"))
    with Scripted(tmp_path, page) as server:
        config = {"server": "2", "otherServer": server.url, "errorPolicy": "emit"}
        body = run_step("RolloutService", {"service": "web"}, config).body
    assert body["error"]["name"] == "NoSuchOperation"
