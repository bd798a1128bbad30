"""EnsureContainer as tests send it, and the containers of one name that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.engines import config
from tests.jobs.finding import done, failed
from tests.lab.at_once import at_once
from tests.lab.engine import IMAGE, LabEngine

KEY = "EnsureContainer"
SLEEP = ["sleep", "600"]
SOON = {"stableSeconds": 0.2, "stopSeconds": 0}
SICK = {"command": ["false"], "intervalSeconds": 0.1, "retries": 1}
WELL = {"command": ["true"], "intervalSeconds": 0.1}


@pytest.fixture
def name(own: LabEngine) -> Iterator[str]:
    """A name that is free; all containers, networks and volumes that begin with it go at the end."""
    fresh = f"web-{random_id()[:8]}"
    yield fresh
    for one in of(own, fresh):
        own.remove(one)
    for one in own.wire.do("GET", "/networks").json():
        if one["Name"].startswith(fresh):
            own.wire.do("DELETE", f"/networks/{one['Id']}")
    for one in own.wire.do("GET", "/volumes").json()["Volumes"] or ():
        own.wire.do("DELETE", f"/volumes/{one['Name']}")


def of(engine: LabEngine, name: str) -> list[str]:
    """Names of all containers that begin with a name."""
    listed = engine.wire.do("GET", "/containers/json", all=True).json()
    return sorted(one["Names"][0][1:] for one in listed if one["Names"][0][1:].startswith(name))


def running(engine: LabEngine, name: str) -> list[str]:
    """Ids of the running containers that begin with a name."""
    listed = engine.wire.do("GET", "/containers/json").json()
    return [one["Id"] for one in listed if one["Names"][0][1:].startswith(name) and one["State"] == "running"]


def inspect(engine: LabEngine, name: str) -> Any:
    return engine.wire.do("GET", f"/containers/{name}/json").json()


def network(engine: LabEngine, name: str, subnet: str = "") -> str:
    pool = {"IPAM": {"Config": [{"Subnet": subnet}]}} if subnet else {}
    engine.wire.do("POST", "/networks/create", {"Name": name, **pool})
    return name


def wish(name: str, /, **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": IMAGE, "command": SLEEP, **SOON, **fields}


def ensure(engine: LabEngine, name: str, step: dict[str, Any] | None = None, /, **fields: Any) -> Any:
    settings = config(engine, errorPolicy="throwError", **(step or {}))
    return done(run_step(KEY, wish(name, **fields), settings))


def refused(
    engine: LabEngine, name: str, step: dict[str, Any] | None = None, /, **fields: Any
) -> tuple[str, str]:
    settings = config(engine, errorPolicy="throwError", **(step or {}))
    return failed(run_step(KEY, wish(name, **fields), settings))


def messages_at_once(
    engine: LabEngine, bodies: list[Any], errors: frozenset[str] | set[str] = frozenset()
) -> list[Any]:
    """Run several messages at once; return what they told, and check the names of their errors."""
    step = config(engine, errorPolicy="throwError")
    outcomes = at_once(*[partial(run_step, KEY, body, step) for body in bodies])
    found = [error for outcome in outcomes for error in outcome.errors]
    assert {error["name"] for error in found} <= set(errors), found
    return [body for outcome in outcomes for body in outcome.bodies]
