"""RolloutService on a swarm of two nodes, one of which dies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from lib.sailor.message.ids import random_id
from tests.actions.stepping import forget_engines, run_step
from tests.jobs.engines import config
from tests.jobs.swarms import made, running
from tests.jobs.test_rollout_service import KEY, NEW, brief
from tests.lab.at_once import beside
from tests.lab.engine import LabEngine
from tests.lab.skipping import missing
from tests.lab.socket_proxy import SocketProxy
from tests.lab.swarm import SwarmPair
from tests.lab.waiting import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.shows(KEY)]


@pytest.fixture
def pair() -> Iterator[SwarmPair]:
    try:
        both = SwarmPair.begin()
    except (PrivateEngineError, LocalImageError) as problem:
        missing(str(problem))
    yield both
    forget_engines()
    both.close()


def nodes(engine: LabEngine) -> list[str]:
    told: list[Any] = engine.wire.do("GET", "/nodes").json()
    return sorted(one["Status"]["State"] for one in told)


def test_a_swarm_that_loses_its_leader_for_a_while_is_waited_for(pair: SwarmPair) -> None:
    pair.form("Manager")
    engine, name = pair.first, f"web-{random_id()[:8]}"
    made(engine, name, Mode={"Replicated": None, "Global": {}}, steady=False)
    wait_until(lambda: len(running(engine, name)) == 2, "one task on each node")
    with SocketProxy(engine.socket, ".*") as proxy:
        body, address = {"service": name, "spec": NEW}, {"server": "2", "otherServer": proxy.url}
        waiting = beside(run_step, KEY, body, address)
        wait_until(lambda: any(call.startswith("POST") for call in proxy.calls), "the update")
        wait_until(lambda: "GET /nodes" in proxy.calls, "the update to be taken")
        pair.second.kill()
        wait_until(lambda: engine.wire.ask("GET", "/services").status != 200, "no leader")
        asked = len(proxy.calls)
        wait_until(lambda: len(proxy.calls) > asked + 1, "the job to have met that")
        pair.second.start()
        wait_until(lambda: engine.wire.ask("GET", "/services").status == 200, "a leader")
        outcome = waiting.result()
        forget_engines()
    assert outcome.errors == []
    assert brief(outcome.bodies[0]) == ("converged", True, 2, 2)


def test_tasks_of_a_node_that_is_down_do_not_count(pair: SwarmPair) -> None:
    pair.form("Worker")
    engine, name = pair.first, f"web-{random_id()[:8]}"
    made(engine, name, Mode={"Replicated": {"Replicas": 2}}, steady=False)
    wait_until(lambda: len(running(engine, name)) == 2, "both tasks")
    pair.second.kill()
    wait_until(lambda: nodes(engine) == ["down", "ready"], "the node to be down")
    outcome = run_step(KEY, {"service": name, "spec": NEW}, config(engine))
    assert outcome.errors == []
    assert brief(outcome.bodies[0]) == ("converged", True, 2, 2)
