"""When a service has arrived: its tasks are of its present spec, run, and go on running for a while.

| Kind | Arrived when |
|---|---|
| replicated | so many tasks run as are wanted, on nodes that are not down; none wanted: at once |
| global | one runs on each node that has been given one, and there is such a node |
| jobs | so many of the present run are complete |

A task that may end well (restart condition none or on-failure) counts once it has. Then no task may change for as long
as the service's monitor says, at least 5 seconds: a crash loop looks well in a third of all looks. A swarm tells of an
update only where tasks are made anew, so that it says nothing is normal; that it goes back, ends or pauses is a verdict
by itself, however well the tasks look meanwhile. A manager that does not answer, or has no leader, is waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lib.engine.errors import Busy, EngineFault, NoAnswer, Unreachable
from lib.job.service.service import Service, look
from lib.job.service.tasks import (
    COMPLETE,
    PENDING,
    PREPARING,
    RUNNING,
    STATES,
    Task,
    chosen,
    nodes_down,
    of_service,
    up_to_date,
)
from lib.job.work import Work

CONVERGED, ROLLED_BACK, PAUSED, NOT_REACHED = "converged", "rolledBack", "paused", "notReached"
_ROLLED_BACK = ("rollback_completed", "rollback_paused")
_MOVING = ("updating", "rollback_started")
_GATEWAY = (502, 503, 504)
"""What proxies say of a manager that does not answer them."""
_STUCK = 30.0
"""Seconds after which nobody believes any more that a task gets a node, or its image."""
_NO_TASKS = "no node gets a task: none fits, or none is there"


@dataclass(frozen=True)
class Arrival:
    """What a look has seen; `outcome` is "" as long as it is open."""

    service: Service
    tasks: tuple[Task, ...]
    running: int
    """Of a job, and of what may end: also those that are complete."""
    desired: int
    all_complete: bool = False
    outcome: str = ""
    reason: str = ""

    @property
    def text(self) -> str:
        """What it says of a service that has not arrived."""
        name, word = self.service.name, "are complete" if self.service.is_job else "run"
        told = f"{name}: {self.running} of {self.desired} tasks {word}"
        if self.service.update_state:
            told += f", its update is {self.service.update_state}"
        why = self.reason or self.service.update_message or self._trouble
        return f"{told}: {why}" if why else told

    @property
    def _trouble(self) -> str:
        return next((task.error for task in reversed(self.tasks) if task.error), "")


@dataclass
class Watch:
    """Looks at one service until there is a verdict; `run` is the run that has updated it, "" for none."""

    work: Work
    service: Service
    """As it was seen last."""
    run: str
    _same: frozenset[str] = frozenset()
    _same_since: float = 0.0
    _stuck_since: dict[str, float] = field(default_factory=dict)

    def verdict(self, details: Callable[[Arrival], dict[str, Any]]) -> Arrival:
        """Return the look that decides; `details` are those of the TimeIsUp that is raised at the deadline."""
        return self.work.until(
            self.look, lambda seen: bool(seen.outcome), lambda seen: (seen.text, details(seen))
        )

    def look(self) -> Arrival:
        """Look once; where the manager is away for a while, that is no verdict."""
        try:
            self.service = look(self.work, self.service.id, defaults=True)
            return self._judged(self.service)
        except (Unreachable, NoAnswer, Busy, EngineFault) as fault:
            if isinstance(fault, EngineFault) and not (fault.leaderless or fault.status in _GATEWAY):
                raise
            self._same, self._stuck_since = frozenset(), {}
            return Arrival(self.service, (), 0, self.service.wanted, reason=fault.message)

    def _judged(self, service: Service) -> Arrival:
        seen = self._counted(service)
        if self.run and service.update_state in _ROLLED_BACK and not service.was_changed_by(self.run):
            return replace(seen, outcome=ROLLED_BACK)
        if service.update_state == "paused":
            return replace(seen, outcome=PAUSED)
        if self._is_steady(seen) and service.update_state not in _MOVING:
            return replace(seen, outcome=CONVERGED)
        if reason := self._stuck(seen):
            return replace(seen, outcome=NOT_REACHED, reason=reason)
        return seen

    def _counted(self, service: Service) -> Arrival:
        tasks = up_to_date(self.work, service)
        down = nodes_down(self.work) if any(task.node for task in tasks) else frozenset()
        there = chosen(tasks, down)
        running = [task for task in there if (task.state, task.desired) == (RUNNING, RUNNING)]
        complete = [task for task in there if task.state == COMPLETE]
        good = complete if service.is_job else running + (complete if service.may_end else [])
        desired = self._nodes(service, down) if service.per_node else service.wanted
        full = len(good) == desired and (desired > 0 or not service.per_node)
        return Arrival(service, tuple(there), len(good), desired, full and len(complete) >= len(good))

    def _nodes(self, service: Service, down: frozenset[str]) -> int:
        """Return how many nodes shall have a task: those that have been given one, of whatever spec."""
        tasks = of_service(self.work, service.id)
        if service.is_job:
            tasks = [task for task in tasks if task.iteration == service.iteration]
        wanted = (RUNNING, COMPLETE)
        return len({task.node for task in tasks if task.desired in wanted or task.state == COMPLETE} - down)

    def _is_steady(self, seen: Arrival) -> bool:
        """Whether all are good, and have been the same ones for long enough."""
        if seen.running != seen.desired or (seen.desired == 0 and seen.service.per_node):
            self._same = frozenset()
            return False
        if seen.all_complete:
            return True
        now, same = time.monotonic(), frozenset(f"{task.id} {task.state}" for task in seen.tasks)
        if same != self._same:
            self._same, self._same_since = same, now
        return now - self._same_since >= seen.service.monitor

    def _stuck(self, seen: Arrival) -> str:
        """Return why it will never arrive, "" as long as it may: the same trouble in all looks for a while."""
        now, present = time.monotonic(), _troubles(seen)
        self._stuck_since = {key: self._stuck_since.get(key, now) for key in present}
        for key, since in self._stuck_since.items():
            if now - since >= _STUCK:
                return present[key]
        return ""


def _troubles(seen: Arrival) -> dict[str, str]:
    """Return what keeps a service from arriving, by a key that is the same in the next look."""
    found = {
        f"{task.id} {task.state}": task.error
        for task in seen.tasks
        if task.state in (PENDING, PREPARING) and task.error
    }
    waits = seen.service.update_state in _MOVING  # the swarm makes one after the other, with pauses
    if seen.running < seen.desired and not waits and not any(map(_moves, seen.tasks)):
        found["over"] = "tasks have failed, and the swarm starts no others in their place"
    if seen.desired == 0 and seen.service.per_node:
        found["nobody"] = _NO_TASKS
    return found


def _moves(task: Task) -> bool:
    """Whether something more can be expected of a task."""
    return task.state in STATES[: STATES.index(RUNNING)] and task.desired not in ("shutdown", "remove")
