"""Whether the engine is in a swarm, as it was to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, GO_ON, Verdict, at, happened, not_happened, unknown, when
from lib.job.work import Work

OPERATIONS = ("SwarmInit", "SwarmJoin", "SwarmLeave", "SwarmUnlock")
_LOCKED, _ACTIVE, _FAILED = "locked", "active", "error"
_INSIDE = (_ACTIVE, "pending", _LOCKED)


def membership(work: Work, tried: Tried) -> Verdict:
    """Return what became of a call that lets the engine into a swarm, or out of it."""
    swarm = work.engine.get("/info").read(lambda told: dict(told.get("Swarm") or {}))
    state = str(swarm.get("LocalNodeState") or "inactive")
    proof = f"The engine's part in a swarm is {state}"
    if tried.operation == "SwarmUnlock":
        return (
            happened(proof)
            if state == _ACTIVE
            else not_happened(proof, then="repeat" if state == _LOCKED else ASK)
        )
    if state == _FAILED:
        return unknown(proof)
    if (state in _INSIDE) != (tried.operation != "SwarmLeave"):
        return not_happened(proof)
    if tried.operation == "SwarmInit":
        return _made(tried, swarm, proof)
    if tried.operation == "SwarmJoin":
        return _joined(tried, swarm, proof)
    return happened(proof)


def _made(tried: Tried, swarm: Mapping[str, Any], proof: str) -> Verdict:
    cluster = swarm.get("Cluster")
    created = when(cluster.get("CreatedAt")) if isinstance(cluster, Mapping) else 0
    if not created:
        return unknown(f"{proof}, and when that swarm was made is not told")
    text = f"{proof}, and that swarm was made at {at(created)}"
    return happened(text) if created >= tried.since else not_happened(f"{text}, before the call", then=GO_ON)


def _joined(tried: Tried, swarm: Mapping[str, Any], proof: str) -> Verdict:
    """A manager that the input names is one of the swarm; it may have others by now."""
    given, told = tried.body.get("RemoteAddrs"), swarm.get("RemoteManagers")
    managers = [one.get("Addr") for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    if isinstance(given, list) and any(one in managers for one in given):
        return happened(f"{proof}, which has a manager of the input")
    return unknown(f"{proof}; whether it is that of the input is not told")
