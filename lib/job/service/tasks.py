"""The tasks of a service: those of its present spec, and those that a run of a job has made.

Which tasks are of the present spec the swarm knows best: its hidden filter `_up-to-date` says it, as it does for
Docker's own client. An engine, or a proxy, that refuses it is asked for all tasks, which are compared then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import NotFound, Refused, Unauthorized
from lib.engine.expected import expected_form
from lib.engine.request.query import filters
from lib.job.repeat import RUN
from lib.job.service.service import Service, look
from lib.job.work import Work

STATES = (
    "new",
    "allocated",
    "pending",
    "assigned",
    "accepted",
    "preparing",
    "ready",
    "starting",
    "running",
    "complete",
    "shutdown",
    "failed",
    "rejected",
    "remove",
    "orphaned",
)
RUNNING, COMPLETE, PENDING, PREPARING = "running", "complete", "pending", "preparing"
FAILED = ("failed", "rejected", "orphaned")
_BAD_FILTER = 400


@dataclass(frozen=True, slots=True)
class Task:
    """One task; `node` is "" where none was found for it."""

    id: str
    slot: str
    node: str
    state: str
    desired: str
    error: str
    exit_code: int | None
    created: str
    iteration: int
    message: str
    spec: Mapping[str, Any]

    @classmethod
    @expected_form()
    def of(cls, told: Mapping[str, Any]) -> Task:
        """Read an entry of TaskList."""
        status, node = told["Status"], str(told.get("NodeID") or "")
        container = status.get("ContainerStatus") or {}
        spec = dict(told.get("Spec") or {})
        dict((spec.get("ContainerSpec") or {}).get("Labels") or {})
        return cls(
            str(told["ID"]),
            str(told.get("Slot") or node),
            node,
            str(status["State"]),
            str(told.get("DesiredState") or ""),
            str(status.get("Err") or ""),
            int(container["ExitCode"]) if "ExitCode" in container else None,
            str(told.get("CreatedAt") or ""),
            int((told.get("JobIteration") or {}).get("Index") or 0),
            str(status.get("Message") or ""),
            spec,
        )

    @property
    def labels(self) -> Mapping[str, Any]:
        """The labels of its container."""
        return (self.spec.get("ContainerSpec") or {}).get("Labels") or {}

    @property
    def run(self) -> str:
        """The run of a job that made it, "" for none."""
        return str(self.labels.get(RUN) or "")

    @property
    def rank(self) -> tuple[int, int]:
        """What is lower counts more: the task that shall run, and of two the one that has come less far."""
        return _number(self.desired), _number(self.state)


def of_service(work: Work, service: str) -> list[Task]:
    """Return all tasks that a swarm remembers of a service, the oldest first."""
    return _listed(work, {"service": [service]})


def up_to_date(work: Work, service: Service) -> list[Task]:
    """Return the tasks of a service's present spec, the oldest first; of a job those of its present run."""
    if service.is_job:
        return [task for task in of_service(work, service.id) if task.iteration == service.iteration]
    try:
        return _listed(work, {"service": [service.id], "_up-to-date": ["true"]})
    except NotFound:
        raise
    except Refused as refusal:
        if refusal.status != _BAD_FILTER and not isinstance(refusal, Unauthorized):
            raise
    bare = look(work, service.id)  # tasks carry what was given, without what holds by defaults
    return of_spec(of_service(work, service.id), bare)


def of_spec(tasks: Iterable[Task], service: Service) -> list[Task]:
    """Return the newest task of each slot, if it was made from the present spec."""
    newest = {task.slot: task for task in tasks}
    wanted = _essence(service.template)
    return [task for task in newest.values() if _essence(task.spec) == wanted]


def chosen(tasks: Iterable[Task], down: frozenset[str]) -> list[Task]:
    """Return the task of each slot that counts, without those on nodes that are down."""
    slots: dict[str, Task] = {}
    for task in tasks:
        if task.node in down:
            continue
        other = slots.get(task.slot)
        if other is None or task.rank <= other.rank:
            slots[task.slot] = task
    return list(slots.values())


def nodes_down(work: Work) -> frozenset[str]:
    """Return the ids of nodes that are down; none where a proxy does not let them be listed."""
    try:
        reply = work.engine.get("/nodes")
    except Unauthorized:
        return frozenset()
    return reply.read(
        lambda told: frozenset(str(node["ID"]) for node in told if node["Status"]["State"] == "down")
    )


def _listed(work: Work, wanted: Mapping[str, list[str]]) -> list[Task]:
    reply = work.engine.get("/tasks", {"filters": dict(wanted)}, query=(filters(),))
    return sorted(reply.read(lambda told: [Task.of(one) for one in told]), key=lambda task: task.created)


def _number(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _essence(template: Mapping[str, Any]) -> Any:
    """Return what makes tasks differ, without what is empty: engines add and leave out such parts."""
    parts = {key: template.get(key) for key in ("ContainerSpec", "Resources", "ForceUpdate", "Runtime")}
    return _filled({**parts, "Runtime": parts["Runtime"] if parts["Runtime"] != "container" else None})


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        found = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item not in (None, {}, [], "", 0, False)}
    return [_filled(item) for item in value] if isinstance(value, list) else value
