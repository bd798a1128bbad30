"""RunCommand on real engines: output and code, at most once for a message, in one container or in many."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.crash import AFTER, BEFORE, Delivery
from tests.jobs.engines import config, own
from tests.jobs.finding import done, failed
from tests.lab.engine import LabEngine
from tests.lab.waiting import ended, wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "RunCommand"
ONCE = ["sh", "-c", "echo once >> /ran; echo done"]


@pytest.fixture
def box(own: LabEngine) -> Iterator[str]:
    """A running container, by its name."""
    name = f"box-{random_id()[:8]}"
    own.run(name=name, Labels={"team": name})
    yield name
    own.remove(name)


def command(
    engine: LabEngine, name: str, words: Any, fields: dict[str, Any] | None = None, **settings: Any
) -> Any:
    body = {"target": name, "command": words, **(fields or {})}
    return run_step(KEY, body, config(engine, errorPolicy="throwError", **settings))


def ran(engine: LabEngine, name: str) -> int:
    """How often ONCE ran in a container."""
    told = done(command(engine, name, ["sh", "-c", "cat /ran 2>/dev/null | wc -l"]))
    return int(told["stdout"])


def test_it_succeeds_with_code_and_both_outputs(own: LabEngine, box: str) -> None:
    told = done(command(own, box, ["sh", "-c", "echo out; echo err >&2"]))

    assert (told["exitCode"], told["ok"], told["stdout"], told["stderr"]) == (0, True, "out\n", "err\n")
    assert (told["repeat"], told["outputLost"], told["changed"]) == (False, False, True)
    assert told["container"]["name"] == box


def test_input_environment_user_and_folder(own: LabEngine, box: str) -> None:
    fields = {"stdinText": "said", "env": {"A": 1}, "user": "1000:1000", "workingDir": "/tmp"}
    told = done(command(own, box, ["sh", "-c", "cat; echo $A; id -u; pwd"], fields))

    assert told["stdout"] == "said1\n1000\n/tmp\n"


def test_it_fails_with_the_code_and_the_last_lines(own: LabEngine, box: str) -> None:
    name, text = failed(command(own, box, ["sh", "-c", "echo because >&2; exit 3"]))

    assert (name, "code 3" in text, "because" in text) == ("BadExit", True, True)


def test_a_code_may_be_no_error(own: LabEngine, box: str) -> None:
    assert done(command(own, box, ["sh", "-c", "exit 3"], {"okCodes": [0, 3]}))["ok"]
    emitted = done(command(own, box, ["sh", "-c", "exit 4"], badExit="emit"))
    assert (emitted["exitCode"], emitted["ok"]) == (4, False)


def test_trap_16_a_command_that_cannot_start_fails_with_the_engines_words(own: LabEngine, box: str) -> None:
    name, text = failed(command(own, box, ["/no/such/program"]))

    assert (name, "no such file" in text) == ("NotStarted", True)


@pytest.mark.parametrize("code", [126, 127])
def test_trap_16_a_program_with_such_a_code_did_start(own: LabEngine, box: str, code: int) -> None:
    assert failed(command(own, box, ["sh", "-c", f"exit {code}"]))[0] == "BadExit"


@pytest.mark.parametrize("state", ["paused", "exited", "created"])
def test_a_container_that_does_not_run_fails(own: LabEngine, state: str) -> None:
    name = f"still-{random_id()[:8]}"
    own.create(name=name)
    if state != "created":
        own.wire.do("POST", f"/containers/{name}/start")
        own.wire.do("POST", f"/containers/{name}/{'pause' if state == 'paused' else 'kill'}")
    if state == "exited":
        own.wait(name)
    error = failed(command(own, name, ["true"]))
    own.remove(name)

    assert (error[0], state in error[1]) == ("Conflict", True)


def test_dry_run_names_where_it_would_run(own: LabEngine, box: str) -> None:
    told = done(command(own, box, ONCE, dryRun=True))
    real = done(command(own, box, ONCE))

    assert (told["changed"], told["plan"]) == (False, real["plan"])
    assert ran(own, box) == 1


def test_read_only_runs_nothing(own: LabEngine, box: str) -> None:
    assert failed(command(own, box, ONCE, accessMode="readOnly"))[0] == "ReadOnly"
    assert done(command(own, box, ONCE, accessMode="readOnly", dryRun=True))["plan"]
    assert ran(own, box) == 0


def test_the_time_may_be_up_and_the_command_goes_on(own: LabEngine, box: str) -> None:
    slow = ["sh", "-c", "while [ ! -e /go ]; do sleep 0.05; done; echo once >> /ran"]
    error = failed(command(own, box, slow, maxSeconds="1"))
    emitted = done(command(own, box, slow, maxSeconds="1", whenTimeIsUp="emit"))
    assert (error[0], "goes on" in error[1]) == ("NotReached", True)
    assert emitted["reached"] is False
    done(command(own, box, ["touch", "/go"]))
    wait_until(lambda: ran(own, box) == 2, "both to go on to their end")


def test_a_long_output_keeps_its_end(own: LabEngine, box: str) -> None:
    told = done(command(own, box, ["sh", "-c", "seq 1 20000"], maxBytes="1000"))

    assert (told["truncated"], told["stdout"].endswith("20000\n")) == ("maxBytes", True)


def delivery(engine: LabEngine, name: str, words: Any = ONCE, **settings: Any) -> Delivery:
    return Delivery(engine, KEY, {"target": name, "command": words}, settings)


def calls(one: list[str]) -> list[str]:
    return [call.rpartition("/")[2] for call in one]


def test_two_changing_calls(own: LabEngine, box: str) -> None:
    assert calls(delivery(own, box).run().calls) == ["exec", "start"]


def test_killed_while_output_comes_the_code_is_told_or_not_settled(own: LabEngine, box: str) -> None:
    """20.10 tells 126 of a command whose output it could not hand on, whatever its code was."""
    one = delivery(own, box)
    one.run((2, AFTER))
    last = one.run()

    assert ran(own, box) == 1
    if last.finished:
        assert (last.bodies[0]["exitCode"], last.bodies[0]["outputLost"]) == (0, True)
    else:
        assert own.version.startswith("20.10")
        assert last.errors[0]["name"] == "NotSettled"


@pytest.mark.parametrize("die", [(1, AFTER), (2, BEFORE)])
def test_killed_at_a_change_it_runs_once(own: LabEngine, box: str, die: Any) -> None:
    one = delivery(own, box)
    one.run(die)
    last = one.run()

    assert last.finished, last.errors
    told = last.bodies[0]
    assert (told["exitCode"], told["repeat"], told["outputLost"]) == (0, True, False)
    assert told["stdout"] == "done\n"
    assert ran(own, box) == 1


def test_killed_before_anything_was_made_it_is_not_settled_unless_it_may_run_again(
    own: LabEngine, box: str
) -> None:
    one = delivery(own, box)
    one.run((1, BEFORE))
    assert one.run().errors[0]["name"] == "NotSettled"
    assert ran(own, box) == 0
    again = delivery(own, box, onRepeat="runAgain")
    again.run((1, BEFORE))
    assert again.run().bodies[0]["stdout"] == "done\n"
    assert ran(own, box) == 1


def test_killed_while_it_runs_the_next_delivery_waits_for_its_end(own: LabEngine, box: str) -> None:
    words = ["sh", "-c", "echo once >> /ran; while [ ! -e /go ]; do sleep 0.05; done; exit 5"]
    one = delivery(own, box, words, badExit="emit")

    outcome: list[Any] = []
    thread = threading.Thread(target=lambda: outcome.append(one.run((2, AFTER))))
    thread.start()
    ended(thread)
    wait_until(lambda: ran(own, box) == 1, "the command to run")
    second: list[Any] = []
    thread = threading.Thread(target=lambda: second.append(one.run()))
    thread.start()
    done(command(own, box, ["touch", "/go"]))
    ended(thread)

    assert second[0].bodies[0]["exitCode"] == 5
    assert ran(own, box) == 1


def test_repeat_with_one_key_finds_the_first(own: LabEngine, box: str) -> None:
    key = {"idempotencyKey": "order 7"}
    first, second = (done(command(own, box, ONCE, key)) for _ in range(2))

    assert (first["outputLost"], second["outputLost"], second["exitCode"]) == (False, True, 0)
    assert ran(own, box) == 1


def test_all_that_match_get_a_result(own: LabEngine, box: str) -> None:
    names = [f"{box}-{letter}" for letter in "abc"]
    for name in names:
        own.run(name=name, Labels={"group": box})
    body = {"targets": {"labels": [f"group={box}"]}, "command": ["hostname"], "parallel": 3}
    told = done(run_step(KEY, body, config(own, errorPolicy="throwError")))

    assert [one["container"]["name"] for one in told["results"]] == names
    assert len({one["stdout"] for one in told["results"]}) == 3
    assert told["failed"] == 0
    for name in names:
        own.remove(name)


def test_of_several_one_fails_and_the_rest_may_be_left_out(own: LabEngine, box: str) -> None:
    names = [f"{box}-{letter}" for letter in "abc"]
    for name in names:
        own.run(name=name, Labels={"group": box})
    done(command(own, names[1], ["touch", "/bad"]))
    body = {"targets": {"labels": [f"group={box}"]}, "command": ["test", "!", "-e", "/bad"]}
    every = done(run_step(KEY, body, config(own, badExit="emit")))
    first = done(run_step(KEY, {**body, "stopAtFirstFailure": True}, config(own, badExit="emit")))
    error = failed(run_step(KEY, body, config(own, errorPolicy="throwError")))

    assert ([one["ok"] for one in every["results"]], every["failed"]) == ([True, False, True], 1)
    assert ([one["ok"] for one in first["results"]], first["skipped"]) == ([True, False], 1)
    assert (error[0], names[1] in error[1]) == ("BadExit", True)
    for name in names:
        own.remove(name)


def test_no_match_fails(own: LabEngine) -> None:
    body = {"targets": {"labels": ["none=such"]}, "command": ["true"]}

    assert failed(run_step(KEY, body, config(own, errorPolicy="throwError")))[0] == "NotFound"


def test_two_at_once_run_it_once(own: LabEngine, box: str) -> None:
    """Two deliveries with one key, the second while the first runs: it finds that one."""
    key, words = {"idempotencyKey": "at once"}, ["sh", "-c", "echo once >> /ran; sleep 1; echo done"]
    outcomes: list[Any] = []
    first = threading.Thread(target=lambda: outcomes.append(command(own, box, words, key)))
    first.start()
    wait_until(lambda: ran(own, box) == 1, "the first to run")
    second = command(own, box, words, key)
    ended(first)

    assert done(outcomes[0])["stdout"] == "done\n"
    assert done(second)["outputLost"]
    assert ran(own, box) == 1
