"""Updates of swarm objects: each names the version it changes, and the engine refuses an outdated one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.engine.client import Engine, Fields, Header
from lib.engine.errors import BadInput, EngineFault
from lib.engine.query import Parameter, parsed
from lib.engine.reply import Reply

_ATTEMPTS = 5


def update(
    engine: Engine,
    inspect: str,
    path: str,
    fields: Fields,
    *,
    query: Sequence[Parameter] = (),
    headers: Sequence[Header] = (),
    cluster_volume: bool = False,
) -> Reply:
    """Update a swarm object.

    With a `version` in the input the body replaces the object's spec, as the API has it. Without one the
    object is read first, the body is merged into its spec (null removes a key), and this is repeated when
    somebody else was faster. A cluster volume (VolumeUpdate) is PUT, and its spec is a part of the body.
    """
    query = ("version", *query)

    def send(fields: Fields) -> Reply:
        if cluster_volume:
            return engine.put(path, fields, query=query, body="requestBody")
        return engine.post(path, fields, query=query, headers=headers, body="requestBody")

    if fields.get("version") not in (None, ""):
        return send(fields)
    for attempt in range(1, _ATTEMPTS + 1):
        current = engine.get(inspect, fields).json()
        if cluster_volume:
            current = current.get("ClusterVolume") or {}
            current = {**current, "Spec": {"Spec": current.get("Spec", {})}}
        if "Version" not in current:
            raise BadInput("This object has no version; only those of a swarm can be updated")
        change = merged(current["Spec"], _change(fields))
        try:
            return send({**fields, "version": current["Version"]["Index"], "requestBody": change})
        except EngineFault as fault:
            if not fault.outdated or attempt == _ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _change(fields: Fields) -> Mapping[str, Any]:
    change = parsed(fields.get("requestBody") or {}, "requestBody")
    if not isinstance(change, dict):
        raise BadInput("requestBody must be an object", field="requestBody")
    return change


def merged(spec: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec with the change applied: objects are merged, null removes, all else replaces."""
    result = dict(spec)
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = value
    return result
