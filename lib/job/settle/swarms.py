"""What was to be changed of objects of a swarm: their version, and whether they are as the input wanted them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.engine.swarm_update import merged
from lib.job.settle.sameness import covers
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import (
    ASK,
    GO_ON,
    REPEAT,
    Verdict,
    at,
    happened,
    not_happened,
    thing,
    unknown,
    when,
)
from lib.job.work import Work

PATHS = {
    "ServiceUpdate": ("service", "/services/{id}"),
    "NodeUpdate": ("node", "/nodes/{id}"),
    "SecretUpdate": ("secret", "/secrets/{id}"),
    "ConfigUpdate": ("config", "/configs/{id}"),
    "SwarmUpdate": ("swarm", "/swarm"),
    "VolumeUpdate": ("volume", "/volumes/{name}"),
}
_ROTATIONS = ("rotateWorkerToken", "rotateManagerToken", "rotateManagerUnlockKey")
_NOT_TOLD = {"SecretUpdate": ("Data",)}


def updated(work: Work, tried: Tried) -> Verdict:
    """Return what became of an update of a swarm object."""
    kind, path = PATHS[tried.operation]
    field = "name" if kind == "volume" else "id"
    name = "swarm" if kind == "swarm" else tried.needed(field)
    try:
        reply = work.engine.get(path, {field: name})
    except NoSuchOperation:
        raise
    except NotFound:
        return unknown(f"There is no {kind} {name} any more, or it is on another engine")
    told = reply.read(lambda told: dict(told["ClusterVolume"]) if kind == "volume" else dict(told))
    return _judged(tried, kind, name, told)


def _judged(tried: Tried, kind: str, name: str, told: Mapping[str, Any]) -> Verdict:
    index, at_time, spec, before, state = _read(told)
    seen = thing(kind, str(told.get("ID") or ""), str(spec.get("Name") or name))
    version = tried.text("version")
    if version.isascii() and version.isdecimal() and index <= int(version):
        return not_happened(f"{name} still has the version {index}", seen)
    wanted = _wanted(tried)
    is_so = bool(wanted) and covers(wanted, spec)
    if at_time < tried.since:
        text = "was as the input wanted it before" if is_so else "was last changed"
        return not_happened(f"{name} {text}: {at(at_time)}", seen, then=GO_ON if is_so else REPEAT)
    text = f"{name} was changed at {at(at_time)}"
    if tried.text("rollback") or any(tried.has(one) for one in _ROTATIONS):
        if state.startswith("rollback"):
            return happened(f"{name} was rolled back at {at(at_time)}", seen)
        return unknown(f"{text}, by what is not told", seen)
    return _changed(text, seen, is_so=is_so, was_so=bool(wanted and before) and covers(wanted, before))


def _changed(text: str, seen: Mapping[str, Any], *, is_so: bool, was_so: bool) -> Verdict:
    if is_so:
        return happened(f"{text}, and is as the input wanted it", seen)
    if was_so:
        return happened(f"{text}, and was as the input wanted it before that", seen, then=ASK)
    return unknown(f"{text}, and is not as the input wanted it", seen)


def _wanted(tried: Tried) -> dict[str, Any]:
    """Return what the input changes, without what nobody tells, and what null takes away."""
    hidden = _NOT_TOLD.get(tried.operation, ())
    body = {name: value for name, value in tried.body.items() if name not in hidden}
    inner = body.get("Spec") if tried.operation == "VolumeUpdate" else body
    return merged({}, inner) if isinstance(inner, Mapping) else {}


def _spec(told: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = told.get("Spec") or {}
    if not isinstance(spec, Mapping):
        raise TypeError("Spec is no object")
    return spec


@expected_form()
def _read(told: Mapping[str, Any]) -> tuple[int, int, Mapping[str, Any], Any, str]:
    status = told.get("UpdateStatus")
    return (
        int(told["Version"]["Index"]),
        when(str(told.get("UpdatedAt") or "")),
        _spec(told),
        told.get("PreviousSpec"),
        str(status.get("State") or "") if isinstance(status, Mapping) else "",
    )
