"""RunCommand whose time is up, whose command is to be ended, and whose message is put back and comes again."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.jobs.commands import KEY, READY, UNTIL_GO, Same, alive, begun, go, lines, running, sh
from tests.jobs.engines import own
from tests.jobs.places import Place
from tests.lab.at_once import beside
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Place:
    return Place(own, tmp_path)


def test_a_command_that_takes_too_long_fails_or_is_told_and_goes_on(place: Place) -> None:
    with alive(place.engine) as name:
        wish = sh(name, f"{UNTIL_GO}; echo x >>/ended")
        text = place.fails(KEY, wish, "NotReached", maxSeconds="0.5", whenTimeIsUp="fail")
        assert "has not ended yet" in text
        body = place.do(KEY, wish, maxSeconds="0.5", whenTimeIsUp="emit")
        assert (body["reached"], body["container"]["name"], body["changed"]) == (False, name, True)
        go(place, name)
        wait_until(lambda: lines(place, name, "/ended") == 2, "both to go on to their end")


@pytest.mark.parametrize("bad", ["fail", "emit"])
def test_a_command_is_ended_where_that_is_wanted(place: Place, bad: str) -> None:
    script = f"trap 'echo stopped >>/ended; exit 5' TERM; sleep 6001 & {READY}; while :; do sleep 0.1; done"
    with alive(place.engine) as name:
        message = begun(place, sh(name, script))
        outcome = message.again(killAfter="0.1", badExit=bad)
        if bad == "fail":
            (error,) = outcome.errors
            assert (error["name"], "was ended after 0.1 s" in error["message"]) == ("NotReached", True)
        else:
            (body,) = outcome.bodies
            assert (body["reached"], body["ok"], body["exitCode"]) == (False, False, 5)
        assert lines(place, name, "/ended") == 1
        top = place.engine.wire.do("GET", f"/containers/{name}/top").json()
        assert "sleep 6001" not in json.dumps(top), "what it had started is ended too"
        told = message.again(killAfter="0.1", badExit="emit").bodies[0]
        assert (told["reached"], told["exitCode"]) == (False, 5), "the engine remembers who has ended it"


def test_a_command_that_does_not_listen_is_killed(place: Place) -> None:
    with alive(place.engine) as name:
        message = begun(place, sh(name, f"trap '' TERM; {READY}; while :; do sleep 0.1; done"))
        (body,) = message.again(killAfter="0.1", badExit="emit").bodies
        assert (body["reached"], body["exitCode"]) == (False, 137)


def test_a_command_that_this_delivery_began_is_ended_with_its_output(place: Place) -> None:
    with alive(place.engine) as web:
        text = place.fails(KEY, sh(web, "echo begun; exec sleep 6001"), "NotReached", killAfter="2")
    assert "was ended after 2 s. Its last lines: begun" in text


def test_a_command_in_a_container_without_a_shell_goes_on(place: Place) -> None:
    with alive(place.engine) as name, SocketProxy(place.engine.socket, ".*") as proxy:
        message = begun(place, sh(name, f"rm /bin/sh; {READY}; {UNTIL_GO}; exit 4"))
        settings = {"killAfter": "0.1", "badExit": "emit", "otherServer": proxy.url}
        ending = beside(message.again, **settings)

        def has_looked() -> bool:
            """Whether it has looked what became of its try, and then twice at the command."""
            tries = [number for number, call in enumerate(proxy.calls) if call.endswith("/start")]
            return bool(tries) and len(proxy.calls[tries[0] :]) > 3

        wait_until(has_looked, "the try to end it")
        go(place, name)
        body = ending.result().body
        assert (body["exitCode"], body["reached"]) == (4, True)
        assert "goes on: it was not ended after 0.1 s" in " ".join(body["warnings"])


def test_a_command_that_has_half_of_its_input_is_ended(place: Place) -> None:
    """It would take the end of the connection for the end of its input."""
    with alive(place.engine) as name:
        script = f"{READY}; {UNTIL_GO}; cat >/dev/null; echo x >>/taken"
        body = {"target": name, "command": ["sh", "-c", script], "stdinAttachment": "data"}
        stored = place.storage.store([bytes(3_000_000)], content_type="application/octet-stream")
        message = Same(place, body, attachments={"data": stored})
        (error,) = message.again(maxSeconds="3", errorPolicy="throwError").errors
        assert error["name"] == "NotReached"
        assert "had not taken its whole input after 3 s; it was ended" in error["message"]
        assert not running(place.engine, name)
        go(place, name)
        assert lines(place, name, "/taken") == 0


def test_a_message_that_was_put_back_by_its_policy_runs_when_the_container_does(place: Place) -> None:
    with alive(place.engine) as name:
        place.engine.wire.do("POST", f"/containers/{name}/pause")
        message = Same(place, sh(name, "true"))
        assert f"{name} is paused" in message.again(errorPolicy="rebound").rebounds[0]
        place.engine.wire.do("POST", f"/containers/{name}/unpause")
        assert message.again(errorPolicy="rebound").bodies[0]["exitCode"] == 0


def test_when_the_time_is_up_those_whose_turn_has_not_come_do_not_begin(place: Place) -> None:
    with ExitStack() as ends:
        names = [ends.enter_context(alive(place.engine, f"turn-{number}")) for number in range(3)]
        wish = {"targets": {"names": ["turn-*"]}, "command": ["sh", "-c", f"{UNTIL_GO}; echo x >>/ran"]}
        message = Same(place, wish)
        for _ in range(2):
            assert len(message.again(maxSeconds="0.5").rebounds) == 1
            assert [running(place.engine, name) for name in names] == [True, False, False]
        (body,) = message.again(maxSeconds="0.5", whenTimeIsUp="emit").bodies
        assert [one["container"]["name"] for one in body["results"]] == names
        assert [one["reached"] for one in body["results"]] == [False, False, False]
        for name in names:
            go(place, name)
        (body,) = message.again().bodies
        assert [one["exitCode"] for one in body["results"]] == [0, 0, 0]
        assert [one["outputLost"] for one in body["results"]] == [True, False, False]
        assert [lines(place, name, "/ran") for name in names] == [1, 1, 1]


def test_where_a_proxy_refuses_events_a_command_runs_and_a_repeat_finds_what_runs(place: Place) -> None:
    with alive(place.engine) as name, SocketProxy(place.engine.socket, "(?!GET /events).*") as proxy:
        message = Same(place, sh(name, f"{UNTIL_GO}; echo x >>/ran"))
        assert message.again(otherServer=proxy.url, maxSeconds="0.5").rebounds
        assert message.again(otherServer=proxy.url, maxSeconds="0.5", redelivered=True).rebounds
        go(place, name)
        wait_until(lambda: lines(place, name, "/ran"), "the command to end")
        wait_until(lambda: not running(place.engine, name), "the engine to see that")
        (error,) = message.again(otherServer=proxy.url, redelivered=True).errors
        assert error["name"] == "NotSettled"
        assert message.again(redelivered=True).bodies[0]["exitCode"] == 0, "the engine itself remembers"
        assert lines(place, name, "/ran") == 1
