"""Several networks of one name: below API 1.42 two creates at once make two, so all who raced settle which one stays.

The first that was made stays, of two made at once the one with the smaller id, and before all one that no job made. So
whoever looks decides alike, and one that a job has handed on already is older than what others make later. Only what
this job made, in whatever run, and nobody uses is removed.
"""

from __future__ import annotations

from lib.job.errors import Ambiguous
from lib.job.networks.network import PATH, Network, of_id, of_name
from lib.job.users import users_of_network
from lib.job.work import Work
from lib.job.writes import removed


def only(work: Work, name: str, mine: str = "") -> Network | None:
    """Return the network of a name, None where there is none.

    `mine` is the id of the one that this run has just made: should it be one too many, it was no change. Raises
    Ambiguous where several stay.
    """
    found = of_name(work.engine, name)
    if len(found) <= 1:
        return found[0] if found else None
    first, *others = sorted(found, key=lambda network: (network.made_by_job, network.created, network.id))
    kept = [one for one in others if not one.made_by_job or users_of_network(work.engine, one.id, one.id)]
    if kept:
        ids = ", ".join(network.short for network in (first, *kept))
        raise Ambiguous(
            f"{1 + len(kept)} networks have the name {name}: {ids}",
            hint="Remove all but one by their ids (NetworkDelete)",
        )
    for one in sorted(others, key=lambda network: network.id != mine):
        if one.id == mine:
            work.without_effect()
            remove(work, one)
            continue
        work.permit(("DELETE", PATH))
        if work.will("remove", "network", one.short, f"several are named {name}, and {first.short} stays"):
            remove(work, one)
    return first


def remove(work: Work, network: Network) -> None:
    """Remove a network by its id; that it is gone is as good."""
    fields = {"id": network.id}
    removed(lambda: work.engine.delete(PATH, fields), lambda: of_id(work.engine, network.id) is None)
