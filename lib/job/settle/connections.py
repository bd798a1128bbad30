"""Whether a container is in a network, as it was to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput, NoSuchOperation, NotFound
from lib.job.run.container import Seen
from lib.job.settle.sameness import covers
from lib.job.settle.subject import the
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import Verdict, happened, not_happened, unknown
from lib.job.work import Work

_OF_USERS = ("Aliases", "Links", "DriverOpts", "IPAMConfig")
"""What an endpoint keeps of the input as it was given; the rest is the engine's."""


def connected(work: Work, tried: Tried) -> Verdict:
    """NetworkConnect and NetworkDisconnect."""
    network, target = tried.needed("id"), tried.in_body("Container")
    if not target:
        raise BadInput(f"fields.requestBody.Container is needed to settle {tried.operation}", field="fields")
    names = _names(work, network)
    if names is None:
        return unknown(f"There is no network {network} any more, or it is on another engine")
    try:
        reply = work.engine.get("/containers/{id}/json", {"id": target})
    except NoSuchOperation:
        raise
    except NotFound:
        return unknown(f"There is no container {target} any more, or it is on another engine")
    seen = reply.read(Seen.of)
    endpoint = reply.read(lambda told: _endpoint(told, names))
    wanted = tried.operation == "NetworkConnect"
    proof = f"{seen.name} is {'not ' if endpoint is None else ''}in the network {network}"
    if (endpoint is not None) != wanted:
        return not_happened(proof, the(seen))
    if endpoint is not None and not _as_wanted(tried, endpoint):
        return unknown(f"{proof}, with other settings than those of the input", the(seen))
    return happened(proof, the(seen))


def _names(work: Work, network: str) -> tuple[str, ...] | None:
    """Return id and name of a network: a container that does not run has its networks under either."""
    try:
        reply = work.engine.get("/networks/{id}", {"id": network})
    except NoSuchOperation:
        raise
    except NotFound:
        return None
    return reply.read(lambda told: (str(told["Id"]), str(told["Name"])))


def _endpoint(told: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any] | None:
    networks = (told.get("NetworkSettings") or {}).get("Networks") or {}
    for name, endpoint in networks.items():
        if name in names or (endpoint or {}).get("NetworkID") in names:
            return dict(endpoint or {})
    return None


def _as_wanted(tried: Tried, endpoint: Mapping[str, Any]) -> bool:
    given = tried.body.get("EndpointConfig")
    given = given if isinstance(given, Mapping) else {}
    wanted = {name: given[name] for name in _OF_USERS if given.get(name)}
    aliases, told = wanted.pop("Aliases", None), endpoint.get("Aliases")
    known = told if isinstance(told, list) else []
    return covers(wanted, endpoint) and (
        not isinstance(aliases, list) or all(one in known for one in aliases)
    )
