"""Updates of swarm objects: each names the version index that it changes, and the engine refuses an outdated one.

With `version` in the input, the update is sent as it is. Without it, the object is read and the change is merged into
its spec. If another client changes the object in between, both are repeated, up to 5 tries in all.
"""

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
    """Update a swarm object: `inspect` is the path that reads it, `path` the one that updates it.

    With `version` in the input, the body replaces the object's spec, as in the API. Unless it is a rollback, an empty
    body is refused, because engines would set all of a swarm's settings to zero. Without `version`, the body is merged
    into the spec that the engine has (null removes a key). Raises BadInput, ReadOnly, and EngineFault if the index is
    outdated.
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
    """Update a cluster volume (VolumeUpdate) like `update`; the call is PUT, and the spec is one key of the body.

    Engines find the volume only by its id in the swarm, so it is always read first, by its name.
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
    """Return id, spec and version index of a swarm object."""
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
    """Return `spec` with `change` applied: objects are merged, null removes a key, any other value replaces."""
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
