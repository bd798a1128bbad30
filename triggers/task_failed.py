"""Trigger taskFailed (docs/triggers.md#taskfailed): swarm tasks that failed, were rejected or orphaned, or are stuck.

The engine has no events for tasks. So each poll lists all tasks and takes those whose version index is larger than any
of the last poll. The swarm keeps only some tasks for each slot; if failures may have been forgotten between two polls,
the poll emits the warning `history` (`_beyond_history`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.config.form import Form, number, words
from lib.config.selection import labels_match, names_match
from lib.trigger import Finding, Found, Poll, trigger
from lib.trigger.clock import SECOND, iso
from lib.trigger.dropdowns import nodes, services
from lib.trigger.tasks.swarm import cluster_mark
from lib.trigger.tasks.tasks import Task, history_limit, limit_of, read_tasks, unproven
from lib.trigger.tasks.told import Told

__all__ = ["nodes", "services", "task_failed"]

# Upper bound of the emitted failures in the state. A failed task changes once more when its desired state follows.
REMEMBERED = 10_000
CHARACTERS, HEAD = 6, 300
"""Characters of one task in the state, and of all else in it."""
SAMPLE = {
    "kind": "task",
    "state": "failed",
    "task": "0kzzo1i0y4jz6027t0k7aezc7",
    "service": {"id": "9mnpnzenvg8p8tdbtq4wvbkcz", "name": "web"},
    "node": {"id": "24ifsmvkjbyhk", "name": "worker-2"},
    "slot": 3,
    "desiredState": "shutdown",
    "message": "started",
    "error": "task: non-zero exit (1)",
    "exitCode": 1,
    "containerId": "8f0f1c1ed3a6e3ba7b6d4d0a3f5f0c1b2a394857660718293a4b5c6d7e8f9012",
    "image": "shop/web:2.4",
    "index": 2371,
    "timestamp": "2026-01-01T12:00:00.123456789Z",
}


@dataclass(frozen=True)
class Names:
    """Services and host names of nodes by id: a task has only ids."""

    services: Mapping[str, Mapping[str, Any]]
    nodes: Mapping[str, str]

    @classmethod
    def ask(cls, poll: Poll[Told]) -> Names:
        """Ask the engine: ServiceList, NodeList. Raises EngineError."""
        listed = poll.engine.get("/services").json()
        hosts = poll.engine.get("/nodes").json()
        return cls(
            {str(service["ID"]): service for service in listed},
            {str(node["ID"]): str((node.get("Description") or {}).get("Hostname") or "") for node in hosts},
        )

    def service(self, identity: str) -> dict[str, Any]:
        """Return {id, name} of a service; the name is None if the service is gone."""
        return {"id": identity, "name": self.spec(identity).get("Name")}

    def spec(self, identity: str) -> Mapping[str, Any]:
        """Return the `Spec` of a service, {} if the service is gone."""
        return self.services.get(identity, {}).get("Spec") or {}

    def node(self, identity: str) -> dict[str, Any]:
        """Return {id, name} of a node; the name is None if the node has none."""
        return {"id": identity, "name": self.nodes.get(identity) or None}


def stuck_minutes(form: Form) -> float:
    """Return after how many minutes a waiting task is stuck, 0 for never; raises BadInput."""
    return number(form, "stuckMinutes", 0)


@trigger("taskFailed", read=Told.from_state, sample=SAMPLE, settings=stuck_minutes)
def task_failed(poll: Poll[Told]) -> Found[Told]:
    """Find failed tasks with a version index above all of the last poll, and stuck ones: SwarmInspect, TaskList."""
    swarm = poll.engine.get("/swarm").json()
    cluster = cluster_mark(swarm)
    tasks = read_tasks(poll, poll.engine.get("/tasks").json())
    before, findings = poll.state, []
    if before and before.cluster != cluster:
        text = "This engine belongs to another swarm than before; failures in between may be missing. Started anew"
        findings.append(poll.gap("otherCluster", text, f"{before.cluster} {cluster}"))
        before = None
    new = [task for task in tasks if task.failed and _is_news(poll, task, before)]
    idle = _idle(poll, before)
    stuck = [task for task in tasks if idle is not None and _is_stuck(poll, task, before, idle)]
    doubtful = list(unproven(tasks, before.index, before.told)) if before else []
    limit = history_limit(swarm)
    if new or stuck or any(count >= min(limit, 2) for _, count in doubtful):
        names = Names.ask(poll)
        chosen = [task for task in (*new, *stuck) if _wanted(poll, task, names)]
        findings += [_finding(task, names) for task in sorted(chosen, key=lambda task: task.index)]
        findings += _beyond_history(poll, doubtful, names, limit)
    index = max([before.index if before else 0, *(task.index for task in tasks)])
    return Found(findings, Told(cluster, index, _remembered(poll, tasks, stuck, before), idle))


def _is_news(poll: Poll[Told], task: Task, before: Told | None) -> bool:
    if before is None:
        return poll.state is None and poll.start is not None and task.time >= poll.start
    return task.index > before.index and task.mark not in before.told


def _idle(poll: Poll[Told], before: Told | None) -> int | None:
    """Return the time before which a stuck task began to wait, in Unix nanoseconds; None if it was never watched."""
    minutes = stuck_minutes(poll.form)
    if not minutes:
        return before.idle if before else None
    return int((poll.now - minutes * 60) * SECOND)


def _is_stuck(poll: Poll[Told], task: Task, before: Told | None, idle: int) -> bool:
    """Return whether a task has become stuck since the last poll.

    The state needs no list of waiting tasks: a task that was already stuck at the last poll, by `before.idle`, was
    emitted then, unless it has changed since.
    """
    if not stuck_minutes(poll.form) or not task.waits or task.time >= idle:
        return False
    if before is None or (before.idle is not None and task.time < before.idle):
        return _is_news(poll, task, before)
    return task.mark not in before.told


def _remembered(
    poll: Poll[Told], tasks: Iterable[Task], stuck: Iterable[Task], before: Told | None
) -> dict[int, int]:
    """Return the marks of the emitted tasks that are still listed, the youngest ones if not all have room."""
    known = {*(before.told if before else ()), *(task.mark for task in stuck)}
    marks = [task.mark for task in tasks if task.failed or task.mark in known]
    most = min(REMEMBERED, max((poll.room - HEAD) // CHARACTERS, 0))
    return dict.fromkeys(marks[max(len(marks) - most, 0) :], 0)


def _wanted(poll: Poll[Told], task: Task, names: Names) -> bool:
    node, hosts = names.node(task.node), words(poll.form, "nodes")
    if hosts and not names_match(hosts, (node["name"] or "", node["id"])):
        return False
    return _wanted_service(poll, task.service, names)


def _wanted_service(poll: Poll[Told], identity: str, names: Names) -> bool:
    chosen = (*words(poll.form, "services"), *words(poll.form, "names"))
    if chosen and not names_match(chosen, (names.service(identity)["name"] or "", identity)):
        return False
    labels = names.spec(identity).get("Labels") or {}
    return labels_match(words(poll.form, "labels"), labels)


def _finding(task: Task, names: Names) -> Finding:
    status = task.raw["Status"]
    container = status.get("ContainerStatus") or {}
    body = {
        "kind": "task",
        "state": task.state if task.failed else "stuck",
        "task": task.id,
        "service": names.service(task.service),
        "node": names.node(task.node),
        "slot": task.raw.get("Slot"),
        "desiredState": task.raw.get("DesiredState"),
        "message": status.get("Message") or "",
        "error": status.get("Err") or "",
        "exitCode": container.get("ExitCode"),
        "containerId": container.get("ContainerID"),
        "image": ((task.raw.get("Spec") or {}).get("ContainerSpec") or {}).get("Image"),
        "index": task.index,
        "timestamp": iso(task.time),
    }
    return Finding(body, f"{task.id} {body['state']} {task.state}")


def _beyond_history(
    poll: Poll[Told], doubtful: Iterable[tuple[str, int]], names: Names, limit: int
) -> list[Finding]:
    """Return a warning for each service of which the swarm may have forgotten failures."""
    index = poll.state.index if poll.state else 0
    warnings = {}
    for identity, count in doubtful:
        service = names.services.get(identity)
        kept = limit_of(service, limit) if service is not None else -1
        if identity in warnings or not 0 <= kept <= count or not _wanted_service(poll, identity, names):
            continue
        about = names.service(identity)
        text = (
            f"Tasks of the service {about['name']} ended so often between two polls that failures may be forgotten: "
            f"the swarm remembers {kept} tasks a slot, with the present one. Poll more often, or let it remember more"
        )
        warnings[identity] = poll.warning("history", text, f"{identity} {index}", limit=kept, service=about)
    return list(warnings.values())
