"""A network of a swarm, which is told without driver, options and addresses until its manager has allocated it."""

from __future__ import annotations

from lib.job.errors import NotReached
from lib.job.networks.network import Network, of_id
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work

_SECONDS = 30.0
"""How long the manager of a swarm may take; on an engine with nothing else to do it takes milliseconds."""


def allocated(work: Work, network: Network) -> Network:
    """Return a network as it is told once its swarm has given it driver, options and addresses.

    Raises NotReached where that does not come: compared, or made anew, it would be taken for another one.
    """
    if _is_allocated(network):
        return network
    try:
        return until(
            Deadline(min(_SECONDS, work.deadline.left)),
            work.context.cancelled,
            lambda: of_id(work.engine, network.id) or network,
            _is_allocated,
            lambda _: (f"{network.name} has no driver", {}),
        )
    except TimeIsUp:
        raise NotReached(
            f"The swarm has given the network {network.name} no addresses yet",
            hint="Another network may have them; the log of the manager says why",
        ) from None


def _is_allocated(network: Network) -> bool:
    return not network.is_swarm_wide or bool(network.told.get("Driver"))
