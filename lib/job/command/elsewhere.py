"""Tasks of services on other nodes of a swarm: no command reaches them, so they are named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lib.config.selection import names_match
from lib.engine import Engine, Fields
from lib.engine.errors import EngineError, NotFound, Unreachable
from lib.engine.request.query import filters
from lib.job.errors import NotStarted
from lib.job.targets import NODE, PARTS, SERVICE, Target, selection_of, words_of

T = TypeVar("T")
_HINT = "Run the command with a credential for the engine of that node"
_LONG = 12
_HOST = "hostname"


def elsewhere(engine: Engine, fields: Fields, failed: Callable[[Target, EngineError], T]) -> list[T]:
    """Return what `failed` makes of the running tasks of a selected service that are on other nodes.

    Only a selection by service alone means them. Where the engine is no manager, nothing is known of them.
    """
    selection = selection_of(fields) or {}
    if [part for part in PARTS if words_of(selection, part)] != ["service"]:
        return []
    wanted = words_of(selection, "service")
    found = [one for one in _tasks(engine) if names_match(wanted, [one.labels[SERVICE]])]
    return [failed(one, _error(one)) for one in found]


def lost_target(engine: Engine, name: str, missing: NotFound) -> EngineError:
    """Return the error for a container that is not here: whether it is a task on another node."""
    for one in _tasks(engine):
        if one.name == name or (len(name) >= _LONG and one.id.startswith(name)):
            return _error(one)
    return missing


def _error(task: Target) -> NotStarted:
    return NotStarted(
        f"{task.name} runs on the node {task.labels[_HOST]}, which this engine does not reach",
        hint=_HINT,
        container=task.output,
    )


def _tasks(engine: Engine) -> list[Target]:
    """Return the containers of running tasks on other nodes; none where the engine is no manager."""
    try:
        here = engine.get("/info").read(lambda told: str((told.get("Swarm") or {}).get("NodeID") or ""))
        if not here:
            return []
        running = {"filters": {"desired-state": ["running"]}}
        tasks = engine.get("/tasks", running, query=(filters(),)).read(
            lambda told: [dict(one) for one in told if one.get("NodeID") not in ("", None, here)]
        )
        if not tasks:
            return []
        services = _names(engine, "/services", lambda one: one["Spec"]["Name"])
        nodes = _names(engine, "/nodes", lambda one: one["Description"]["Hostname"])
        return [_task(one, services, nodes) for one in tasks]
    except Unreachable:
        raise
    except EngineError:  # no manager, or a proxy refuses it
        return []


def _names(engine: Engine, path: str, name: Callable[[Mapping[str, Any]], Any]) -> dict[str, str]:
    return engine.get(path).read(lambda told: {str(one["ID"]): str(name(one)) for one in told})


def _task(task: Mapping[str, Any], services: Mapping[str, str], nodes: Mapping[str, str]) -> Target:
    service = services.get(str(task.get("ServiceID")), str(task.get("ServiceID")))
    node = str(task.get("NodeID"))
    status = task.get("Status")
    container = (status.get("ContainerStatus") or {}) if isinstance(status, Mapping) else {}
    identity = str(task.get("ID"))
    return Target(
        id=str(container.get("ContainerID") or identity) if isinstance(container, Mapping) else identity,
        name=f"{service}.{task.get('Slot') or node}.{identity}",
        image="",
        image_id="",
        labels={SERVICE: service, NODE: node, _HOST: nodes.get(node, node)},
        status="elsewhere",
        health="",
    )
