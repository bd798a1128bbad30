"""WaitForContainer on real engines: every state, what looks like one and is none, and a time that is up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.engine.scripted import Scripted, answer, say
from tests.jobs.crash import Delivery
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.jobs.step_process import BaseProcess
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import READS, SocketProxy
from tests.lab.waiting import ended, wait_until

__all__ = ["own"]
KEY = "WaitForContainer"
SECOND = 10**9
Make = Callable[..., str]
LATE = {"errorPolicy": "throwError", "whenTimeIsUp": "fail", "maxSeconds": "0.7"}


@pytest.fixture
def run(own: LabEngine) -> Iterator[Make]:
    """A started container's name; it goes with the test."""
    names: list[str] = []

    def make(*command: str, start: bool = True, **settings: Any) -> str:
        names.append(f"waits-{random_id()}")
        begin = own.run if start else own.create
        begin(command or ("sleep", "600"), name=names[-1], **settings)
        return names[-1]

    yield make
    for name in names:
        own.remove(name)


def wait(engine: LabEngine, name: str, state: str, settings: Any = None, **fields: Any) -> Outcome:
    body = {"target": name, "for": state, **fields}
    return run_step(KEY, body, config(engine, **(settings or {"errorPolicy": "throwError"})))


class Waiting(threading.Thread):
    """A step that waits beside the test, through a proxy that tells of its looks."""

    def __init__(self, engine: LabEngine, name: str, state: str, **fields: Any) -> None:
        super().__init__()
        self._engine, self._body = engine, {"target": name, "for": state, **fields}
        self.proxy = SocketProxy(engine.socket, READS)
        self.start()
        wait_until(lambda: [call for call in self.proxy.calls if "/containers/" in call], "its first looks")

    def run(self) -> None:
        address = config(self._engine, errorPolicy="throwError", otherServer=self.proxy.url)
        self.outcome = run_step(KEY, self._body, address)

    def result(self) -> Outcome:
        ended(self)
        self.proxy.close()
        assert not self.proxy.refused  # it reads alone
        return self.outcome


def policy(name: str, count: int = 0) -> dict[str, Any]:
    return {"HostConfig": {"RestartPolicy": {"Name": name, "MaximumRetryCount": count}}}


