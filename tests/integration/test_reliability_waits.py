"""Waiting for containers: an exit code that is true, or an error; never an invented success."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from actions.containers import container_wait
from lib.engine import Endpoint, Engine
from lib.engine.errors import StreamFailed
from tests.actions.stepping import Outcome
from tests.engine.scripted import Scripted, answer, say
from tests.integration.reliability_lab import Way, steps_forgotten, throwaway_engine, way
from tests.lab.engine import LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.fixtures import MakeContainer
from tests.lab.waiting import ended, wait_until

__all__ = ["steps_forgotten", "throwaway_engine", "way"]

pytestmark = pytest.mark.engine


# As process 1 it does not even notice a signal before it has asked for it, so it says when it has.
SEVEN = ["sh", "-c", "trap 'exit 7' TERM; echo ready; sleep 600 & wait"]


def heeding(way: Way, container: str) -> None:
    """Wait until the container would end with 7 on SIGTERM."""
    path = f"/containers/{container}/logs"
    wait_until(lambda: b"ready" in way.lab.wire.do("GET", path, stdout=True).body, "the trap")


class Waiting(threading.Thread):
    """A step that waits in the background."""

    def __init__(self, way: Way, body: dict[str, Any], **settings: Any) -> None:
        super().__init__()
        self._way, self._body, self._settings = way, body, settings
        self._outcome: Outcome | None = None
        self.start()

    def run(self) -> None:
        self._outcome = self._way.run("ContainerWait", self._body, **self._settings)

    @property
    def outcome(self) -> Outcome:
        ended(self)
        assert self._outcome is not None
        return self._outcome


@pytest.mark.parametrize("condition", ["not-running", "removed", "next-exit"])
def test_the_exit_code_comes_when_the_container_ends(
    way: Way, run_container: MakeContainer, condition: str
) -> None:
    container = run_container(SEVEN)
    heeding(way, container)
    way.port.answers.passed = 0
    waiting = Waiting(way, {"id": container, "condition": condition})
    wait_until(lambda: way.port.answers.passed > 100, "the wait to begin")
    way.lab.wire.do("POST", f"/containers/{container}/kill", signal="TERM")
    if condition == "removed":
        way.lab.wait(container)
        way.lab.wire.do("DELETE", f"/containers/{container}")
    assert waiting.outcome.bodies == [{"StatusCode": 7, "Error": None}]


def test_a_container_that_ended_before_the_wait_tells_its_code(
    way: Way, run_container: MakeContainer
) -> None:
    container = run_container(["sh", "-c", "exit 9"])
    way.lab.wait(container)
    assert way.do("ContainerWait", {"id": container})["StatusCode"] == 9


def test_a_container_that_was_never_started_is_not_running(way: Way, make_container: MakeContainer) -> None:
    """The engine's answer; `next-exit` is what waits for one that will be started."""
    assert way.do("ContainerWait", {"id": make_container()}) == {"StatusCode": 0, "Error": None}


def test_a_container_that_removed_itself_before_the_wait_is_an_error(way: Way) -> None:
    container = way.lab.run(["true"], HostConfig={"AutoRemove": True})
    gone = lambda: way.lab.wire.ask("GET", f"/containers/{container}/json").status == 404  # noqa: E731
    wait_until(gone, "the container to go")
    name, text = way.fails("ContainerWait", {"id": container}, errorPolicy="throwError")
    assert (name, "No such container" in text) == ("NotFound", True)


@pytest.mark.parametrize("condition", ["not-running", "removed", "next-exit"])
def test_a_container_that_removes_itself_during_the_wait_tells_its_code(way: Way, condition: str) -> None:
    container = way.lab.run(
        ["sh", "-c", "read line; exit 8"], OpenStdin=True, HostConfig={"AutoRemove": True}
    )
    way.port.answers.passed = 0
    waiting = Waiting(way, {"id": container, "condition": condition})
    wait_until(lambda: way.port.answers.passed > 100, "the wait to begin")
    way.do("ContainerAttach", {"id": container, "stdinText": "go\n"})
    assert waiting.outcome.bodies == [{"StatusCode": 8, "Error": None}]


def test_a_wait_whose_connection_is_lost_goes_on(way: Way, run_container: MakeContainer) -> None:
    container = run_container(SEVEN)
    heeding(way, container)
    way.port.answers.passed = 0
    waiting = Waiting(way, {"id": container})
    wait_until(lambda: way.port.answers.passed > 100, "the wait to begin")
    before = way.port.answers.passed
    way.port.reset()
    wait_until(lambda: way.port.answers.passed > before + 100, "the wait to begin again")
    way.lab.wire.do("POST", f"/containers/{container}/kill", signal="TERM")
    assert waiting.outcome.bodies == [{"StatusCode": 7, "Error": None}]


@pytest.mark.parametrize("condition", ["not-running", "removed"])
@pytest.mark.parametrize("fault", ["stop", "kill"])
def test_an_engine_that_goes_away_during_the_wait_is_no_success(
    throwaway_engine: LabEngine, tmp_path: Path, fault: str, condition: str
) -> None:
    container = throwaway_engine.run()
    with FaultyProxy(throwaway_engine.socket) as cut:
        way = Way(throwaway_engine, f"http://127.0.0.1:{cut.port}", tmp_path, cut)
        way.warm()
        cut.answers.passed = 0
        waiting = Waiting(way, {"id": container, "condition": condition}, errorPolicy="throwError")
        wait_until(lambda: cut.answers.passed > 100, "the wait to begin")
        getattr(throwaway_engine, fault)()
        outcome = waiting.outcome
    assert [body["StatusCode"] for body in outcome.bodies] in ([], [137]), outcome.bodies
    assert bool(outcome.bodies) != bool(outcome.errors)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (b'{"StatusCode":-1,"Error":{"Message":"context canceled"}}', "context canceled"),
        (b'{"StatusCode":0,"Error":{"Message":"removal failed"}}', "removal failed"),
        (b'{"message":"engine is shutting down"}', "engine is shutting down"),
        (b"", "no exit code came"),
    ],
)
def test_a_wait_that_failed_after_its_head_is_an_error(tmp_path: Path, told: bytes, text: str) -> None:
    with (
        Scripted(tmp_path, say(answer(told))) as server,
        Engine(Endpoint.parse(server.url)) as engine,
        pytest.raises(StreamFailed, match=text),
    ):
        container_wait(engine, {"id": "one"})
