"""What the input of RolloutService makes of a service's spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine import Fields
from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.request.times import SECOND
from lib.engine.swarm_update import merged
from lib.engine.text import parsed
from lib.job.repeat import spec_of
from lib.job.service.differences import Change
from lib.job.service.image import chosen
from lib.job.service.service import Tree

_SETTINGS = {"monitorSeconds": "Monitor", "parallelism": "Parallelism", "updateOrder": "Order"}
_ORDERS = {"stopFirst": "stop-first", "startFirst": "start-first"}


def change_of(fields: Fields, image: str) -> Change:
    """Return the function from a spec to the wanted one; `image` is the reference to put in, "" for none.

    Raises BadInput for fields that are no objects.
    """
    env, raw = object_of(fields, "env"), object_of(fields, "spec")
    settings = _settings(fields)

    def change(spec: Tree) -> Tree:
        wanted = merged(spec, raw)
        if image:
            present = str((_below(spec, "TaskTemplate", "ContainerSpec")).get("Image") or "")
            wanted = merged(wanted, _in_container("Image", chosen(present, image)))
        if env:
            there = _below(wanted, "TaskTemplate", "ContainerSpec").get("Env") or []
            wanted = merged(wanted, _in_container("Env", with_env(there, env)))
        if fields.get("replicas") is not None:
            wanted = merged(wanted, {"Mode": _replicas(wanted, int(fields["replicas"]))})
        return merged(wanted, {"UpdateConfig": settings}) if settings else wanted

    return change


def going_back(change: Change, on_failure: str) -> Change:
    """Return a change that lets a swarm do `on_failure` where it did something else; nobody has asked for it."""

    def with_it(spec: Tree) -> Tree:
        return merged(change(spec), {"UpdateConfig": {"FailureAction": on_failure}})

    return with_it


def mark_of(fields: Fields) -> str:
    """Return the mark of an input: of one run it is always the same."""
    return spec_of({name: value for name, value in fields.items() if name != "idempotencyKey"})


def object_of(fields: Fields, name: str) -> dict[str, Any]:
    """Return a field that is an object, {} where it is left out."""
    value = fields.get(name)
    value = parsed(value, name) if value not in (None, "") else {}
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be an object", field=name)
    return value


def with_env(there: list[Any], env: Mapping[str, Any]) -> list[str]:
    """Return variables with others over them; None takes one away. Raises TypeError where there is no list."""
    if not isinstance(there, list):
        raise TypeError("Env is no list")
    left = {name: str(entry) for entry in there if (name := str(entry).partition("=")[0]) not in env}
    mine = [f"{name}={scalar(value, 'env')}" for name, value in env.items() if value is not None]
    kept = {entry.partition("=")[0]: entry for entry in mine}
    order = dict.fromkeys(str(entry).partition("=")[0] for entry in there)
    names = [*(name for name in order if name in left or name in kept), *(n for n in kept if n not in order)]
    return [left.get(name) or kept[name] for name in names]


def _settings(fields: Fields) -> Tree:
    found: Tree = {key: fields[name] for name, key in _SETTINGS.items() if fields.get(name) not in (None, "")}
    if "Monitor" in found:
        found["Monitor"] = round(float(found["Monitor"]) * SECOND)
    if "Order" in found:
        found["Order"] = _ORDERS[found["Order"]]
    if fields.get("onFailure"):
        found["FailureAction"] = fields["onFailure"]
    return found


def _replicas(spec: Tree, number: int) -> Tree:
    if "Replicated" not in (spec.get("Mode") or {}):
        raise BadInput("This service has no number of replicas", field="replicas", hint="Leave it out")
    return {"Replicated": {"Replicas": number}}


def _in_container(key: str, value: Any) -> Tree:
    return {"TaskTemplate": {"ContainerSpec": {key: value}}}


def _below(spec: Tree, *path: str) -> Tree:
    for key in path:
        spec = spec.get(key) or {}
    return spec