def health(test: str, **more: Any) -> dict[str, Any]:
    check = {"Test": ["CMD-SHELL", test], "Interval": SECOND // 5, "Retries": 1, **more}
    return {"Healthcheck": check}


@pytest.mark.engine
@pytest.mark.shows("WaitForContainer", "succeeds")
def test_one_that_runs_steadily(own: LabEngine, run: Make) -> None:
    body = done(wait(own, run(), "running", stableSeconds=0.5))
    assert (body["reached"], body["state"], body["health"], body["restarts"]) == (True, "running", "none", 0)
    assert body["duration"] >= 0.5


@pytest.mark.engine
@pytest.mark.shows("WaitForContainer", "read_only")
def test_a_credential_that_may_only_read_can_wait(own: LabEngine, run: Make) -> None:
    body = {"target": run(), "for": "running", "stableSeconds": 0.1}
    told = done(run_step(KEY, body, config(own, errorPolicy="throwError", accessMode="readOnly")))
    assert told["reached"]


@pytest.mark.engine
def test_trap_1_one_that_was_never_started_has_not_ended(own: LabEngine, run: Make) -> None:
    """Engines answer a wait for it with 0 at once."""
    name = run("sh", "-c", "exit 3", start=False)
    assert failed(wait(own, name, "exited", LATE)) == (
        "NotReached",
        f"{name} is not exited yet: {name} is created",
    )
    waiting = Waiting(own, name, "exited")
    own.wire.do("POST", f"/containers/{name}/start")
    body = done(waiting.result())
    assert (body["state"], body["exitCode"]) == ("exited", 3)


@pytest.mark.engine
def test_trap_1_one_whose_start_was_refused_has_not_ended(own: LabEngine, run: Make) -> None:
    name = run("/nope", start=False)
    assert own.wire.ask("POST", f"/containers/{name}/start").status >= 400
    assert failed(wait(own, name, "exited", LATE))[0] == "NotReached"


@pytest.mark.engine
def test_trap_4_one_that_crashes_again_and_again_does_not_run(own: LabEngine, run: Make) -> None:
    """Half of all looks show it running."""
    name = run("sh", "-c", "sleep 0.3; exit 1", **policy("always"))
    error, text = failed(wait(own, name, "running", LATE | {"maxSeconds": "4"}, stableSeconds=1))
    assert error == "NotReached"
    assert f"{name} is not running yet: {name} is " in text
    assert "restarts" in text


@pytest.mark.engine
def test_trap_5_one_between_two_restarts_has_not_ended(own: LabEngine, run: Make) -> None:
    name = run("sh", "-c", "exit 5", **policy("on-failure", 3))
    body = done(wait(own, name, "exited"))
    assert (body["exitCode"], body["restarts"], body["state"]) == (5, 3, "exited")


@pytest.mark.engine
def test_trap_5_one_that_restarts_for_ever_never_ends(own: LabEngine, run: Make) -> None:
    name = run("sh", "-c", "exit 5", **policy("always"))
    assert failed(wait(own, name, "exited", LATE | {"maxSeconds": "2"}))[0] == "NotReached"
    own.wire.do("POST", f"/containers/{name}/stop")
    assert done(wait(own, name, "exited"))["state"] == "exited"


@pytest.mark.engine
@pytest.mark.parametrize("check", [{}, {"Healthcheck": {"Test": ["NONE"]}}], ids=json.dumps)
def test_trap_20_one_without_a_check_is_never_healthy(
    own: LabEngine, run: Make, check: dict[str, Any]
) -> None:
    error, text = failed(wait(own, run(**check), "healthy"))
    assert error == "BadInput"
    assert "has no health check" in text


@pytest.mark.engine
def test_trap_20_a_health_of_the_past_counts_for_nothing(own: LabEngine, run: Make) -> None:
    """It stays what it was while the container is paused or has ended."""
    name = run(**health("true"))
    done(wait(own, name, "healthy"))
    own.wire.do("POST", f"/containers/{name}/pause")
    assert failed(wait(own, name, "healthy", LATE))[0] == "NotReached"
    own.wire.do("POST", f"/containers/{name}/unpause")
    done(wait(own, name, "healthy"))
    own.wire.do("POST", f"/containers/{name}/stop")
    error, text = failed(wait(own, name, "healthy"))
    assert error == "NotReached"
    assert "nothing starts it again" in text


@pytest.mark.engine
def test_a_health_that_comes_late_and_flips(own: LabEngine, run: Make) -> None:
    """Unhealthy is no end of the wait, unless that is wanted."""
    name = run(**health("echo checked; test -e /well"))
    error, text = failed(wait(own, name, "healthy", failOnUnhealthy=True))
    assert error == "NotReached"
    assert "health unhealthy; the last check said: checked" in text
    waiting = Waiting(own, name, "healthy")
    exec_in(own, name, "touch /well")
    body = done(waiting.result())
    assert (body["health"], body["lastCheck"]["exitCode"], body["lastCheck"]["output"]) == (
        "healthy",
        0,
        "checked",
    )


def exec_in(engine: LabEngine, name: str, script: str) -> None:
    made = engine.wire.do("POST", f"/containers/{name}/exec", {"Cmd": ["sh", "-c", script]}).json()
    engine.wire.do("POST", f"/exec/{made['Id']}/start", {"Detach": True})


@pytest.mark.engine
@pytest.mark.shows("WaitForContainer", "fails")
def test_one_that_has_ended_never_runs(own: LabEngine, run: Make) -> None:
    name = run("sh", "-c", "exit 4")
    own.wait(name)
    error, text = failed(wait(own, name, "running"))
    assert (error, text) == (
        "NotReached",
        f"{name} is exited, its exit code was 4, and nothing starts it again",
    )


@pytest.mark.engine
def test_one_that_is_removed(own: LabEngine, run: Make) -> None:
    assert done(wait(own, "never-there", "removed"))["state"] == "removed"
    name = run()
    waiting = Waiting(own, name, "removed")
    own.remove(name)
    own.run(name=name)  # another one of its name is another one
    body = done(waiting.result())
    assert (body["reached"], body["state"], body["name"]) == (True, "removed", name)


@pytest.mark.engine
@pytest.mark.parametrize("state", ["running", "healthy", "exited", "logLine"])
def test_one_that_is_removed_while_it_is_waited_for_is_not_found(
    own: LabEngine, run: Make, state: str
) -> None:
    name = run(**health("false"))
    fields = {"pattern": "x"} if state == "logLine" else {"stableSeconds": 3600}
    waiting = Waiting(own, name, state, **fields)
    own.remove(name)
    own.run(name=name, **health("true"))
    assert failed(waiting.result())[0] == "NotFound"


@pytest.mark.engine
@pytest.mark.parametrize("state", ["running", "healthy", "exited", "logLine"])
@pytest.mark.shows("WaitForContainer", "fails")
def test_one_that_is_not_there(own: LabEngine, state: str) -> None:
    fields = {"pattern": "x"} if state == "logLine" else {}
    assert failed(wait(own, "not-there", state, **fields))[0] == "NotFound"
    empty = {"notFound": "emitEmpty"}
    assert wait(own, "not-there", state, empty, **fields).bodies == [{}]


@pytest.mark.engine
def test_a_line_of_the_log(own: LabEngine, run: Make) -> None:
    name = run("sh", "-c", "echo one; while ! test -e /go; do sleep 0.1; done; echo ready now >&2; sleep 600")
    waiting = Waiting(own, name, "logLine", pattern="^ready")
    exec_in(own, name, "touch /go")
    body = done(waiting.result())
    assert (body["line"], body["state"]) == ("ready now", "running")


@pytest.mark.engine
def test_a_line_after_a_restart(own: LabEngine, run: Make) -> None:
    script = "echo begun; test -e /again && { echo ready; exec sleep 600; }; touch /again; sleep 1; exit 1"
    name = run("sh", "-c", script, **policy("always"))
    assert done(wait(own, name, "logLine", pattern="ready"))["line"] == "ready"


@pytest.mark.engine
def test_a_line_that_does_not_come(own: LabEngine, run: Make) -> None:
    name = run("sh", "-c", "echo other; exit 2")
    own.wait(name)
    error, text = failed(wait(own, name, "logLine", pattern="ready"))
    assert (error, text) == ("NotReached", f"No line has matched, and {name} is exited, its exit code was 2")
    assert failed(wait(own, run(), "logLine", LATE, pattern="ready"))[0] == "NotReached"
    assert failed(wait(own, name, "logLine"))[0] == "BadInput"
    assert failed(wait(own, name, "logLine", pattern="("))[0] == "BadInput"


@pytest.mark.engine
@pytest.mark.parametrize("state", ["running", "healthy", "exited", "removed", "logLine"])
def test_what_becomes_of_a_time_that_is_up(own: LabEngine, run: Make, state: str) -> None:
    name = run("sleep", "600", **health("sleep 60"))
    fields = {"stableSeconds": 3600} | ({"pattern": "x"} if state == "logLine" else {})
    soon = {"maxSeconds": "0.3"}
    later = wait(own, name, state, soon, **fields)
    assert (later.bodies, later.errors, len(later.rebounds)) == ([], [], 1)
    assert name in later.rebounds[0]
    assert failed(wait(own, name, state, soon | {"whenTimeIsUp": "fail"}, **fields))[0] == "NotReached"
    body = done(wait(own, name, state, soon | {"whenTimeIsUp": "emit"}, **fields))
    assert (body["reached"], body["state"], body["name"]) == (False, "running", name)
    (data,) = wait(own, name, state, soon | {"whenTimeIsUp": "fail", "errorPolicy": "emit"}, **fields).bodies
    assert (data["error"]["name"], data["error"]["state"]) == ("NotReached", "running")


@pytest.mark.engine
def test_an_interrupted_wait_is_as_if_it_had_never_been(own: LabEngine, run: Make) -> None:
    one = Delivery(own, KEY, {"target": run(), "for": "exited"})

    def interrupt(process: BaseProcess) -> None:
        wait_until(lambda: len(one.looks) > 2, "its looks")
        process.terminate()

    life = one.run(during=interrupt)
    assert (life.finished, life.published, life.calls) == (False, [], [])


@pytest.mark.engine
def test_an_engine_that_dies_meanwhile_is_asked_again_later(own: LabEngine, run: Make) -> None:
    name = run()
    one = Delivery(own, KEY, {"target": name, "for": "exited"})

    def kill(_: BaseProcess) -> None:
        wait_until(lambda: len(one.looks) > 2, "its looks")
        own.kill()

    try:
        life = one.run(during=kill)
    finally:
        own.start()
    assert (life.bodies, life.errors, len(life.rebounds)) == ([], [], 1)
    assert done(wait(own, name, "exited"))["exitCode"] == 137


STATE = {"Status": "running", "ExitCode": 0, "StartedAt": "2026-01-05T09:30:00Z"}
TOLD = {"Id": "a" * 64, "Name": "/web", "State": STATE}


@pytest.mark.parametrize(
    "told",
    [
        *(5, [], {}, "text", [5], None),
        {**TOLD, "State": 5},
        {**TOLD, "State": {**STATE, "ExitCode": "x"}},
        {**TOLD, "State": {**STATE, "Health": 5}},
        {**TOLD, "State": {**STATE, "Health": {"Log": 5}}},
        {**TOLD, "State": {**STATE, "Health": {"Log": [5]}}},
        {**TOLD, "RestartCount": "x"},
        {**TOLD, "HostConfig": 5},
    ],
    ids=lambda told: json.dumps(told)[-60:],
)
@pytest.mark.parametrize("state", ["running", "healthy", "exited", "removed", "logLine"])
def test_what_is_no_answer_of_an_engine(tmp_path: Path, state: str, told: Any) -> None:
    fields = {"pattern": "x"} if state == "logLine" else {}
    with Scripted(tmp_path, say(answer(json.dumps(told).encode()))) as server:
        address = {"server": "2", "otherServer": server.url, "errorPolicy": "throwError"}
        outcome = run_step(KEY, {"target": "web", "for": state, **fields}, address)
    forget_engines()
    assert failed(outcome)[0] == "EngineFault"
