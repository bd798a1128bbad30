"""The create of a network, which others may be making at the same moment."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import Conflict, EngineFault
from lib.engine.expected import expected_form
from lib.job.networks.network import Network, all_networks, of_name
from lib.job.networks.several import only
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work
from lib.job.writes import sent

_IN_THE_MAKING = 10.0
"""Seconds in which a network that another run is making shows up."""


def created(work: Work, body: Mapping[str, Any]) -> Network:
    """Create a network and return the one that has its name then, which another run may have made.

    Its entry of the plan, the last one, is taken out where another run was faster. Raises Conflict where no addresses
    are left, or another network has them.
    """
    name, mine = str(body["Name"]), [""]

    def create() -> None:
        mine[0] = work.engine.post("/networks/create", body=body).read(lambda told: str(told["Id"]))

    try:
        sent(create, lambda: bool(of_name(work.engine, name)))
    except Conflict:
        if not _comes(work, name, body):
            raise
        work.without_effect()
    network = only(work, name, mine[0])
    if network is None:
        raise EngineFault(f"The network {name} was created, and is not there", hint="Something removes it")
    return network


def _comes(work: Work, name: str, body: Mapping[str, Any]) -> bool:
    """Whether another run makes it: an engine holds its addresses for a while before it lists it."""
    if _is_taken(work, name, body):
        return False
    seconds = min(_IN_THE_MAKING, max(work.deadline.left, 0.0))
    try:
        until(
            Deadline(seconds),
            work.context.cancelled,
            lambda: of_name(work.engine, name),
            bool,
            lambda _: (f"{name} does not come", {}),
        )
    except TimeIsUp:
        return False
    return True


def _is_taken(work: Work, name: str, body: Mapping[str, Any]) -> bool:
    """Whether a network of another name has some of the addresses: then waiting is of no use."""
    with expected_form():
        wanted = _subnets((body.get("IPAM") or {}).get("Config") or ())
    others = [network for network in all_networks(work.engine) if network.name != name]
    with expected_form():
        return any(
            mine.version == theirs.version and mine.overlaps(theirs)
            for network in others
            for theirs in _subnets(network.pools)
            for mine in wanted
        )


def _subnets(pools: Any) -> list[Any]:
    return [ipaddress.ip_network(pool["Subnet"], strict=False) for pool in pools if pool.get("Subnet")]
