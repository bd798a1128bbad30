"""SettleOutcome asked again, killed, twice at once, and after messages that were worked on more than once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines, run_step
from tests.jobs.crash import AFTER, Delivery
from tests.jobs.engines import config, own
from tests.jobs.step_process import BaseProcess
from tests.jobs.test_settle_outcome import RUN, Body, container, new, settle, wanted
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.registry import Registry
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "SettleOutcome"
EMIT = {"errorPolicy": "emit"}


@pytest.fixture
def way(own: LabEngine) -> Iterator[FaultyProxy]:
    with FaultyProxy(own.socket) as proxy:
        yield proxy
        forget_engines()


def through(way: FaultyProxy, **more: Any) -> Body:
    return {"server": "2", "otherServer": f"http://{way.host}:{way.port}", **EMIT, **more}


def without_times(told: Body) -> Body:
    return {name: value for name, value in told.items() if name != "duration"}


def test_a_repeat_tells_the_same(own: LabEngine) -> None:
    name = container(own)
    since = f"{time.time():.6f}"
    for fields in ({"id": name}, {"id": "nowhere"}):
        first, second = (settle(own, "ContainerStop", fields, since=since) for _ in range(2))
        assert without_times(first) == without_times(second)
    own.remove(name)


def test_at_once_twice_it_tells_the_same(own: LabEngine) -> None:
    fields = wanted()
    own.wire.do("POST", "/containers/create", fields["requestBody"], name=fields["name"])
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(settle, own, "ContainerCreate", fields) for _ in range(2)]
        first, second = (without_times(one.result()) for one in both)
    assert first == second
    assert first["outcome"] == "happened"
    own.remove(fields["name"])


def test_it_is_killed_in_the_middle_and_told_by_the_next_delivery(own: LabEngine) -> None:
    name = container(own)
    body = {"operation": "ContainerPause", "fields": {"id": name}, "since": f"{time.time():.6f}"}
    delivery = Delivery(own, KEY, body, EMIT)

    def kill(process: BaseProcess) -> None:
        wait_until(lambda: any(name in call for call in delivery.looks), "the look at the container")
        os.kill(process.pid, signal.SIGKILL)

    dead = delivery.run(during=kill)
    again = delivery.run()
    assert dead.finished is None
    assert (dead.calls, again.calls) == ([], [])
    (told,) = again.bodies
    assert told["outcome"] == "didNotHappen"
    own.remove(name)


@pytest.mark.shows(KEY, "killed")
def test_what_a_killed_step_has_made_is_known_by_its_mark(own: LabEngine) -> None:
    """The message comes again and is refused, for the name is taken: by what the dead step made."""
    fields = wanted()
    delivery = Delivery(own, "ContainerCreate", fields, {**EMIT, "markRun": True})
    assert delivery.run(die=(1, AFTER)).finished is None
    (again,) = delivery.run().bodies
    assert again["error"]["name"] == "Conflict"
    told = settle(own, "ContainerCreate", fields, error=again)
    assert (told["outcome"], told["next"]) == ("happened", "goOn"), told
    assert "has the mark of the run" in told["proof"]
    own.remove(fields["name"])


@pytest.mark.shows(KEY, "killed")
def test_two_networks_of_a_killed_step_are_told(own: LabEngine) -> None:
    """Old engines make a second one of the same name when the message comes again, new ones refuse it."""
    fields: Body = {"requestBody": {"Name": new()}}
    delivery = Delivery(own, "NetworkCreate", fields, {**EMIT, "markRun": True})
    assert delivery.run(die=(1, AFTER)).finished is None
    delivery.run()
    found = [
        one for one in own.wire.do("GET", "/networks").json() if one["Name"] == fields["requestBody"]["Name"]
    ]
    error = {"name": "Conflict", "run": found[0]["Labels"][RUN]}
    told = settle(own, "NetworkCreate", fields, error=error)
    assert (told["outcome"], told["next"]) == ("happened", "goOn" if len(found) == 1 else "ask"), told


def test_a_conflict_with_something_else_is_none_of_an_earlier_delivery(own: LabEngine) -> None:
    fields = wanted()
    own.create(name=fields["name"])
    (error,) = run_step("ContainerCreate", fields, config(own, markRun=True, **EMIT)).bodies
    told = settle(own, "ContainerCreate", fields, error=error)
    own.remove(fields["name"])
    assert (told["outcome"], told["next"]) == ("didNotHappen", "ask")


@pytest.mark.parametrize("named", [True, False])
def test_of_two_deliveries_at_once_the_mark_tells(own: LabEngine, way: FaultyProxy, named: bool) -> None:
    """Both answers are lost. With a name there is one container, without one there are two of one mark."""
    fields: Body = wanted() if named else {"requestBody": {"Image": IMAGE, "Cmd": ["true"]}}
    way.answers.cut_after(0, asked=b"/containers/create")
    headers = {"messageId": random_id()}

    def deliver() -> Any:
        (error,) = run_step("ContainerCreate", fields, through(way, markRun=True), headers=headers).bodies
        return error

    with ThreadPoolExecutor() as pool:
        both = [pool.submit(deliver) for _ in range(2)]
        errors = [one.result() for one in both]
    assert {error["error"]["name"] for error in errors} == {"OutcomeUnknown"}
    assert len({error["error"]["run"] for error in errors}) == 1
    for error in errors:
        told = settle(own, "ContainerCreate", fields, error=error)
        assert (told["outcome"], told["next"]) == ("happened", "goOn" if named else "ask"), told
    for one in own.wire.do("GET", "/containers/json", all=True).json():
        own.remove(one["Id"])


# --- streams whose end is lost ---


@pytest.fixture
def registry(own: LabEngine) -> Iterator[Registry]:
    found = Registry(own)
    yield found
    found.close()


def happened(own: LabEngine, kind: str, action: str, since: str) -> Callable[[], bool]:
    def look() -> bool:
        told = own.wire.do("GET", "/events", since=since, until=str(int(time.time()) + 1)).lines()
        return any((one["Type"], one["Action"]) == (kind, action) for one in told)

    return look


def lost_at_its_end(
    way: FaultyProxy, key: str, fields: Body, asked: bytes, is_done: Callable[[], bool], **settings: Any
) -> Any:
    """The error of a step that gets no byte of its answer, and is cut off once the engine has done its work."""
    way.answers.cut_after(0, asked=asked, silent=True)
    with ThreadPoolExecutor() as pool:
        step = pool.submit(run_step, key, fields, through(way, **settings))
        wait_until(is_done, "the engine to do its work")
        way.answers.heal()
        way.reset()
        (error,) = step.result().bodies
    assert error["error"]["name"] == "OutcomeUnknown", error
    return error


@pytest.mark.parametrize("marked", [True, False])
def test_it_succeeds_for_a_build(own: LabEngine, way: FaultyProxy, marked: bool) -> None:
    since, name = f"{time.time():.6f}", f"{new()}:1"
    fields = {"t": [name], "dockerfileText": f"FROM {IMAGE}\nLABEL case={name}\n"}
    wish = {"operation": "ImageBuild", "fields": fields, "since": since}
    before = settle(own, **wish, error={"name": "OutcomeUnknown"})
    assert before["outcome"] == "didNotHappen"
    done = happened(own, "image", "tag", since)
    error = lost_at_its_end(way, "ImageBuild", fields, b"/build", done, markRun=marked)
    told = settle(own, **wish, error=error)
    assert (told["outcome"], told["object"]["name"]) == ("happened", name), told
    assert ("mark of the run" in told["proof"]) is marked


def test_it_succeeds_for_a_push_and_a_pull(own: LabEngine, way: FaultyProxy, registry: Registry) -> None:
    since, name = f"{time.time():.6f}", f"{registry.address}/lab/{new()}"
    own.wire.do("POST", f"/images/{IMAGE}/tag", repo=name, tag="1")
    fields = {"name": name, "tag": "1"}
    assert settle(own, "ImagePush", fields, since=since)["outcome"] == "didNotHappen"
    error = lost_at_its_end(way, "ImagePush", fields, b"/push", happened(own, "image", "push", since))
    assert settle(own, "ImagePush", fields, error=error, since=since)["outcome"] == "happened"
    assert settle(own, "ImagePush", {"name": name}, since=f"{time.time() + 5:.6f}")["next"] == "repeat"
    own.wire.do("DELETE", f"/images/{name}:1")
    fields = {"fromImage": name, "tag": "1"}
    assert settle(own, "ImageCreate", fields, since=since)["outcome"] == "didNotHappen"
    error = lost_at_its_end(
        way, "ImageCreate", fields, b"/images/create", happened(own, "image", "pull", since)
    )
    for when in (since, f"{time.time() + 5:.6f}"):  # by an event, and by the registry's digest
        told = settle(own, "ImageCreate", fields, error=error, since=when)
        assert told["outcome"] == "happened", told


def test_it_succeeds_for_an_image_without_a_tag(own: LabEngine, way: FaultyProxy, registry: Registry) -> None:
    """Which the action fetches as latest."""
    name = registry.push(own, f"{new()}:latest")
    own.wire.do("DELETE", f"/images/{name}")
    fields, since = {"fromImage": name.rpartition(":")[0]}, f"{time.time():.6f}"
    assert settle(own, "ImageCreate", fields, since=since)["outcome"] == "didNotHappen"
    lost_at_its_end(way, "ImageCreate", fields, b"/images/create", happened(own, "image", "pull", since))
    assert settle(own, "ImageCreate", fields, since=since)["outcome"] == "happened"
