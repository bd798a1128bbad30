"""The create of a network, which others may be making, or removing, at the same moment.

An engine gives the addresses of a network free before it has taken its bridge away, and holds those of one that it
makes before it lists it. In both moments it refuses others with words that mean a network in the way, which no list
shows; so a refusal counts only once it does not pass.
"""

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

_PASSING = 10.0
"""Seconds in which a network that another run makes shows up, or one that it removes is gone."""
_BRIDGE = "com.docker.network.bridge.name"


def created(work: Work, body: Mapping[str, Any]) -> Network:
    """Create a network and return the one that has its name then, which another run may have made.

    Its entry of the plan, the last one, is taken out where another run was faster. Raises Conflict where no addresses
    are left, or another network has them.
    """
    name = str(body["Name"])
    network = only(work, name, _sent(work, name, body))
    if network is None:
        raise EngineFault(f"The network {name} was created, and is not there", hint="Something removes it")
    return network


def _sent(work: Work, name: str, body: Mapping[str, Any]) -> str:
    """Send the create until a network has the name; return the id of the one that it made, "" for none of its own."""
    made, refusals = [""], list[Conflict]()

    def create() -> None:
        made[0] = work.engine.post("/networks/create", body=body).read(lambda told: str(told["Id"]))

    def is_there() -> bool:
        try:
            sent(create, lambda: bool(of_name(work.engine, name)))
        except Conflict as refusal:
            refusals[:] = [refusal]
            if of_name(work.engine, name):
                work.without_effect()
                return True
            if _is_taken(work, name, body):
                raise
            return False
        return True

    seconds = min(_PASSING, max(work.deadline.left, 0.0))
    try:
        until(Deadline(seconds), work.context.cancelled, is_there, bool, lambda _: (f"{name} is refused", {}))
    except TimeIsUp:
        raise refusals[0] from None
    return made[0]


def _is_taken(work: Work, name: str, body: Mapping[str, Any]) -> bool:
    """Whether a network of another name has the bridge, or some of the addresses: that does not pass."""
    with expected_form():
        wanted = _subnets((body.get("IPAM") or {}).get("Config") or ())
    bridge = (body.get("Options") or {}).get(_BRIDGE)
    others = [network for network in all_networks(work.engine) if network.name != name]
    if bridge and any(network.options.get(_BRIDGE) == bridge for network in others):
        return True
    with expected_form():
        return any(
            mine.version == theirs.version and mine.overlaps(theirs)
            for network in others
            for theirs in _subnets(network.pools)
            for mine in wanted
        )


def _subnets(pools: Any) -> list[Any]:
    return [ipaddress.ip_network(pool["Subnet"], strict=False) for pool in pools if pool.get("Subnet")]
