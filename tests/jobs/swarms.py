"""Swarms of one node that jobs of services are shown on, and services that fail fast."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lib.engine.swarm_update import merged
from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines
from tests.jobs.engines import BOTH, begin
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

SECOND = 10**9
IMAGE = "busybox:local"


@pytest.fixture(scope="module", params=BOTH)
def swarm(request: Any) -> Iterator[LabEngine]:
    """A manager with nothing but the image of the lab; a test may leave things, others of its file will see them."""
    engine = begin(request.param)
    engine.wire.do("POST", "/swarm/init", {"AdvertiseAddr": "127.0.0.1", "ListenAddr": "127.0.0.1:2377"})
    yield engine
    forget_engines()
    engine.close()


@pytest.fixture
def service(swarm: LabEngine) -> Iterator[str]:
    """A name that no other test has; the service of it goes at the end."""
    name = f"web-{random_id()[:8]}"
    yield name
    swarm.wire.ask("DELETE", f"/services/{name}")


def spec_of(name: str, **more: Any) -> dict[str, Any]:
    """A spec whose tasks start and end fast, with parts merged over it."""
    spec = {
        "Name": name,
        "TaskTemplate": {
            "ContainerSpec": {"Image": IMAGE, "Command": ["sleep", "600"], "StopSignal": "SIGKILL"},
            "RestartPolicy": {"Condition": "any", "Delay": SECOND // 10},
        },
        "Mode": {"Replicated": {"Replicas": 1}},
        "UpdateConfig": {"Parallelism": 1, "Monitor": SECOND, "FailureAction": "pause"},
        "RollbackConfig": {"Parallelism": 0, "Monitor": SECOND},
    }
    return merged(spec, more)


def made(engine: LabEngine, name: str, *, steady: bool = True, **more: Any) -> str:
    """Make a service; its id, once it runs as it is wanted to."""
    identity: str = engine.wire.do("POST", "/services/create", spec_of(name, **more)).json()["ID"]
    if steady:
        wait_until(lambda: running(engine, name), f"{name} to run")
    return identity


def inspected(engine: LabEngine, name: str) -> dict[str, Any]:
    told: dict[str, Any] = engine.wire.do("GET", f"/services/{name}").json()
    return told


def tasks(engine: LabEngine, name: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = engine.wire.do("GET", "/tasks", filters={"service": [name]}).json()
    return found


def running(engine: LabEngine, name: str) -> list[str]:
    """Ids of the tasks that run, and shall."""
    wanted = ("running", "running")
    return sorted(
        str(one["ID"])
        for one in tasks(engine, name)
        if (one["Status"]["State"], one["DesiredState"]) == wanted
    )


def update_state(engine: LabEngine, name: str) -> str:
    """Where its last update is; "" before the swarm has begun it."""
    return str(inspected(engine, name).get("UpdateStatus", {}).get("State", ""))


def updates(engine: LabEngine, name: str, since: float) -> int:
    """How often a service was updated; a swarm tells of each step of an update, too."""
    filters = {"type": ["service"], "event": ["update"], "service": [name]}
    times = {"since": f"{since:.6f}", "until": f"{time.time():.6f}"}
    events = engine.wire.do("GET", "/events", **times, filters=filters).lines()
    return sum("updatestate.new" not in event["Actor"]["Attributes"] for event in events)
