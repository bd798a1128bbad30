"""What an engine changes of a container that is there: its limits, its restart policy and its networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from lib.engine.errors import EngineError, Refused
from lib.engine.expected import expected_form
from lib.job.comparison import Difference, shown
from lib.job.container import forms
from lib.job.container.endpoints import DISCONNECT, RECONNECT, connected_as
from lib.job.container.table import HOST
from lib.job.container.wish import Wish
from lib.job.replacement.body import endpoints
from lib.job.replacement.names import Part, there
from lib.job.work import Work
from lib.job.writes import sent

WRITES = (
    ("POST", "/containers/{id}/update"),
    ("POST", "/networks/{id}/disconnect"),
    ("POST", "/networks/{id}/connect"),
)
Tree = dict[str, Any]


def updated(work: Work, wish: Wish, part: Part, found: list[Difference]) -> None:
    """Set what an update can set."""
    if not work.will("update", "container", wish.name, shown(found)):
        return
    with expected_form():
        body = body_of(wish.body.get("HostConfig") or {}, part.told["HostConfig"], found)
    reply = work.engine.post(WRITES[0][1], {"id": part.id}, body=body)
    for warning in reply.read(lambda told: list((told or {}).get("Warnings") or [])):
        work.warn(str(warning))


def body_of(given: Mapping[str, Any], told: Mapping[str, Any], found: Iterable[Difference]) -> Tree:
    """Return the body of ContainerUpdate for differences."""
    body: Tree = {}
    for one in found:
        name = str(one["path"]).removeprefix(f"{HOST}.")
        body[name] = given.get(name)
    if "RestartPolicy" in body:
        body["RestartPolicy"] = forms.policy(body["RestartPolicy"])
    if "PidsLimit" in body and not body["PidsLimit"]:
        body["PidsLimit"] = -1
    if "CpuQuota" in body and given.get("CpuPeriod"):
        body["CpuPeriod"] = given["CpuPeriod"]
    if "Memory" in body and "MemorySwap" not in body and int(told.get("MemorySwap") or 0) > 0:
        # It was twice the memory, and an engine refuses a memory above it.
        body["MemorySwap"] = given.get("MemorySwap") or 2 * int(body["Memory"])
    return body


def rewired(work: Work, wish: Wish, part: Part, found: list[Difference]) -> None:
    """Connect and disconnect a container until it is in the networks that are wanted, as they are wanted."""
    wanted: dict[str, set[str]] = {}
    for one in found:
        name = str(one["path"]).removeprefix("Networks.")
        known = [network for network in wish.networks if name == network or name.startswith(f"{network}.")]
        wanted.setdefault(max(known, key=len, default=name), set()).add(one["effect"])
    for network, effects in wanted.items():
        if RECONNECT in effects:
            _reconnect(work, wish, part, network)
        elif DISCONNECT in effects:
            _disconnect(work, wish.name, part, network)
        else:
            _connect(work, wish.name, part, network, wish.networks[network])


def _reconnect(work: Work, wish: Wish, part: Part, network: str) -> None:
    """Connect it with other settings; where they are refused it gets the old ones back."""
    with expected_form():
        old = endpoints(part.told).get(network, {})
    _disconnect(work, wish.name, part, network)
    try:
        _connect(work, wish.name, part, network, wish.networks[network])
    except EngineError:
        with suppress(EngineError):
            _until(work, part, network, WRITES[2][1], _connection(part, old), inside=True)
        raise


def _connect(work: Work, name: str, part: Part, network: str, settings: Tree) -> None:
    if work.will("connect", "container", name, f"to the network {network}"):
        _until(work, part, network, WRITES[2][1], _connection(part, settings), inside=True)


def _connection(part: Part, settings: Tree) -> Tree:
    return {"Container": part.id, "EndpointConfig": settings}


def _disconnect(work: Work, name: str, part: Part, network: str) -> None:
    if work.will("disconnect", "container", name, f"from the network {network}"):
        body = {"Container": part.id, "Force": False}
        _until(work, part, network, WRITES[1][1], body, inside=False)


def _until(work: Work, part: Part, network: str, path: str, body: Tree, *, inside: bool) -> None:
    def reached() -> bool:
        told = there(work, part.id).told
        with expected_form():
            return (connected_as(network, told) is not None) == inside

    def write() -> None:
        try:
            work.engine.post(path, {"id": network}, body=body)
        except Refused:
            if not reached():
                raise

    sent(write, reached)
