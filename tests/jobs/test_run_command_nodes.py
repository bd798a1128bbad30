"""RunCommand and the tasks of a service on two nodes: those on the other one cannot be reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.places import Place
from tests.lab.engine import IMAGE
from tests.lab.swarm import SwarmPair
from tests.lab.waiting import wait_until

pytestmark = pytest.mark.engine
KEY = "RunCommand"


@pytest.fixture
def tasks(swarm_pair: SwarmPair) -> Iterator[list[dict[str, Any]]]:
    """The tasks of a service that runs on both nodes."""
    wire = swarm_pair.first.wire
    swarm_pair.form()
    try:
        spec = {"Image": IMAGE, "Command": ["sleep", "600"]}
        service = {"Name": "both", "TaskTemplate": {"ContainerSpec": spec}, "Mode": {"Global": {}}}
        wire.do("POST", "/services/create", service)

        def running() -> list[dict[str, Any]]:
            found = [one for one in wire.do("GET", "/tasks").json() if one["Status"]["State"] == "running"]
            return found if len(found) == 2 else []

        yield wait_until(running, "both tasks to run")
    finally:
        wire.ask("DELETE", "/services/both")
        swarm_pair.dissolve()


def test_a_task_on_another_node_fails_with_its_name(
    swarm_pair: SwarmPair, tasks: list[dict[str, Any]], tmp_path: Path
) -> None:
    place = Place(swarm_pair.first, tmp_path)
    here = swarm_pair.first.wire.do("GET", "/info").json()["Swarm"]["NodeID"]
    (there,) = [one for one in tasks if one["NodeID"] != here]
    wish = {"targets": {"service": "both"}, "command": "echo here"}
    body = place.do(KEY, wish, badExit="emit")
    one, two = body["results"]
    assert (one["stdout"], one["container"]["node"], body["failed"]) == ("here\n", here, 1)
    assert two["container"]["node"] == there["NodeID"]
    assert two["error"]["name"] == "NotStarted"
    assert "runs on the node " in two["error"]["message"]
    assert "failed in 1 of 2 containers" in place.fails(KEY, wish, "BadExit")
    identity = there["Status"]["ContainerStatus"]["ContainerID"]
    for target in (identity, identity[:12], f"both.{there['NodeID']}.{there['ID']}"):
        assert "runs on the node " in place.fails(KEY, {"target": target, "command": "true"}, "NotStarted")
    place.fails(KEY, {"target": "both.1.nothing", "command": "true"}, "NotFound")
