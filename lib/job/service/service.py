"""A service as the swarm tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.engine.request.times import SECOND
from lib.job.repeat import RUN
from lib.job.work import Work

PATH = "/services/{id}"
UPDATE = ("POST", "/services/{id}/update")
REPLICATED, GLOBAL, REPLICATED_JOB, GLOBAL_JOB = "Replicated", "Global", "ReplicatedJob", "GlobalJob"
_MONITOR = 5.0
"""Seconds for which a swarm watches a new task where a service does not say it."""
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Service:
    """One service; `spec` is what it was given, or with `look(defaults=True)` what holds."""

    id: str
    name: str
    version: int
    spec: Tree
    told: Tree

    @classmethod
    @expected_form()
    def of(cls, told: Mapping[str, Any]) -> Service:
        """Read an answer of ServiceInspect."""
        spec = dict(told["Spec"])
        dict(spec.get("TaskTemplate") or {}), dict(spec.get("Mode") or {}), dict(spec.get("Labels") or {})
        dict(told.get("UpdateStatus") or {}), dict(told.get("PreviousSpec") or {})
        found = cls(str(told["ID"]), str(spec["Name"]), int(told["Version"]["Index"]), spec, dict(told))
        found.was_changed_by(""), found.wanted, found.iteration, found.may_end, found.monitor
        return found

    @property
    def template(self) -> Tree:
        """What its tasks are made from."""
        return self.spec.get("TaskTemplate") or {}

    @property
    def container(self) -> Tree:
        return self.template.get("ContainerSpec") or {}

    @property
    def image(self) -> str:
        return str(self.container.get("Image") or "")

    @property
    def mode(self) -> str:
        """Which of the four kinds it is."""
        return next(iter(self.spec.get("Mode") or {}), REPLICATED)

    @property
    def wanted(self) -> int:
        """How many tasks shall run, of a job be completed; 0 where the nodes decide that."""
        kind = (self.spec.get("Mode") or {}).get(self.mode) or {}
        if self.mode == REPLICATED_JOB:
            return int(kind.get("TotalCompletions") or kind.get("MaxConcurrent") or 1)
        return int(kind.get("Replicas", 1)) if self.mode == REPLICATED else 0

    @property
    def per_node(self) -> bool:
        return self.mode in (GLOBAL, GLOBAL_JOB)

    @property
    def is_job(self) -> bool:
        return self.mode in (REPLICATED_JOB, GLOBAL_JOB)

    @property
    def iteration(self) -> int:
        """Which run of a job this is."""
        status = self.told.get("JobStatus") or {}
        return int((status.get("JobIteration") or {}).get("Index") or 0)

    @property
    def may_end(self) -> bool:
        """Whether a task that ends well is not started again: it counts as arrived, then."""
        policy = self.template.get("RestartPolicy") or {}
        return policy.get("Condition") in ("none", "on-failure")

    @property
    def monitor(self) -> float:
        """Seconds for which a new task has to live."""
        given = int((self.spec.get("UpdateConfig") or {}).get("Monitor") or 0) / SECOND
        return max(given, _MONITOR)

    @property
    def update_state(self) -> str:
        """State of the last update; "" where there was none, or none that made tasks."""
        return str((self.told.get("UpdateStatus") or {}).get("State") or "")

    @property
    def update_message(self) -> str:
        return str((self.told.get("UpdateStatus") or {}).get("Message") or "")

    def marks(self, run: str) -> Mapping[str, Any] | None:
        """Return the labels with a run's mark, of its tasks or where tasks stayed of the service; None for none."""
        places = (self.container.get("Labels") or {}, self.spec.get("Labels") or {})
        return next((labels for labels in places if labels.get(RUN) == run), None)

    def was_changed_by(self, run: str) -> bool:
        """Whether a run has left its mark."""
        return self.marks(run) is not None


def look(work: Work, service: str, *, defaults: bool = False) -> Service:
    """Return a service by its name or id; raises NotFound, and NoManager where the engine is none.

    `defaults` fills in what holds where the service says nothing. Such a spec is compared, and never sent.
    """
    fields = {"id": service, "insertDefaults": True}
    query = ("insertDefaults",) if defaults else ()
    return work.engine.get(PATH, fields, query=query).read(Service.of)


def find(work: Work, service: str, *, defaults: bool = False) -> Service | None:
    """Return a service by its name or id, None where it is not there."""
    try:
        return look(work, service, defaults=defaults)
    except NoSuchOperation:
        raise
    except NotFound:
        return None
