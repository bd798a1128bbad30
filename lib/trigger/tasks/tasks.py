"""Swarm tasks as the engine lists them, and whether a swarm may have forgotten some of them."""

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


@dataclass(frozen=True)
class Task:
    """An entry of TaskList; `time` is when it got into its state (nanoseconds, by its node's clock)."""

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
        """Read an entry; KeyError, TypeError or ValueError for what is none."""
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
        """What is remembered of it: that it was in this state."""
        return identity_mark([self.id, self.state])

    @property
    def failed(self) -> bool:
        """Whether it ended badly."""
        return self.state in FAILED

    @property
    def waits(self) -> bool:
        """Whether it should run, and does not yet."""
        return self.desired == "running" and self.state in IDLE

    @property
    def slot(self) -> tuple[str, str]:
        """The service, and its slot (its node, if the service is global): what the swarm keeps a history of."""
        return self.service, str(self.raw.get("Slot") or self.node)


def read_tasks(poll: Poll[Any], answer: Iterable[Any]) -> list[Task]:
    """Read TaskList in order of the versions; an entry that is no task is told once, the others count."""
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
    """Return how many tasks a slot this swarm keeps (SwarmInspect); negative: all."""
    orchestration = (swarm.get("Spec") or {}).get("Orchestration") or {}
    limit = orchestration.get("TaskHistoryRetentionLimit")
    return limit if isinstance(limit, int) else DEFAULT_HISTORY


def limit_of(service: Mapping[str, Any], limit: int) -> int:
    """Return how many tasks a slot are kept of a service, where `limit` holds for the swarm; negative: all."""
    template = (service.get("Spec") or {}).get("TaskTemplate") or {}
    policy = template.get("RestartPolicy") or {}
    attempts = policy.get("MaxAttempts")
    if not isinstance(attempts, int) or attempts <= 0:
        return limit
    if not policy.get("Window") and not service.get("PreviousSpec"):
        return -1  # it gives up before its history is full
    return attempts + 1


def unproven(tasks: Iterable[Task], index: int, told: Mapping[int, int]) -> Iterator[tuple[str, int]]:
    """Yield service and number of tasks of each slot that does not show that the swarm forgot nothing of it.

    Only slots where something happened after the version `index` count. The present task counts in a history. Those
    that ended first are forgotten first: where one that had ended at `index` is still there, all later ones are too.
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
