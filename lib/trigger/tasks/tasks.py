"""Reads the tasks that a swarm lists, and finds the slots of which the swarm may have forgotten tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import StreamFailed
from lib.trigger.clock import nanoseconds
from lib.trigger.faults import Fault
from lib.trigger.marks.markset import identity_mark
from lib.trigger.poll import Poll

FAILED = ("failed", "rejected", "orphaned")
ENDED = (*FAILED, "complete", "shutdown", "remove")
IDLE = ("new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting")
DEFAULT_HISTORY = 5
"""Tasks that a swarm keeps for each slot if its settings do not say it."""


@dataclass(frozen=True)
class Task:
    """An entry of TaskList.

    `index`: its version index. `time`: when it entered its state, in Unix nanoseconds of its node's clock. `service`
    and `node` are ids.
    """

    raw: Mapping[str, Any]
    id: str
    index: int
    state: str
    desired: str
    time: int
    service: str
    node: str

    @classmethod
    def of(cls, raw: Any) -> Task:
        """Read an entry; raises KeyError, TypeError, ValueError or AttributeError for anything else."""
        status = raw["Status"]
        container = status.get("ContainerStatus") or {}
        spec = (raw.get("Spec") or {}).get("ContainerSpec") or {}
        if not isinstance(container, Mapping) or not isinstance(spec, Mapping):
            raise TypeError("not a task")
        return cls(
            raw,
            str(raw["ID"]),
            int(raw["Version"]["Index"]),
            str(status["State"]),
            str(raw.get("DesiredState") or ""),
            _time(status.get("Timestamp") or raw.get("CreatedAt")),
            str(raw.get("ServiceID") or ""),
            str(raw.get("NodeID") or ""),
        )

    @property
    def mark(self) -> int:
        """The mark of the task in its present state."""
        return identity_mark([self.id, self.state])

    @property
    def failed(self) -> bool:
        """Whether it failed, was rejected or is orphaned."""
        return self.state in FAILED

    @property
    def waits(self) -> bool:
        """Whether it should run and has not started yet."""
        return self.desired == "running" and self.state in IDLE

    @property
    def slot(self) -> tuple[str, str]:
        """(service, slot), or (service, node) if the service is global: the swarm keeps a history of each."""
        return self.service, str(self.raw.get("Slot") or self.node)


def read_tasks(poll: Poll[Any], answer: Iterable[Any]) -> list[Task]:
    """Return the tasks in an answer of TaskList, in order of their version indexes.

    An entry that cannot be read adds a warning to the poll, once.
    """
    found = []
    for place, raw in enumerate(answer):
        try:
            found.append(Task.of(raw))
        except (KeyError, TypeError, ValueError, AttributeError):
            identity = raw.get("ID") if isinstance(raw, dict) else None
            text = "An entry of the swarm's list of tasks cannot be read; the others are watched"
            poll.failed(f"task {identity or place}", Fault("objectFailed", text, {"task": identity}))
    return sorted(found, key=lambda task: (task.index, task.id))


def history_limit(swarm: Mapping[str, Any]) -> int:
    """Return how many tasks the swarm keeps for each slot, by an answer of SwarmInspect; negative: all."""
    orchestration = (swarm.get("Spec") or {}).get("Orchestration") or {}
    limit = orchestration.get("TaskHistoryRetentionLimit")
    return limit if isinstance(limit, int) else DEFAULT_HISTORY


def limit_of(service: Mapping[str, Any], limit: int) -> int:
    """Return how many tasks are kept for each slot of a service; `limit` is the swarm's. Negative: all."""
    template = (service.get("Spec") or {}).get("TaskTemplate") or {}
    policy = template.get("RestartPolicy") or {}
    attempts = policy.get("MaxAttempts")
    if not isinstance(attempts, int) or attempts <= 0:
        return limit
    if not policy.get("Window") and not service.get("PreviousSpec"):
        return -1  # its attempts are over before its history is full
    return attempts + 1


def unproven(tasks: Iterable[Task], index: int, told: Mapping[int, int]) -> Iterator[tuple[str, int]]:
    """Yield (service id, number of listed tasks) for each slot of which the swarm may have forgotten tasks.

    `index`: the largest version index of the last poll; only slots with a later change count. `told`: marks of the
    emitted failures. The swarm forgets first what ended first. So a task that had ended at the last poll and is still
    listed proves that none of the later ones is missing.
    """
    slots: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        slots.setdefault(task.slot, []).append(task)
    for (service, _), history in slots.items():
        moved = any(task.index > index for task in history)
        anchored = any(task.state in ENDED and (task.index <= index or task.mark in told) for task in history)
        if moved and not anchored:
            yield service, len(history)


def _time(written: Any) -> int:
    try:
        return nanoseconds(str(written or ""))
    except StreamFailed:
        return 0
