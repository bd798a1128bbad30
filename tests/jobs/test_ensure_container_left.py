"""What runs of EnsureContainer leave for others: a replacement that nobody goes on with, and messages with one key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.actions.stepping import run_step
from tests.jobs.containers import KEY, ensure, inspect, name, of, refused, running, wish
from tests.jobs.crash import AFTER, BEFORE, Death, Delivery
from tests.jobs.engines import own
from tests.jobs.finding import done
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import SocketProxy

__all__ = ["name", "own"]
pytestmark = pytest.mark.engine
LOOK = re.compile(r"GET (/containers/[^/]+/json)")


@contextmanager
def hours_later(engine: LabEngine) -> Iterator[str]:
    """The address of an engine that tells of each container that it was made long ago."""

    def before(call: str) -> bytes | None:
        look = LOOK.fullmatch(call)
        answer = engine.wire.ask("GET", look[1]) if look and look[1] != "/containers/json" else None
        if answer is None or answer.status != 200:
            return None
        body = json.dumps({**json.loads(answer.body), "Created": "2020-01-01T00:00:00Z"}).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"Connection: close\r\n\r\n" + body

    with SocketProxy(engine.socket, ".*") as proxy:
        proxy.before = before
        yield proxy.url


@pytest.mark.parametrize("bad", [False, True], ids=["good", "bad"])
@pytest.mark.parametrize("die", [(1, AFTER), (3, AFTER), (4, AFTER), (5, AFTER), (6, AFTER)], ids=str)
def test_a_replacement_that_stands_for_hours_is_ended_by_the_next_run(
    own: LabEngine, name: str, die: Death, bad: bool
) -> None:
    ensure(own, name, restart="always")
    fields: dict[str, Any] = {"command": ["false"], "restart": "no"} if bad else {"env": {"A": "1"}}
    Delivery(own, KEY, wish(name, **{"restart": "always", **fields}), {"errorPolicy": "throwError"}).run(die)
    assert len(of(own, name)) == 2
    assert refused(own, name, restart="always")[0] == "Conflict"
    with hours_later(own) as url:
        address = {"server": "2", "otherServer": url, "errorPolicy": "throwError"}
        told = done(run_step(KEY, wish(name, restart="always"), address))

    assert any("does not go on" in warning for warning in told["warnings"])
    assert len(running(own, name)) == 1
    now = inspect(own, name)
    assert (now["State"]["Running"], now["HostConfig"]["RestartPolicy"]["Name"]) == (True, "always")
    assert now["Config"]["Cmd"] == ["sleep", "600"]
    others = [one for one in of(own, name) if one != name]
    assert all(one.startswith(f"{name}.failed-") for one in others)
    assert ensure(own, name, restart="always")["action"] == "none"


def test_one_key_for_two_inputs_fails(own: LabEngine, name: str) -> None:
    ensure(own, name, idempotencyKey="k")
    before = inspect(own, name)
    error, text = refused(own, name, idempotencyKey="k", env={"A": "1"})

    assert (error, "key of its own" in text) == ("NotSettled", True)
    assert inspect(own, name) == before
    assert ensure(own, name, idempotencyKey="k", state="absent")["action"] == "removed"


def test_a_message_that_was_bad_is_tried_anew_when_it_is_sent_once_more(own: LabEngine, name: str) -> None:
    ensure(own, name)
    given: dict[str, Any] = {
        "command": ["sh", "-c", "test -e /v/ready && exec sleep 600; exit 1"],
        "volumes": [f"{name}-v:/v"],
        "idempotencyKey": "k",
    }
    error, _ = refused(own, name, **given)
    assert (error, len(of(own, name))) == ("RolledBack", 2)
    helper = ["touch", "/v/ready"]
    own.wait(own.run(helper, name=f"{name}-helper", HostConfig={"Binds": [f"{name}-v:/v"]}))
    told = ensure(own, name, **given)

    assert (told["action"], told["container"]["state"]) == ("recreated", "running")
    assert of(own, name) == [name, f"{name}-helper"]


def test_one_that_is_stopped_after_its_replacement_is_started_by_the_same_message(
    own: LabEngine, name: str
) -> None:
    ensure(own, name)
    given = {"env": {"A": "1"}, "idempotencyKey": "k"}
    identity = ensure(own, name, **given)["container"]["id"]
    own.wire.do("POST", f"/containers/{name}/stop", t=0)
    told = ensure(own, name, **given)

    assert (told["container"]["id"], told["container"]["state"]) == (identity, "running")


def test_a_new_one_whose_old_one_was_removed_takes_the_name(own: LabEngine, name: str) -> None:
    ensure(own, name)
    one = Delivery(own, KEY, wish(name, env={"A": "1"}), {"errorPolicy": "throwError"})
    one.run((3, BEFORE))  # the new one is there, the old one runs
    own.remove(name)
    last = one.run()

    assert last.finished, last.errors
    assert (of(own, name), len(running(own, name))) == ([name], 1)


def test_another_one_in_the_old_ones_place_is_replaced(own: LabEngine, name: str) -> None:
    ensure(own, name)
    one = Delivery(own, KEY, wish(name, env={"A": "1"}), {"errorPolicy": "throwError"})
    one.run((3, BEFORE))
    own.remove(name)
    own.run(name=name)
    last = one.run()
    now = inspect(own, name)

    assert last.finished, last.errors
    assert ("A=1" in now["Config"]["Env"], of(own, name), len(running(own, name))) == (True, [name], 1)


def test_evidence_of_an_earlier_run_goes_with_the_next(own: LabEngine, name: str) -> None:
    ensure(own, name)
    refused(own, name, command=["false"])
    assert len(of(own, name)) == 2
    refused(own, name, env={"A": "1"}, networks=[{"name": "nowhere"}])
    assert len(of(own, name)) == 2
    ensure(own, name, env={"A": "1"})
    assert of(own, name) == [name]
