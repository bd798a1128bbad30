"""EnsureContainer killed at its changing calls and delivered again: in the end one container, as it was wanted."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.crash import Delivery, deaths
from tests.jobs.engines import config, own
from tests.jobs.finding import done
from tests.jobs.half_done import as_planned, called, planned, planned_back
from tests.lab.engine import IMAGE, LabEngine

__all__ = ["own"]
pytestmark = [pytest.mark.engine, pytest.mark.shows("EnsureContainer")]
KEY = "EnsureContainer"
MADE = ["create", "connect", "start"]
CHANGED = ["connect", "update"]
REPLACED = ["create", "update", "stop", "rename", "rename", "start", "DELETE"]
BACK = ["create", "update", "stop", "rename", "rename", "start", "rename", "rename", "update", "start"]
STOPPED, GONE = ["stop"], ["stop", "DELETE"]


@pytest.fixture
def name(own: LabEngine) -> Iterator[str]:
    """A name with two networks of the same beginning; all goes at the end."""
    fresh = f"web-{random_id()[:8]}"
    for number in (1, 2):
        own.wire.do("POST", "/networks/create", {"Name": f"{fresh}-{number}"})
    yield fresh
    for one in of(own, fresh):
        own.remove(one)
    for number in (1, 2):
        own.wire.do("DELETE", f"/networks/{fresh}-{number}")


def of(engine: LabEngine, name: str) -> list[str]:
    listed = engine.wire.do("GET", "/containers/json", all=True).json()
    return sorted(one["Names"][0][1:] for one in listed if one["Names"][0][1:].startswith(name))


def inspect(engine: LabEngine, name: str) -> Any:
    return engine.wire.do("GET", f"/containers/{name}/json").json()


def wish(name: str, **fields: Any) -> dict[str, Any]:
    common = {
        "name": name,
        "image": IMAGE,
        "command": ["sleep", "600"],
        "stableSeconds": 0.1,
        "stopSeconds": 0,
    }
    return {**common, "restart": "always", **fields}


def both(name: str) -> list[dict[str, Any]]:
    return [{"name": f"{name}-1"}, {"name": f"{name}-2", "aliases": ["shop"]}]


def there(engine: LabEngine, name: str, **fields: Any) -> Any:
    done(run_step(KEY, wish(name, **fields), config(engine, errorPolicy="throwError")))
    return inspect(engine, name)


def delivery(engine: LabEngine, name: str, **fields: Any) -> Delivery:
    return Delivery(engine, KEY, wish(name, **fields), {"errorPolicy": "throwError"})


def lived(one: Delivery, die: Any, action: str) -> None:
    """Deliver a message that dies, and again; it has to come to its end as a dry run tells, and tell that once."""
    dead = one.run(die)
    dry = planned(one)
    last = one.run()
    as_planned(dry, last)
    assert not dead.errors, dead.errors
    assert last.finished, last.errors
    assert len(one.told) == 1
    assert [body["action"] for body in last.bodies] == [action]


@pytest.mark.parametrize("die", deaths(len(MADE)))
def test_killed_while_it_makes_it(own: LabEngine, name: str, die: Any) -> None:
    one = delivery(own, name, networks=both(name))
    lived(one, die, "created")
    now = inspect(own, name)

    assert set(now["NetworkSettings"]["Networks"]) == {f"{name}-1", f"{name}-2"}
    assert "shop" in now["NetworkSettings"]["Networks"][f"{name}-2"]["Aliases"]
    assert now["State"]["Running"]
    assert (of(own, name), len(one.events("create")), len(one.events("start"))) == ([name], 1, 1)


@pytest.mark.parametrize("die", deaths(len(CHANGED)))
def test_killed_while_it_changes_it(own: LabEngine, name: str, die: Any) -> None:
    first = there(own, name, networks=both(name)[:1], memoryMb=64)
    dead = delivery(own, name, networks=both(name), memoryMb=32)
    dead.run(die)
    dry = planned(dead)
    last = dead.run()
    as_planned(dry, last)
    now = inspect(own, name)

    assert last.finished, last.errors
    assert len(dead.told) == 1
    assert (now["Id"], now["HostConfig"]["Memory"]) == (first["Id"], 32 << 20)
    assert set(now["NetworkSettings"]["Networks"]) == {f"{name}-1", f"{name}-2"}


@pytest.mark.parametrize("die", deaths(len(REPLACED)))
def test_killed_while_it_makes_it_anew(own: LabEngine, name: str, die: Any) -> None:
    first = there(own, name, env={"A": "1"})
    one = delivery(own, name, env={"A": "2"})
    lived(one, die, "recreated")
    now = inspect(own, name)

    assert now["Id"] != first["Id"]
    assert "A=2" in now["Config"]["Env"]
    assert (now["State"]["Running"], now["HostConfig"]["RestartPolicy"]["Name"]) == (True, "always")
    assert of(own, name) == [name]
    assert len(one.events("create")) == 1


@pytest.mark.parametrize("die", deaths(len(BACK)))
def test_killed_on_the_way_back(own: LabEngine, name: str, die: Any) -> None:
    first = there(own, name)
    one = delivery(own, name, command=["false"], restart="no")
    one.run(die)
    dry = planned_back(one, die, name, BACK)
    last = one.run()
    if dry:
        as_planned(dry, last)
    now = inspect(own, name)

    assert [error["name"] for error in last.errors] == ["RolledBack"]
    assert (now["Id"], now["State"]["Running"]) == (first["Id"], True)
    assert now["HostConfig"]["RestartPolicy"]["Name"] == "always"
    (kept,) = [other for other in of(own, name) if other != name]
    assert kept.startswith(f"{name}.failed-")


@pytest.mark.parametrize(("state", "calls"), [("stopped", STOPPED), ("absent", GONE)])
def test_killed_while_it_ends_it(own: LabEngine, name: str, state: str, calls: list[str]) -> None:
    for die in deaths(len(calls)):
        there(own, name)
        one = delivery(own, name, state=state)
        one.run(die)
        dry = planned(one)
        last = one.run()
        as_planned(dry, last)
        assert last.finished, last.errors
        assert len(one.told) == 1
        if state == "absent":
            assert of(own, name) == []
        else:
            assert inspect(own, name)["State"]["Status"] == "exited"


def test_the_changing_calls(own: LabEngine, name: str) -> None:
    def run(**fields: Any) -> list[str]:
        return called(delivery(own, name, **fields).run().calls)

    assert run(networks=both(name)) == MADE
    assert run(networks=both(name)) == []
    assert run(env={"A": "2"})[:2] == ["create", "connect"]
    assert run(state="absent") == GONE
    there(own, name, networks=both(name)[:1], memoryMb=64)
    assert run(networks=both(name), memoryMb=32) == CHANGED
    assert run(state="absent") == GONE
    there(own, name)
    assert run(env={"A": "2"}) == REPLACED
    assert run(command=["false"], restart="no") == BACK
    assert run(state="stopped") == STOPPED


def test_two_at_once_of_one_message_make_it_once(own: LabEngine, name: str) -> None:
    one = delivery(own, name, networks=both(name))
    with ThreadPoolExecutor(2) as pool:
        lives = list(pool.map(lambda _: one.run(), range(2)))

    assert [life.errors for life in lives] == [[], []]
    assert (len(one.told), len(one.events("create")), of(own, name)) == (1, 1, [name])
    assert set(inspect(own, name)["NetworkSettings"]["Networks"]) == {f"{name}-1", f"{name}-2"}
