"""Trigger taskFailed: swarm tasks that failed, were rejected or orphaned, or do not get to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import Refused
from lib.form import number, words
from lib.polling.clock import SECOND, iso, nanoseconds
from lib.polling.compact import mark, pieces
from lib.polling.matching import labels_match, names_match
from lib.polling.swarm import cluster_mark
from lib.selection import nodes, services
from lib.trigger import Finding, Found, Poll, trigger

__all__ = ["nodes", "services", "task_failed"]

Task = Mapping[str, Any]
FAILED = ("failed", "rejected", "orphaned")
TOLD = 8
# Tasks change again after they failed (their desired state follows); so many are remembered as told.
REMEMBERED = 300
DEFAULT_HISTORY = 5
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
class Told:
    """The largest version index of any task at the last poll, its swarm, and the failures told lately."""

    at: int
    cluster: str
    index: int
    told: tuple[str, ...] = ()

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"at": self.at, "cluster": self.cluster, "index": self.index, "told": "".join(self.told)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Told:
        """Read `to_state`."""
        return cls(int(state["at"]), str(state["cluster"]), int(state["index"]), pieces(state["told"], TOLD))


@dataclass(frozen=True)
class Names:
    """Names for ids; a task itself knows only ids."""

    services: Mapping[str, Mapping[str, Any]]
    nodes: Mapping[str, str]

    @classmethod
    def ask(cls, poll: Poll[Told]) -> Names:
        """Ask for them: ServiceList, NodeList."""
        listed = poll.engine.get("/services").json()
        hosts = poll.engine.get("/nodes").json()
        return cls(
            {service["ID"]: service["Spec"] for service in listed},
            {node["ID"]: str(node["Description"]["Hostname"]) for node in hosts},
        )

    def service(self, task: Task) -> dict[str, Any]:
        """Return id and name of a task's service; the name is None where the service is gone."""
        identity = str(task.get("ServiceID") or "")
        return {"id": identity, "name": self.services.get(identity, {}).get("Name")}

    def node(self, task: Task) -> dict[str, Any]:
        """Return id and host name of a task's node, empty where it has none."""
        identity = str(task.get("NodeID") or "")
        return {"id": identity, "name": self.nodes.get(identity)}


@trigger("taskFailed", read=Told.from_state, sample=SAMPLE)
def task_failed(poll: Poll[Told]) -> Found[Told]:
    """Look for tasks whose version is newer than all of the last poll and which failed: TaskList."""
    cluster = cluster_mark(poll.engine)
    tasks: list[Task] = sorted(poll.engine.get("/tasks").json(), key=_index)
    before, findings = poll.state, []
    if before and before.cluster != cluster:
        text = "This engine belongs to another swarm than before; failures in between may be missing. Started anew"
        findings.append(poll.gap("otherCluster", text, f"{before.cluster} {cluster}"))
        before = None
    new = [task for task in tasks if _is_news(poll, task, before)]
    stuck = _stuck(poll, tasks, before)
    if new or stuck:
        names = Names.ask(poll)
        chosen = [task for task in (*new, *stuck) if _wanted(poll, task, names)]
        findings += [_finding(task, names, stuck=task in stuck) for task in sorted(chosen, key=_index)]
        findings += _beyond_history(poll, new)
    fresh = (*new, *stuck) if before else [task for task in tasks if task["Status"]["State"] in FAILED]
    told = dict.fromkeys((*(before.told if before else ()), *(_told(task) for task in fresh)))
    index = max([before.index if before else 0, *(_index(task) for task in tasks)])
    return Found(findings, Told(poll.now, cluster, index, tuple(told)[-REMEMBERED:]))


def _index(task: Task) -> int:
    return int(task["Version"]["Index"])


def _told(task: Task) -> str:
    return mark([task["ID"], task["Status"]["State"]], TOLD)


def _is_news(poll: Poll[Told], task: Task, before: Told | None) -> bool:
    if task["Status"]["State"] not in FAILED:
        return False
    if before is None:
        return poll.state is None and poll.start is not None and _time(task) >= poll.start
    return _index(task) > before.index and _told(task) not in before.told


def _time(task: Task) -> int:
    return nanoseconds(task["Status"].get("Timestamp") or task["CreatedAt"])


def _stuck(poll: Poll[Told], tasks: Iterable[Task], before: Told | None) -> list[Task]:
    """Return tasks that should run and have not for longer than the step tolerates."""
    minutes = number(poll.form, "stuckMinutes", 0)
    if not minutes or before is None:
        return []
    latest = (poll.now - minutes * 60) * SECOND
    idle = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting")
    return [
        task
        for task in tasks
        if task.get("DesiredState") == "running"
        and task["Status"]["State"] in idle
        and _time(task) < latest
        and _told(task) not in before.told
    ]


def _wanted(poll: Poll[Told], task: Task, names: Names) -> bool:
    service, node = names.service(task), names.node(task)
    chosen = (*words(poll.form, "services"), *words(poll.form, "names"))
    hosts = words(poll.form, "nodes")
    labels = names.services.get(service["id"], {}).get("Labels") or {}
    if chosen and not names_match(chosen, (service["name"] or "", service["id"])):
        return False
    if hosts and not names_match(hosts, (node["name"] or "", node["id"])):
        return False
    return labels_match(words(poll.form, "labels"), labels)


def _finding(task: Task, names: Names, *, stuck: bool) -> Finding:
    status = task["Status"]
    container = status.get("ContainerStatus") or {}
    body = {
        "kind": "task",
        "state": "stuck" if stuck else status["State"],
        "task": task["ID"],
        "service": names.service(task),
        "node": names.node(task),
        "slot": task.get("Slot"),
        "desiredState": task.get("DesiredState"),
        "message": status.get("Message") or "",
        "error": status.get("Err") or "",
        "exitCode": container.get("ExitCode"),
        "containerId": container.get("ContainerID"),
        "image": ((task.get("Spec") or {}).get("ContainerSpec") or {}).get("Image"),
        "index": _index(task),
        "timestamp": iso(_time(task)),
    }
    return Finding(body, f"{task['ID']} {body['state']} {status['State']}")


def _beyond_history(poll: Poll[Told], new: list[Task]) -> list[Finding]:
    """Warn where a slot failed as often as the swarm remembers: then more failures may have been forgotten."""
    slots = Counter((task.get("ServiceID"), task.get("Slot"), task.get("NodeID") or "") for task in new)
    if not slots or max(slots.values()) < 2:  # noqa: PLR2004 - one failure a slot is never beyond the history
        return []
    try:
        orchestration = (poll.engine.get("/swarm").json().get("Spec") or {}).get("Orchestration") or {}
    except Refused:
        orchestration = {}
    limit = orchestration.get("TaskHistoryRetentionLimit", DEFAULT_HISTORY)
    if max(slots.values()) < max(limit, 1):
        return []
    text = (
        f"A service failed {max(slots.values())} times between two polls; the swarm remembers {limit} tasks a slot: "
        "more failures may be forgotten. Poll more often"
    )
    return [poll.warning("history", text, str(poll.state.at if poll.state else 0), limit=limit)]
