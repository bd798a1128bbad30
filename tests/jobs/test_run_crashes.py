"""RunContainer that dies at each of its calls, is interrupted, is delivered twice at once, or outlives its engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.jobs.crash import AFTER, BEFORE, Death, Delivery, Life, deaths, nothing_left
from tests.jobs.engines import own
from tests.jobs.places import Place, tar_of
from tests.jobs.step_process import BaseProcess
from tests.lab.at_once import at_once
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = [pytest.mark.engine, pytest.mark.shows("RunContainer")]
KEY = "RunContainer"
CALLS = ["create", "archive", "attach", "start", "delete"]


@pytest.fixture
def clean(own: LabEngine) -> Iterator[LabEngine]:
    with nothing_left(own):
        yield own


def delivery(
    engine: LabEngine, folder: Path, script: str = "cat; cat /in; echo done", **settings: Any
) -> Delivery:
    """A program that needs a file and an input."""
    wish = {
        "image": IMAGE,
        "command": ["sh", "-c", script],
        "stdinText": "said ",
        "filesIn": [{"path": "/in", "content": "file "}],
    }
    return Delivery(engine, KEY, wish, settings, folder=str(folder))


def starts(delivery: Delivery) -> int:
    return len(delivery.events("start"))


def called(life: Life) -> list[str]:
    return ["delete" if call.startswith("DELETE") else call.rpartition("/")[2] for call in life.calls]


def test_a_run_makes_five_changes(clean: LabEngine, tmp_path: Path) -> None:
    one = delivery(clean, tmp_path)
    life = one.run()
    assert called(life) == CALLS
    assert (life.finished, life.bodies[0]["stdout"], starts(one)) == (True, "said file done\n", 1)


@pytest.mark.parametrize("die", deaths(len(CALLS)))
@pytest.mark.shows("RunContainer", "killed")
def test_a_step_that_died_is_gone_on_with(clean: LabEngine, tmp_path: Path, die: Death) -> None:
    """The program runs once, wherever the step died, but between the removal and the acknowledgement."""
    one = delivery(clean, tmp_path)
    dead = one.run(die)
    again = one.run()
    told = [*dead.bodies, *again.bodies]
    assert again.finished, again.errors
    assert starts(one) == (2 if die == (5, AFTER) else 1)
    # What had been started with its input got that, or its end; then warnings say so.
    started = die in ((4, AFTER), (5, BEFORE))
    assert all(body["repeat"] == started for body in again.bodies)
    whole = "said file done\n"
    for body in told:
        assert body["stdout"] == whole or (
            body["repeat"] and ["input was cut" in one for one in body["warnings"]] == [True]
        )
    assert len(told) == (2 if die[0] == 5 else 1)
    if die[0] == 5:
        assert len(set(dead.ids + again.ids)) == 1


@pytest.mark.parametrize("die", deaths(3))
@pytest.mark.shows("RunContainer", "killed", "repeat")
def test_kept_evidence_lets_no_program_run_twice(own: LabEngine, die: Death) -> None:
    wish = {"image": IMAGE, "command": ["sh", "-c", "echo once"]}
    one = Delivery(own, KEY, wish, {"evidence": "keep"})
    if die[0] < 3:
        one.run(die)
    else:
        one.run()  # and dies before the acknowledgement
    last = one.run()
    assert (last.bodies[0]["stdout"], starts(one)) == ("once\n", 1)
    own.remove(last.bodies[0]["container"]["id"])


def test_an_interrupted_step_leaves_all_to_its_next_delivery(clean: LabEngine) -> None:
    """SIGTERM: nothing is cleaned up, nothing is told, and the program runs on."""
    one = Delivery(clean, KEY, {"image": IMAGE, "command": ["sh", "-c", "sleep 3; echo done"]})

    def interrupt(process: BaseProcess) -> None:
        wait_until(lambda: starts(one), "the program to start")
        process.terminate()

    life = one.run(during=interrupt)
    assert (life.finished, life.published, called(life)) == (False, [], ["create", "start"])
    again = one.run()
    assert (again.bodies[0]["stdout"], again.bodies[0]["repeat"], starts(one)) == ("done\n", True, 1)


@pytest.mark.parametrize("script", ["true", "sleep 2"])
def test_two_deliveries_at_once_run_it_once(clean: LabEngine, tmp_path: Path, script: str) -> None:
    one = delivery(clean, tmp_path, f"{script}; cat; cat /in")
    lives = at_once(*[one.run] * 3)
    told = [life for life in lives if life.bodies]
    assert told
    assert len({life.ids[0] for life in told}) == 1
    late = [error for life in lives for error in life.errors]
    assert {error["message"].partition(" was ")[2][:14] for error in late} <= {"removed before"}, late
    # A delivery that comes after the removal is one that was acknowledged never: it runs the program again.
    removed = sum(call.startswith("DELETE") for life in lives for call in life.calls)
    assert 1 <= starts(one) <= max(removed, 1)


def test_one_that_comes_back_to_a_program_with_its_whole_input_has_no_doubt(
    clean: LabEngine, tmp_path: Path
) -> None:
    """Nor has the delivery after one that died while it waited: the message still says it."""
    script = "cat; until [ -e /go ]; do sleep 0.1; done"
    one = Delivery(
        clean,
        KEY,
        {"image": IMAGE, "command": ["sh", "-c", script], "stdinText": "said"},
        {"maxSeconds": "0.5"},
    )
    for _ in range(2):
        (reason,) = one.run().rebounds
        assert "its whole input was sent" in reason
        one.headers = {"reboundReason": reason, "reboundIteration": 1}

    def interrupt(process: BaseProcess) -> None:
        looks = len(one.looks)
        wait_until(lambda: len(one.looks) > looks, "it to look")
        process.terminate()

    one.settings = {}
    assert not one.run(during=interrupt).finished
    (name,) = [found for found in one.left() if found.startswith("/job-")]
    Place(clean, tmp_path).put(name.split()[0][1:], "/", tar_of(("go", b"")))
    (body,) = one.run().bodies
    assert (body["stdout"], body["repeat"], body["warnings"]) == ("said", True, [])


def test_a_wait_that_takes_too_long_comes_back(clean: LabEngine) -> None:
    one = Delivery(
        clean, KEY, {"image": IMAGE, "command": ["sh", "-c", "sleep 2; echo done"]}, {"maxSeconds": "0.5"}
    )
    lives = [one.run()]
    assert (len(lives[0].rebounds), lives[0].bodies) == (1, [])
    assert "has not ended yet" in lives[0].rebounds[0]
    while not lives[-1].bodies:
        lives.append(one.run())
        assert lives[-1].finished
    assert (lives[-1].bodies[0]["stdout"], starts(one)) == ("done\n", 1)


@pytest.mark.parametrize("bad", ["fail", "emit"])
def test_a_program_that_takes_too_long_is_stopped(clean: LabEngine, bad: str) -> None:
    script = "trap 'echo stopping; exit 0' TERM; echo begun; while :; do sleep 0.1; done"
    settings = {"maxSeconds": "1", "whenTimeIsUp": "stop", "badExit": bad}
    life = Delivery(clean, KEY, {"image": IMAGE, "command": ["sh", "-c", script]}, settings).run()
    if bad == "fail":
        assert life.errors[0]["name"] == "NotReached"
        assert "stopped after 1 s. Its last lines: begun\nstopping" in life.errors[0]["message"]
    else:
        (body,) = life.bodies
        assert (body["reached"], body["ok"], body["endedBy"]) == (False, False, "timeout")
        assert body["stdout"] == "begun\nstopping\n"


@pytest.mark.parametrize("policy", ["fail", "emit"])
def test_a_program_may_go_on_without_the_step(own: LabEngine, policy: str) -> None:
    one = Delivery(
        own, KEY, {"image": IMAGE, "command": ["sleep", "600"]}, {"maxSeconds": "0.5", "whenTimeIsUp": policy}
    )
    life = one.run()
    if policy == "fail":
        assert life.errors[0]["name"] == "NotReached"
    else:
        assert life.bodies[0]["reached"] is False
        assert life.bodies[0]["container"]["name"].startswith("job-")
    (name,) = [
        one["Names"][0] for one in own.wire.do("GET", "/containers/json").json() if "/job-" in one["Names"][0]
    ]
    own.remove(name.removeprefix("/"))


def test_a_program_that_hears_half_of_its_input_is_stopped(clean: LabEngine, tmp_path: Path) -> None:
    """It reads nothing, so that its input never goes out whole; half of it is not to be taken for all."""
    wish = {"image": IMAGE, "command": ["sleep", "600"], "stdinText": "x" * 8_000_000}
    life = Delivery(clean, KEY, wish, {"maxSeconds": "2"}, folder=str(tmp_path)).run()
    assert life.errors[0]["name"] == "NotReached"
    assert "had not taken its whole input" in life.errors[0]["message"]


def test_what_other_runs_left_is_swept(own: LabEngine) -> None:
    """Of this step, ended, over its time and forgotten; all others stay."""
    prefix = "docker-engine-connector."
    ours = {f"{prefix}job": KEY, f"{prefix}step": "flow/step_1", f"{prefix}run": "x", f"{prefix}spec": "x"}
    over = {f"{prefix}until": "1000"}
    left = own.create(("true",), name=f"left-{random_id()}", Labels=ours | over)
    own.wire.do("POST", f"/containers/{left}/start")
    own.wait(left)
    try:
        Delivery(own, KEY, {"image": IMAGE, "command": ["true"]}).run()
        assert own.wire.ask("GET", f"/containers/{left}/json").status == 200, "it has ended just now"
    finally:
        own.remove(left)


def test_a_program_that_falls_with_its_engine_is_told_so(own: LabEngine) -> None:
    one = Delivery(
        own, KEY, {"image": IMAGE, "command": ["sh", "-c", "echo begun; exec sleep 600"]}, {"maxSeconds": "1"}
    )
    with nothing_left(own):
        assert one.run().rebounds
        own.kill()
        own.start()
        again = one.run()
        assert again.errors[0]["name"] == "EngineRestarted"
        assert "Its last lines: begun" in again.errors[0]["message"]
