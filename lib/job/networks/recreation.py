"""A network made anew under its containers: remember, disconnect, remove, create, connect, forget.

Each step looks whether it is done, so a run that ends in the middle is gone on with by the next one. The old network
is named by its id: nothing of the new one is ever undone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import EngineError, NoSuchOperation, NotFound, Refused
from lib.engine.expected import expected_form
from lib.job.errors import Differs, WouldDestroy
from lib.job.networks.creation import created
from lib.job.networks.memo import Endpoint, Memo, forgotten
from lib.job.networks.network import PATH, Network, of_id, of_name
from lib.job.networks.several import remove
from lib.job.users import is_in
from lib.job.work import Work
from lib.job.writes import sent

_CONNECT, _DISCONNECT = "/networks/{id}/connect", "/networks/{id}/disconnect"
WRITES = (
    ("POST", "/volumes/create"),
    ("POST", _DISCONNECT),
    ("DELETE", PATH),
    ("POST", "/networks/create"),
    ("POST", _CONNECT),
    ("DELETE", "/volumes/{name}"),
)
_KEPT = ("IPAMConfig", "Links", "DriverOpts", "GwPriority")


def endpoints_of(work: Work, network: Network, users: list[dict[str, str]]) -> tuple[Endpoint, ...]:
    """Return who is connected to a network, and how; containers that go meanwhile are left out."""
    found = []
    for user in users:
        inspected = _inspected(work, user["id"])
        if inspected is not None and is_in(inspected, network.id, network.name):
            found.append(_endpoint(work, network, user, inspected))
    return tuple(found)


@expected_form()
def fits(memo: Memo) -> None:
    """Raise WouldDestroy where a container has a fixed address that the new subnets do not hold."""
    subnets = [
        ipaddress.ip_network(pool["Subnet"], strict=False)
        for pool in (memo.body.get("IPAM") or {}).get("Config") or ()
        if pool.get("Subnet")
    ]
    for one in memo.endpoints:
        for key in ("IPv4Address", "IPv6Address"):
            address = str((one.config.get("IPAMConfig") or {}).get(key) or "")
            if address and not any(ipaddress.ip_address(address) in subnet for subnet in subnets):
                raise WouldDestroy(
                    f"{one.name} has the fixed address {address}, which the new {memo.name} would not hold",
                    hint="Disconnect it first, or give pools that hold the address",
                )


def carried_out(work: Work, memo: Memo) -> Network | None:
    """Do what a memo holds and is not done yet; return the new network, None in a dry run.

    Where the engine refuses to remove the old network or to make the new one, all becomes as it was, and the refusal is
    raised; but where another run has made a new one meanwhile, that one counts. Where the engine refuses a connect, the
    memo stays. Raises Differs where the new network is made anew again before all are connected to it.
    """
    try:
        new = _exchanged(work, memo)
    except Refused as refusal:
        new = _there(work, memo)
        if new is None or new.id == memo.old or memo.is_back(new):
            add_hint(refusal, _back(work, memo, new))
            raise
    if problem := _all_connected(work, memo, new):
        if new is not None and of_id(work.engine, new.id) is None:
            raise Differs(
                f"The network {memo.name} was made anew by something else before all were connected to it",
                hint="Another step wants it otherwise: only one may",
            ) from problem
        add_hint(problem, f"The next run tries again. To give it up, remove the volume {memo.volume}")
        raise problem
    forgotten(work, memo)
    return new


def add_hint(error: EngineError, hint: str) -> None:
    """Say in an error what became of the network."""
    error.hint = f"{error.hint}. {hint}" if error.hint else hint


def _exchanged(work: Work, memo: Memo) -> Network | None:
    old = of_id(work.engine, memo.old)
    if old is not None:
        for one in memo.endpoints:
            _disconnect(work, memo, old, one)
        if work.will("remove", "network", memo.name, "it is made anew"):
            remove(work, old)
    new = next((one for one in of_name(work.engine, memo.name) if one.id != memo.old), None)
    if new is None and work.will("create", "network", memo.name, "it is made anew"):
        new = created(work, memo.body)
    return new


def _there(work: Work, memo: Memo) -> Network | None:
    """Return the network that is there once the new form was refused: where there is none, one like the old is made.

    Another run of the same memo may have been faster with either.
    """
    there = next(iter(of_name(work.engine, memo.name)), None)
    if there is None and work.will("create", "network", memo.name, "its new form was refused"):
        there = created(work, memo.back)
    return there


def _back(work: Work, memo: Memo, there: Network | None) -> str:
    """Connect all as it was; return how that went. Should the run die here, the memo brings the next one here again."""
    if problem := _all_connected(work, memo, there):
        return f"Not all containers could be connected again: {problem.message}"
    forgotten(work, memo)
    return "The network is as it was before"


def _all_connected(work: Work, memo: Memo, network: Network | None) -> EngineError | None:
    """Connect those that are not; return one of the refusals, if there are any.

    Those with a fixed address come first, before the engine gives it to another one.
    """
    fixed_first = sorted(memo.endpoints, key=lambda one: "IPAMConfig" not in one.config)
    found = [_connect(work, memo, network, one) for one in fixed_first]
    return next((fault for fault in found if fault is not None), None)


def _disconnect(work: Work, memo: Memo, old: Network, one: Endpoint) -> None:
    if not _has(work, one, old):
        return
    if not work.will("disconnect", "container", one.name, f"{memo.name} is made anew"):
        return
    body = {"Container": one.id, "Force": False}
    try:
        sent(
            lambda: work.engine.post(_DISCONNECT, {"id": old.id}, body=body),
            lambda: not _has(work, one, old),
        )
    except NoSuchOperation:
        raise
    except Refused as refusal:
        if not isinstance(refusal, NotFound) and _has(work, one, old):
            raise
        work.without_effect()  # another run does the same, and was faster


def _connect(work: Work, memo: Memo, new: Network | None, one: Endpoint) -> EngineError | None:
    """Connect a container as it was; return what the engine has against it."""
    inspected = _inspected(work, one.id)
    if inspected is None:
        work.warn(f"{one.name} is gone, and was not connected again")
        return None
    if new is not None and is_in(inspected, new.id, new.id):
        return None
    if not work.will("connect", "container", one.name, f"it was in {memo.name}") or new is None:
        return None
    body = {"Container": one.id, "EndpointConfig": one.config}
    try:
        sent(lambda: work.engine.post(_CONNECT, {"id": new.id}, body=body), lambda: _has(work, one, new))
    except EngineError as fault:
        if not _has(work, one, new):
            return fault
        work.without_effect()
    return None


def _has(work: Work, one: Endpoint, network: Network) -> bool:
    inspected = _inspected(work, one.id)
    return inspected is not None and is_in(inspected, network.id, network.name)


@expected_form()
def _endpoint(
    work: Work, network: Network, user: Mapping[str, str], inspected: Mapping[str, Any]
) -> Endpoint:
    ends = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    told = next(
        (
            end or {}
            for key, end in ends.items()
            if key == network.name or (end or {}).get("NetworkID") == network.id
        ),
        {},
    )
    config = {name: told[name] for name in _KEPT if told.get(name)}
    # The short id is no alias that anybody gave: engines before 23 add it by themselves.
    if aliases := [alias for alias in told.get("Aliases") or () if alias != user["id"][:12]]:
        config["Aliases"] = aliases
    if (inspected.get("Config") or {}).get("MacAddress"):
        work.warn(f"{user['name']} loses the MAC address that was asked for: a connect cannot give one")
    return Endpoint(user["id"], user["name"], config)


def _inspected(work: Work, container: str) -> Mapping[str, Any] | None:
    try:
        return work.engine.get("/containers/{id}/json", {"id": container}).read(lambda told: {**told})
    except NoSuchOperation:
        raise
    except NotFound:
        return None
