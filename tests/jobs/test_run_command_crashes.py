"""RunCommand that dies at each of its calls, is interrupted, is delivered twice at once, or outlives its engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.jobs.commands import KEY, UNTIL_GO, Same, alive, go, lines, sh, state
from tests.jobs.crash import AFTER, BEFORE, Death, Delivery, Life, deaths, nothing_left
from tests.jobs.engines import own
from tests.jobs.places import Place
from tests.jobs.step_process import BaseProcess
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine
HOUR = 3600


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Place:
    return Place(own, tmp_path)


@pytest.fixture
def web(own: LabEngine) -> Iterator[str]:
    name = f"web-{random_id()[:8]}"
    own.create(("sleep", "6000"), name=name)
    own.wire.do("POST", f"/containers/{name}/start")
    with nothing_left(own):
        yield name
    own.remove(name)


def delivery(engine: LabEngine, web: str, script: str = "exit 0", **settings: Any) -> Delivery:
    """A command that leaves a line in a file each time it runs."""
    wish = {"target": web, "command": ["sh", "-c", f"echo x >>/begun; {script}"]}
    return Delivery(engine, KEY, wish, settings)


def runs(engine: LabEngine, web: str) -> int:
    """How often the command ran."""
    made = engine.wire.do(
        "POST", f"/containers/{web}/exec", {"Cmd": ["cat", "/begun"], "AttachStdout": True}
    ).json()
    answer = engine.wire.do("POST", f"/exec/{made['Id']}/start", {"Detach": False, "Tty": False})
    return answer.body.count(b"x\n")


def at_once(number: int, one: Delivery, *die: Death) -> list[Life]:
    """One message for so many processes at once, none of which is said to be a repeat; some may die."""
    deaths_ = [*die, *[None] * (number - len(die))]

    def deliver(death: Death | None) -> Life:
        return Delivery(one.engine, KEY, one.body, one.settings, message_id=one.message_id).run(death)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(deliver, deaths_))


def knows(one: Delivery) -> Delivery:
    """The same message with the time at which the step before it began, which the engine remembers."""
    one.headers = {"start": int((time.time() + HOUR) * 1000)}
    return one


def called(life: Life) -> list[str]:
    return [call.rpartition("/")[2] for call in life.calls]


def test_a_command_makes_two_changes(own: LabEngine, web: str) -> None:
    one = delivery(own, web, "echo done")
    life = one.run()
    assert called(life) == ["exec", "start"]
    assert (life.finished, life.bodies[0]["stdout"], runs(own, web)) == (True, "done\n", 1)


@pytest.mark.parametrize("script", ["exit 0", "sleep 1"], ids=["short", "long"])
@pytest.mark.parametrize("die", deaths(2))
def test_a_step_that_was_killed_runs_it_once(own: LabEngine, web: str, die: Death, script: str) -> None:
    """The engine remembers what was before the message: so all is proven."""
    one = knows(delivery(own, web, script))
    assert one.run(die).published == []
    again = one.run()
    assert again.finished, again.errors
    (body,) = again.bodies
    assert (body["exitCode"], runs(own, web)) == (0, 1)
    started = die == (2, AFTER)
    assert body["outputLost"] == started
    assert body["repeat"] == (die != (1, BEFORE))
    assert body["changed"] == (not started)


@pytest.mark.parametrize("policy", ["report", "runAgain"])
def test_a_step_that_was_killed_before_it_was_prepared_is_not_settled(
    own: LabEngine, web: str, policy: str
) -> None:
    """Nothing tells when the message was made."""
    one = delivery(own, web, onRepeat=policy)
    one.run((1, BEFORE))
    again = one.run()
    if policy == "report":
        assert again.errors[0]["name"] == "NotSettled"
        assert "may have run in" in again.errors[0]["message"]
    else:
        assert again.bodies[0]["ok"]
    assert runs(own, web) == (policy == "runAgain")


def test_a_command_that_writes_after_the_step_was_killed_keeps_its_code(own: LabEngine, web: str) -> None:
    """20.10 says 126 of it once it has ended; an event tells the code."""
    one = delivery(own, web, "sleep 1; echo written; sleep 1; exit 3")
    one.run((2, AFTER))
    (error,) = one.run().errors
    assert error["name"] == "BadExit"
    assert "ended with code 3" in error["message"]
    assert runs(own, web) == 1


def test_a_repeat_after_the_command_failed_tells_that(own: LabEngine, web: str) -> None:
    one = delivery(own, web, "exit 3")
    one.run((2, AFTER))
    for _ in range(2):
        life = one.run()
        assert life.errors[0]["name"] == "BadExit"
        assert "ended with code 3" in life.errors[0]["message"]
    assert runs(own, web) == 1


def test_a_repeat_of_what_could_not_start_tells_that(own: LabEngine, web: str) -> None:
    one = Delivery(own, KEY, {"target": web, "command": ["/nope"]})
    one.run((2, AFTER))
    assert one.run().errors[0]["name"] == "NotStarted"


def test_an_interrupted_step_leaves_all_to_its_next_delivery(own: LabEngine, place: Place, web: str) -> None:
    """SIGTERM: nothing is told, and the command runs on."""
    one = delivery(own, web, UNTIL_GO)

    def interrupt(process: BaseProcess) -> None:
        wait_until(lambda: one.events("exec_start"), "the command to start")
        process.terminate()

    life = one.run(during=interrupt)
    assert (life.finished, life.published) == (False, [])
    go(place, web)
    (body,) = one.run().bodies
    assert (body["exitCode"], body["repeat"], body["outputLost"], runs(own, web)) == (0, True, True, 1)


@pytest.mark.parametrize("number", [2, 5])
@pytest.mark.parametrize("script", ["true", "sleep 1"])
def test_deliveries_at_once_run_it_once(own: LabEngine, web: str, script: str, number: int) -> None:
    lives = at_once(number, delivery(own, web, f"{script}; exit 0"))
    assert [life.errors for life in lives] == [[]] * number
    assert [life.bodies[0]["exitCode"] for life in lives] == [0] * number
    assert sorted(life.bodies[0]["changed"] for life in lives) == [False] * (number - 1) + [True]
    assert len({life.ids[0] for life in lives}) == 1
    assert runs(own, web) == 1


@pytest.mark.parametrize("die", deaths(1))
def test_of_two_at_once_one_is_killed_and_the_other_runs_it(own: LabEngine, web: str, die: Death) -> None:
    one = delivery(own, web, "echo done")
    dead, other = at_once(2, one, die)
    assert (dead.finished, other.errors, other.bodies[0]["exitCode"]) == (None, [], 0)
    assert runs(own, web) == 1


@pytest.mark.parametrize("side", [BEFORE, AFTER])
def test_killed_at_the_start_a_delivery_that_is_said_to_be_the_first_goes_on(
    own: LabEngine, web: str, side: str
) -> None:
    """As where a broker loses the mark of a redelivery."""
    one = delivery(own, web, "echo done")
    one.run((2, side))
    (again,) = at_once(1, one)
    assert (again.errors, again.bodies[0]["exitCode"]) == ([], 0)
    assert again.bodies[0]["outputLost"] == (side == AFTER)
    assert runs(own, web) == 1


def test_two_messages_with_one_key_run_it_once(own: LabEngine, web: str) -> None:
    one = delivery(own, web)
    one.body = {**one.body, "idempotencyKey": "order 5"}
    first = one.run()
    other = Delivery(own, KEY, one.body)
    second = other.run()
    assert (first.bodies[0]["repeat"], second.bodies[0]["repeat"], runs(own, web)) == (False, True, 1)
    wrong = Delivery(own, KEY, {**one.body, "command": "echo other"}).run()
    assert wrong.errors[0]["name"] == "NotSettled"
    assert "same idempotency key" in wrong.errors[0]["message"]


def test_a_command_that_takes_too_long_comes_back(own: LabEngine, place: Place, web: str) -> None:
    one = delivery(own, web, UNTIL_GO, maxSeconds="0.5")
    lives = [one.run(), one.run()]
    assert [(len(life.rebounds), life.bodies) for life in lives] == [(1, []), (1, [])]
    assert "has not ended yet" in lives[0].rebounds[0]
    go(place, web)
    while not lives[-1].bodies:
        lives.append(one.run())
        assert lives[-1].finished
    (body,) = lives[-1].bodies
    assert (body["exitCode"], body["outputLost"], runs(own, web)) == (0, True, 1)


def test_a_repeat_ends_a_command_at_its_time(own: LabEngine, web: str) -> None:
    """The time runs from the first delivery on."""
    one = delivery(own, web, "exec sleep 600", maxSeconds="0.5", killAfter="3")
    lives = [one.run()]
    while lives[-1].rebounds:
        lives.append(one.run())
    assert lives[-1].errors[0]["name"] == "NotReached"
    assert "was ended after 3 s" in lives[-1].errors[0]["message"]
    assert runs(own, web) == 1


@pytest.mark.parametrize("die", deaths(4))
def test_a_step_that_was_killed_in_one_of_several_runs_it_once_in_each(own: LabEngine, die: Death) -> None:
    """It is prepared everywhere before it runs in the first: so a repeat knows where it has not run."""
    names = [f"each-{number}" for number in (1, 2)]
    for name in names:
        own.create(("sleep", "6000"), name=name)
        own.wire.do("POST", f"/containers/{name}/start")
    try:
        one = knows(delivery(own, ""))
        one.body = {"targets": {"names": ["each-*"]}, "command": one.body["command"]}
        one.run(die)
        again = one.run()
        assert [result["exitCode"] for result in again.bodies[0]["results"]] == [0, 0]
        assert [runs(own, name) for name in names] == [1, 1]
    finally:
        for name in names:
            own.remove(name)


def test_a_command_whose_input_may_have_been_cut_says_so(own: LabEngine, web: str) -> None:
    one = delivery(own, web, "cat >/dev/null")
    one.body = {**one.body, "stdinText": "said"}
    one.run((2, AFTER))
    (body,) = one.run().bodies
    assert body["outputLost"]
    assert "its input was cut off" in body["warnings"][0]


def test_a_command_that_fell_with_its_engine_is_not_settled(own: LabEngine) -> None:
    own.create(("sleep", "6000"), name="falls", HostConfig={"RestartPolicy": {"Name": "always"}})
    own.wire.do("POST", "/containers/falls/start")
    one = delivery(own, "falls", "exec sleep 600", maxSeconds="1")
    assert one.run().rebounds
    own.kill()
    own.start()
    wait_until(
        lambda: own.wire.do("GET", "/containers/falls/json").json()["State"]["Running"], "it to run again"
    )
    again = one.run()
    assert again.errors[0]["name"] == "NotSettled"
    assert runs(own, "falls") == 1
    own.remove("falls")


def test_a_message_that_was_put_back_before_it_began_runs_after_the_engine_was_away(place: Place) -> None:
    """What the engine remembers begins with its own start then, so it proves nothing."""
    own = place.engine
    with alive(own, HostConfig={"RestartPolicy": {"Name": "always"}}) as name:
        message = Same(place, sh(name, "echo x >>/ran"))
        own.kill()
        try:
            for _ in range(2):
                outcome = message.again()
                assert "No command has begun" in outcome.rebounds[0]
        finally:
            own.start()
        wait_until(lambda: state(own, name) == "running", "it to run again")
        assert message.again().bodies[0]["exitCode"] == 0
        assert lines(place, name, "/ran") == 1


def test_a_message_that_came_to_a_step_that_died_is_not_settled_after_the_engine_was_away(
    place: Place,
) -> None:
    own = place.engine
    with alive(own, HostConfig={"RestartPolicy": {"Name": "always"}}) as name:
        message = Same(place, sh(name, "echo x >>/ran"))
        own.kill()
        try:
            assert "No command has begun" in message.again().rebounds[0]
            outcome = message.again(redelivered=True)
            assert "No command has begun" not in outcome.rebounds[0]
        finally:
            own.start()
        wait_until(lambda: state(own, name) == "running", "it to run again")
        assert message.again().errors[0]["name"] == "NotSettled"
        assert lines(place, name, "/ran") == 0
