"""Several networks of one name: below API 1.42 two creates at once make two, so all who raced settle which one stays.

The first that was made stays, of two made at once the one with the smaller id, and before all one that no job made. So
whoever looks decides alike, and one that a job has handed on already is mostly older than what others make later. It is
not where the engine took long to make the other one: so of several the only one that containers use stays before all.
Only what this job made, in whatever run, and nobody uses is removed.
"""

from __future__ import annotations

from contextlib import suppress

from lib.engine.errors import Conflict, Refused
from lib.job.errors import Ambiguous
from lib.job.networks.network import PATH, Network, of_id, of_name
from lib.job.users import users_of_network
from lib.job.work import Work
from lib.job.writes import removed

_TRIES = 3


def only(work: Work, name: str, mine: str = "") -> Network | None:
    """Return the network of a name, None where there is none.

    `mine` is the id of the one that this run has just made: should it be one too many, it was no change. Raises
    Ambiguous where several stay.
    """
    for _ in range(_TRIES):
        found = of_name(work.engine, name)
        if len(found) <= 1:
            return found[0] if found else None
        with suppress(Conflict):  # another run has just connected a container to one that was to go
            return _chosen(work, name, found, mine)
    raise _ambiguous(name, found)


def _chosen(work: Work, name: str, found: list[Network], mine: str) -> Network:
    used = [one for one in found if users_of_network(work.engine, one.id, one.id)]
    first, *others = sorted(
        found,
        key=lambda network: (used != [network], network.made_by_job, network.created, network.id),
    )
    kept = [one for one in others if one in used or not (one.made_by_job or one.id == mine)]
    if kept:
        raise _ambiguous(name, [first, *kept])
    for one in sorted(others, key=lambda network: network.id != mine):
        _removed(work, one, first, of_this_run=one.id == mine)
    return first


def _removed(work: Work, one: Network, first: Network, *, of_this_run: bool) -> None:
    if of_this_run:
        remove(work, one)
        work.without_effect()
        return
    work.permit(("DELETE", PATH))
    if work.will("remove", "network", one.short, f"several are named {one.name}, and {first.short} stays"):
        try:
            remove(work, one)
        except Conflict:
            work.without_effect()
            raise


def remove(work: Work, network: Network) -> None:
    """Remove a network by its id; that it is gone is as good, whatever the engine says of it."""
    fields = {"id": network.id}
    try:
        removed(lambda: work.engine.delete(PATH, fields), lambda: of_id(work.engine, network.id) is None)
    except Refused:
        if of_id(work.engine, network.id) is not None:
            raise


def _ambiguous(name: str, several: list[Network]) -> Ambiguous:
    ids = ", ".join(network.short for network in several)
    return Ambiguous(
        f"{len(several)} networks have the name {name}: {ids}",
        hint="Remove all but one by their ids (NetworkDelete)",
    )
