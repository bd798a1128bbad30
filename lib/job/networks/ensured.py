"""The network of an input: made, compared, made anew under its containers, or removed."""

from __future__ import annotations

from typing import Any

from lib.engine.errors import BadInput
from lib.job.comparison import Difference, shown
from lib.job.errors import Differs, WouldDestroy
from lib.job.networks.allocation import allocated
from lib.job.networks.creation import created
from lib.job.networks.memo import Memo, found, kept
from lib.job.networks.network import PATH, PREDEFINED, Network, of_name
from lib.job.networks.recreation import WRITES, carried_out, endpoints_of, fits
from lib.job.networks.several import only, remove
from lib.job.networks.wish import Wish, body_of
from lib.job.repeat import SPEC
from lib.job.users import User, named, users_of_network
from lib.job.work import Work

_PUT_BACK = (
    "The engine refused its new form to another run, which put it back as it was: that run has the reason"
)


def ensured_network(work: Work) -> dict[str, Any]:
    """Return the output of EnsureNetwork once the network is as wanted.

    Raises Differs where it is not and the input does not let it be made anew, WouldDestroy where containers would lose
    it, Ambiguous where several have the name.
    """
    wish = Wish.of(work.fields)
    resumed = _resumed(work, wish.name)
    if resumed and work.settings.dry_run:
        return {"action": "recreated", "differences": [], "usedBy": []}
    if work.fields.get("state") == "absent":
        return _absent(work, wish.name)
    network = only(work, wish.name)
    if network is None:
        return _made(work, wish)
    network = allocated(work, network)
    differences = wish.differences(network)
    if not differences:
        if network.labels.get(SPEC, wish.spec) != wish.spec:
            work.warn(f"{wish.name} was made from another input; what this one leaves out was not compared")
        return _output(work, "recreated" if resumed else "none", network)
    return _made_anew(work, wish, network, differences)


def _resumed(work: Work, name: str) -> bool:
    """Whether an earlier run had begun to make the network anew; that is brought to its end first."""
    memo = found(work, name)
    if memo is None:
        return False
    work.permit(*WRITES)
    carried_out(work, memo)
    return True


def _made(work: Work, wish: Wish) -> dict[str, Any]:
    work.permit(("POST", "/networks/create"))
    if not work.will("create", "network", wish.name, "it is missing"):
        return {"action": "created", "differences": [], "usedBy": []}
    network = allocated(work, created(work, wish.body(None, work.run.labels(wish.spec))))
    if differences := wish.differences(network):
        raise Differs(
            f"The network {wish.name} was made by something else meanwhile, and differs: {shown(differences)}",
            differences=differences,
        )
    return _output(work, "created" if work.plan else "none", network)


def _made_anew(work: Work, wish: Wish, network: Network, differences: list[Difference]) -> dict[str, Any]:
    recreate = str(work.fields.get("recreate") or "never")
    if recreate == "never":
        raise Differs(
            f"The network {wish.name} is there and differs: {shown(differences)}",
            differences=differences,
            hint="A network cannot be changed. Set recreate to whenUnused or force to make it anew",
        )
    _ours(wish.name)
    users = users_of_network(work.engine, network.id, network.name)
    if users and (recreate != "force" or network.is_swarm_wide):
        hint = (
            "Remove them first"
            if network.is_swarm_wide
            else "Set recreate to force: they are connected again"
        )
        raise WouldDestroy(
            f"Recreating the network {wish.name} is not possible: {named(users)} use it",
            usedBy=users,
            differences=differences,
            hint=hint,
        )
    body = wish.body(network, work.run.labels(wish.spec))
    memo = Memo(network.id, body, body_of(network), endpoints_of(work, network, users))
    fits(memo)
    work.permit(*WRITES)
    memo = kept(work, memo, wish.spec)
    new = carried_out(work, memo)
    if new is None:
        return {"action": "recreated", "differences": differences, "usedBy": users}
    new = allocated(work, new)
    if still := wish.differences(new):
        raise Differs(
            f"The network {wish.name} was made anew by something else, and differs: {shown(still)}",
            differences=still,
            hint=_PUT_BACK if memo.is_back(new) else None,
        )
    return _output(work, "recreated", new, differences)


def _absent(work: Work, name: str) -> dict[str, Any]:
    networks = of_name(work.engine, name)
    for network in networks:
        _ours(name)
        users: list[User] = users_of_network(work.engine, network.id, network.name)
        if users:
            raise WouldDestroy(
                f"Removing the network {name} is not possible: {named(users)} use it",
                usedBy=users,
                hint="Remove them, or disconnect them first (NetworkDisconnect)",
            )
    work.permit(*([("DELETE", PATH)] if networks else []))
    for network in networks:
        if work.will("remove", "network", name, "it shall be absent"):
            remove(work, network)
    return {"action": "removed" if networks else "none", "differences": [], "usedBy": []}


def _ours(name: str) -> None:
    if name in PREDEFINED:
        raise BadInput(f"The network {name} belongs to the engine", field="name", hint="Choose another name")


def _output(
    work: Work, action: str, network: Network, differences: list[Difference] | None = None
) -> dict[str, Any]:
    users = users_of_network(work.engine, network.id, network.name)
    return {
        "action": action,
        "differences": differences or [],
        "network": dict(network.told),
        "usedBy": users,
    }
