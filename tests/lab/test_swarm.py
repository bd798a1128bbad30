from __future__ import annotations

from tests.lab.swarm import SwarmPair
from tests.lab.waiting import wait_until


def test_two_engines_form_a_swarm_and_dissolve_it(swarm_pair: SwarmPair) -> None:
    swarm_pair.form()
    ready = "two nodes to be ready"
    wait_until(lambda: [n["Status"]["State"] for n in _nodes(swarm_pair)] == ["ready", "ready"], ready)
    swarm_pair.dissolve()
    assert swarm_pair.first.wire.do("GET", "/info").json()["Swarm"]["LocalNodeState"] == "inactive"


def _nodes(pair: SwarmPair) -> list[dict[str, dict[str, str]]]:
    nodes: list[dict[str, dict[str, str]]] = pair.first.wire.do("GET", "/nodes").json()
    return nodes
