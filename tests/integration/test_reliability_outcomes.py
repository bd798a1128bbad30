"""A connection lost while something is made: the step says that it does not know, and nothing is made twice."""

from __future__ import annotations

import uuid

import pytest

from tests.actions.stepping import Outcome
from tests.integration.reliability_lab import Way, steps_forgotten, way
from tests.lab.fixtures import MakeContainer
from tests.lab.registry import Registry
from tests.lab.waiting import wait_until

__all__ = ["steps_forgotten", "way"]

pytestmark = pytest.mark.engine

POLICIES = ("byComponent", "rebound")


@pytest.fixture
def mark() -> str:
    return f"reliability-{uuid.uuid4().hex[:12]}"


def assert_unknown(outcome: Outcome) -> None:
    assert outcome.bodies == []
    assert outcome.rebounds == []
    (error,) = outcome.errors
    assert error["name"] == "OutcomeUnknown"
    assert "before you repeat the call" in error["message"]


def containers(way: Way, mark: str) -> list[str]:
    found = way.lab.wire.do("GET", "/containers/json", all=True, filters={"label": [mark]}).json()
    return [container["Id"] for container in found]


@pytest.mark.parametrize(
    ("direction", "size"),
    [("requests", 0), ("requests", 200), ("answers", 0), ("answers", 30), ("answers", 250)],
)
@pytest.mark.parametrize("policy", POLICIES)
def test_a_container_whose_creation_was_cut_is_there_once_or_not(
    way: Way, mark: str, direction: str, size: int, policy: str
) -> None:
    getattr(way.port, direction).cut_after(size, asked=b"/containers/create")
    body = {"Image": way.lab.image, "Cmd": ["true"], "Labels": {mark: "x" * 200}}
    outcome = way.run("ContainerCreate", {"requestBody": body}, errorPolicy=policy)
    assert_unknown(outcome)
    made = 0 if direction == "requests" else 1
    wait_until(lambda: len(containers(way, mark)) == made, "the container")
    for container in containers(way, mark):
        way.lab.remove(container)


def images(way: Way, mark: str) -> list[str]:
    found = way.lab.wire.do("GET", "/images/json", filters={"label": [mark]}).json()
    return [image["Id"] for image in found]


@pytest.mark.parametrize(("direction", "size"), [("requests", 700), ("answers", 0), ("answers", 250)])
def test_an_image_whose_build_was_cut_is_there_once_or_not(
    way: Way, mark: str, direction: str, size: int
) -> None:
    getattr(way.port, direction).cut_after(size, asked=b"/build")
    text = f"FROM {way.lab.image}\nLABEL {mark}=one\nLABEL more=yes\n"
    assert_unknown(way.run("ImageBuild", {"dockerfileText": text, "t": f"{mark}:1"}))
    way.port.heal()
    assert len(images(way, mark)) <= 1
    for image in images(way, mark):
        way.lab.wire.ask("DELETE", f"/images/{image}", force=True)


def test_a_push_that_was_cut_is_told_and_may_be_repeated(way: Way, mark: str, registry: Registry) -> None:
    name = f"{registry.address}/{mark}"
    way.lab.wire.do("POST", f"/images/{way.lab.image}/tag", repo=name, tag="1")
    for size in (0, 200):
        way.port.answers.cut_after(size, asked=b"/push")
        assert_unknown(way.run("ImagePush", {"name": name, "tag": "1"}))
    way.port.heal()
    pushed = way.do("ImagePush", {"name": name, "tag": "1"})
    assert pushed["digest"].startswith("sha256:")
    assert registry.tags(mark) == ["1"]
    way.lab.wire.do("DELETE", f"/images/{name}:1")


def test_a_pull_that_was_cut_is_told_and_may_be_repeated(way: Way, mark: str, registry: Registry) -> None:
    name = registry.push(way.lab, f"{mark}:1")
    way.lab.wire.do("DELETE", f"/images/{name}")
    for size in (0, 200):
        way.port.answers.cut_after(size, asked=b"/images/create")
        assert_unknown(way.run("ImageCreate", {"fromImage": name}))
    way.port.heal()
    way.port.answers.piece = 1
    assert way.do("ImageCreate", {"fromImage": name})["tags"] == [name]
    way.lab.wire.do("DELETE", f"/images/{name}")


@pytest.mark.parametrize(("direction", "size"), [("requests", 300), ("requests", 100_000), ("answers", 0)])
def test_an_upload_that_was_cut_has_an_unknown_outcome(
    way: Way, make_container: MakeContainer, direction: str, size: int
) -> None:
    made = make_container()
    file = {"name": "data", "content": "x" * 300_000}
    getattr(way.port, direction).cut_after(size, asked=b"/archive")
    assert_unknown(way.run("PutContainerArchive", {"id": made, "path": "/tmp", "file": file}))
    way.port.heal()
    way.do("PutContainerArchive", {"id": made, "path": "/tmp", "file": file})
    assert way.do("ContainerArchiveInfo", {"id": made, "path": "/tmp/data"})["size"] == 300_000


@pytest.mark.parametrize("size", [0, 150])
def test_a_command_whose_conversation_was_cut_runs_once(
    way: Way, run_container: MakeContainer, size: int
) -> None:
    made = run_container()
    command = {"Cmd": ["sh", "-c", "echo x >>/tmp/times; echo said; sleep 0.1; echo more"]}
    exec_id = way.do("ContainerExec", {"id": made, "requestBody": command})["Id"]
    way.port.answers.cut_after(size, asked=b"/start")
    assert_unknown(way.run("ExecStart", {"id": exec_id}))
    way.port.heal()
    # An engine that notices the cut soon enough never begins the command (fault 8.35); then it can still be started.
    assert {error["name"] for error in way.run("ExecStart", {"id": exec_id}).errors} <= {"Conflict"}
    wait_until(lambda: way.do("ExecInspect", {"id": exec_id})["ExitCode"] is not None, "the command to end")
    (error,) = way.run("ExecStart", {"id": exec_id}).errors
    assert (error["name"], "started before" in error["message"]) == ("Conflict", True)
    assert way.do("ContainerArchiveInfo", {"id": made, "path": "/tmp/times"})["size"] == 2
