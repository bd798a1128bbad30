"""What was to be changed in a swarm: versions, specs and states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.settle.sameness import covers
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import GO_ON, REPEAT, Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work

PATHS = {
    "ServiceUpdate": ("service", "/services/{id}"),
    "NodeUpdate": ("node", "/nodes/{id}"),
    "SecretUpdate": ("secret", "/secrets/{id}"),
    "ConfigUpdate": ("config", "/configs/{id}"),
    "SwarmUpdate": ("swarm", "/swarm"),
}
_ROTATIONS = ("rotateWorkerToken", "rotateManagerToken", "rotateManagerUnlockKey")


def updated(work: Work, tried: Tried) -> Verdict:
    """Return what became of an update of a swarm object: its version, and whether it is as the input wanted it."""
    kind, path = PATHS[tried.operation]
    name = tried.needed("id") if kind != "swarm" else "swarm"
    try:
        reply = work.engine.get(path, {"id": name})
    except NoSuchOperation:
        raise
    except NotFound:
        return unknown(f"There is no {kind} {name} any more")
    index, at_time, spec, before, state = reply.read(_read)
    seen = thing(kind, str(reply.value.get("ID") or ""), str((spec or {}).get("Name") or name))
    version = tried.text("version")
    if version.isdecimal() and index <= int(version):
        return not_happened(f"{name} still has the version {index}", seen)
    if at_time < tried.since:
        is_so = bool(tried.body) and covers(tried.body, spec)
        text = "was as the input wanted it before" if is_so else "was last changed"
        return not_happened(f"{name} {text}: {at(at_time)}", seen, then=GO_ON if is_so else REPEAT)
    if tried.text("rollback") or any(tried.has(one) for one in _ROTATIONS):
        if state.startswith("rollback"):
            return happened(f"{name} was rolled back at {at(at_time)}", seen)
        return unknown(f"{name} was changed at {at(at_time)}, by what is not known", seen)
    return _changed(tried, f"{name} was changed at {at(at_time)}", seen, spec, before)


def _changed(tried: Tried, text: str, seen: Mapping[str, Any], spec: Any, before: Any) -> Verdict:
    if covers(tried.body, spec):
        return happened(f"{text}, and is as the input wanted it", seen)
    if before and covers(tried.body, before):
        return happened(f"{text}, and was as the input wanted it before that", seen)
    return unknown(f"{text}, and is not as the input wanted it", seen)


def membership(work: Work, tried: Tried) -> Verdict:
    """SwarmInit, SwarmJoin, SwarmLeave: whether the engine is in a swarm."""
    state = work.engine.get("/info").read(
        lambda told: str((told.get("Swarm") or {}).get("LocalNodeState") or "")
    )
    inside = state in ("active", "pending", "locked")
    proof = f"The engine's part in a swarm is {state or 'inactive'}"
    wanted = tried.operation != "SwarmLeave"
    return happened(proof) if inside == wanted else not_happened(proof)


def plugin_state(work: Work, tried: Tried) -> Verdict:
    """PluginEnable and PluginDisable."""
    name = tried.needed("name")
    try:
        reply = work.engine.get("/plugins/{+name}/json", {"name": name})
    except NoSuchOperation:
        raise
    except NotFound:
        return unknown(f"There is no plugin {name}")
    enabled = reply.read(lambda told: bool(told["Enabled"]))
    proof = f"The plugin {name} is {'enabled' if enabled else 'disabled'}"
    wanted = tried.operation == "PluginEnable"
    return happened(proof) if enabled == wanted else not_happened(proof)


def _read(told: Mapping[str, Any]) -> tuple[int, int, Any, Any, str]:
    status = told.get("UpdateStatus")
    return (
        int(told["Version"]["Index"]),
        when(str(told.get("UpdatedAt") or "")),
        told.get("Spec"),
        told.get("PreviousSpec"),
        str(status.get("State") or "") if isinstance(status, Mapping) else "",
    )
