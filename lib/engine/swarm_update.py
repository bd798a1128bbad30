"""Updates of swarm objects: each names the version it changes, and the engine refuses an outdated one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lib.engine.answer.reply import Reply
from lib.engine.client import Engine, Fields, Header
from lib.engine.errors import BadInput, EngineFault
from lib.engine.expected import expected_form
from lib.engine.request.query import Parameter, body_object, whole

_ATTEMPTS = 5


def update(
    engine: Engine,
    inspect: str,
    path: str,
    fields: Fields,
    *,
    query: Sequence[Parameter] = (),
    headers: Sequence[Header] = (),
) -> Reply:
    """Update a swarm object.

    With a `version` in the input the body replaces the object's spec, as the API has it; an empty one is
    refused, for engines set all of a swarm's settings to zero then. Without one the
    object is read first, the body is merged into its spec (null removes a key), and this is repeated when
    somebody else was faster.
    """
    engine.permit("POST", path, fields, reads=False)
    query = (whole("version"), *query)

    def send(fields: Fields) -> Reply:
        return engine.post(path, fields, query=query, headers=headers, body="requestBody")

    if _versioned(fields):
        if not fields.get("rollback") and not body_object(fields):
            raise BadInput(
                "requestBody is empty, and with a version it replaces all settings; nothing was sent",
                field="requestBody",
                hint="Leave version out to change single settings, or give the whole Spec",
            )
        return send(fields)
    return _merging(lambda: engine.get(inspect, fields).read(_indexed), send, fields)


def update_cluster_volume(engine: Engine, fields: Fields) -> Reply:
    """Update a cluster volume (VolumeUpdate), as `update` does; it is PUT, and its spec is a part of the body.

    Engines look for it by the id of the swarm's object alone, so the name is looked up in any case.
    """
    engine.permit("PUT", "/volumes/{name}", fields, reads=False)

    def read() -> dict[str, Any]:
        volume = engine.get("/volumes/{name}", fields).read(lambda found: found.get("ClusterVolume"))
        if not volume:
            raise BadInput(
                "This volume has no version; only cluster volumes can be updated",
                field="name",
                hint="A cluster volume is made by VolumeCreate with ClusterVolumeSpec, in a swarm",
            )
        with expected_form():
            return {**_indexed({"Spec": {}, **volume}), "Spec": {"Spec": dict(volume.get("Spec", {}))}}

    found = read()

    def send(fields: Fields) -> Reply:
        named = {**fields, "name": found["ID"]}
        return engine.put("/volumes/{name}", named, query=(whole("version"),), body="requestBody")

    return send(fields) if _versioned(fields) else _merging(read, send, fields, found)


def _indexed(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of the swarm that has a spec and a version."""
    return {
        "ID": found.get("ID"),
        "Spec": dict(found["Spec"]),
        "Version": {"Index": int(found["Version"]["Index"])},
    }


def _versioned(fields: Fields) -> bool:
    return fields.get("version") not in (None, "")


def _merging(
    read: Callable[[], dict[str, Any]],
    send: Callable[[Fields], Reply],
    fields: Fields,
    current: dict[str, Any] | None = None,
) -> Reply:
    for attempt in range(1, _ATTEMPTS + 1):
        current = current or read()
        change = merged(current["Spec"], body_object(fields))
        try:
            return send({**fields, "version": current["Version"]["Index"], "requestBody": change})
        except EngineFault as fault:
            if not fault.outdated or attempt == _ATTEMPTS:
                raise
        current = None
    raise AssertionError("unreachable")


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
