"""A change of a service's spec, sent at most once by all deliveries of a message together.

The run leaves its mark: where new tasks are made, among the labels of their containers, for those are still remembered
when the swarm has gone back to the old spec; else among the labels of the service, which makes no tasks. A mark in the
spec says that the update was made. One in tasks alone says that it was made and that another spec came after it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

from lib.engine.errors import EngineFault
from lib.engine.request.query import whole
from lib.engine.request.registry_auth import RegistryAuth
from lib.job.comparison import Difference, shown
from lib.job.repeat import RUN
from lib.job.service.differences import NEW_TASKS, Change, differences
from lib.job.service.service import UPDATE, Service, Tree, look
from lib.job.service.tasks import of_service
from lib.job.work import Work
from lib.job.writes import sent

_AUTH = RegistryAuth("requestBody.TaskTemplate.ContainerSpec.Image")
_TRIES = 5
NOTHING, SENT, FOUND, OVERTAKEN = "nothing", "sent", "found", "overtaken"


@dataclass(frozen=True)
class Update:
    """What became of a change: nothing differs, it was sent, a former delivery sent it, or another came after that."""

    how: str
    before: Service
    differences: list[Difference] = field(default_factory=list)

    @property
    def made(self) -> bool:
        """Whether this run has changed the service, now or in an earlier delivery."""
        return self.how != NOTHING


def update(work: Work, name: str, change: Change, *, force: bool = False, reason: str = "") -> Update:
    """Bring a service's spec to what `change` makes of it: a function of a spec that leaves its argument alone.

    `force`: new tasks are made even if nothing differs. In a dry run the plan gets the entry, and nothing is sent.
    Raises NotFound, NoManager, ReadOnly, and EngineFault where others change the service all the time.
    """
    planned = False
    for _ in range(_TRIES):
        holding, service = look(work, name, defaults=True), look(work, name)
        if holding.version != service.version:
            continue  # somebody changes it just now
        if service.was_changed_by(work.run.id):
            return _over(work, planned, Update(FOUND, _before(service)))
        if any(task.run == work.run.id for task in of_service(work, service.id)):
            return _over(work, planned, Update(OVERTAKEN, service))
        found = differences(change, service.spec, holding.spec)
        if not found and not force:
            return _over(work, planned, Update(NOTHING, service))
        if not planned:
            work.permit(UPDATE)
            planned = True
            if not work.will("update", "service", service.name, reason or shown(found) or "it is forced"):
                return Update(SENT, service, found)
        wanted = _marked(work, change(copy.deepcopy(service.spec)), found, force=force)
        if _send(work, service, wanted):
            return Update(SENT, service, found)
    raise EngineFault(
        f"The service {name} was changed by others in each of {_TRIES} tries", hint="Send it again later"
    )


def _over(work: Work, planned: bool, update: Update) -> Update:
    """Return the outcome of an update that others have made meanwhile: it is not in the plan."""
    if planned:
        work.without_effect()
    return update


def _before(service: Service) -> Service:
    """Return the service as it was before its last update, as far as the swarm remembers it."""
    spec = service.told.get("PreviousSpec")
    return replace(service, spec=dict(spec)) if isinstance(spec, dict) else service


def _marked(work: Work, spec: Tree, found: list[Difference], *, force: bool) -> Tree:
    template = spec.get("TaskTemplate")
    new_tasks = force or any(one["effect"] == NEW_TASKS for one in found)
    if not new_tasks or not isinstance(template, dict):
        return {**spec, "Labels": {**(spec.get("Labels") or {}), RUN: work.run.id}}
    if force:
        template = {**template, "ForceUpdate": int(template.get("ForceUpdate") or 0) + 1}
    container: dict[str, Any] = template.get("ContainerSpec") or {}
    labels = {**(container.get("Labels") or {}), RUN: work.run.id}
    return {**spec, "TaskTemplate": {**template, "ContainerSpec": {**container, "Labels": labels}}}


def _send(work: Work, service: Service, spec: Tree) -> bool:
    """Send an update; whether it was taken, which it is not where the service has changed since it was read."""
    fields = {"id": service.id, "version": service.version, "requestBody": spec}

    def write() -> None:
        work.engine.post(
            UPDATE[1], fields, query=(whole("version"),), headers=(_AUTH,), body="requestBody", timeout="slow"
        )

    def took_effect() -> bool:
        if look(work, service.id).was_changed_by(work.run.id):
            return True
        return any(task.run == work.run.id for task in of_service(work, service.id))

    try:
        sent(write, took_effect)
    except EngineFault as fault:
        if not fault.outdated:
            raise
        return False
    return True
