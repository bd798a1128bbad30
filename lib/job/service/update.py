"""A change of a service's spec, sent at most once by all deliveries of a message together.

The run leaves its mark: where new tasks are made, among the labels of their containers, for those are still remembered
when the swarm has gone back to the old spec; else among the labels of the service, which makes no tasks. A mark in the
spec says that the update was made. One in tasks alone, or in the spec before the present one, says that it was made and
that another spec came after it. A swarm remembers no more than that.

An update names the version that it changes, so one whose answer was lost may be sent again: the swarm takes one of
both. Of deliveries at one moment, too, it takes one, and the others find its mark. For that the tasks are read between
two looks at the service. A mark in them is then no newer than the later look, in which the spec still has it unless
another spec has come after it. Without a mark in either, equal versions say that nothing was updated in between.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

from lib.engine.errors import EngineError, EngineFault, OutcomeUnknown
from lib.engine.expected import expected_form
from lib.engine.request.query import whole
from lib.engine.request.registry_auth import RegistryAuth
from lib.job.comparison import Difference, shown
from lib.job.errors import NotSettled
from lib.job.repeat import RUN, SPEC
from lib.job.service.differences import NEW_TASKS, Change, differences
from lib.job.service.service import UPDATE, Service, Tree, look
from lib.job.service.tasks import Task, of_service
from lib.job.work import Work

_AUTH = RegistryAuth("requestBody.TaskTemplate.ContainerSpec.Image")
_TRIES = 20
"""Updates and looks while others change the service: each of their updates costs a few, for the swarm enters into the
service that it begins, and that it ends."""
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


def update(
    work: Work, name: str, change: Change, *, spec: str, force: bool = False, reason: str = ""
) -> Update:
    """Bring a service's spec to what `change` makes of it: a function of a spec that leaves its argument alone.

    `spec` is the mark of the input. `force`: new tasks are made even if nothing differs. In a dry run the plan gets the
    entry, and nothing is sent. Raises NotFound, NoManager, ReadOnly, NotSettled where the run was another input's, and
    EngineFault or OutcomeUnknown where the update could not be brought in.
    """
    planned = False
    trouble: EngineError | None = None
    for _ in range(_TRIES):
        holding = look(work, name, defaults=True)
        tasks = of_service(work, holding.id)
        service = look(work, holding.id)
        if how := _earlier(work, tasks, service, spec):
            return _over(work, planned, how)
        if holding.version != service.version:
            continue  # somebody changes it just now
        with expected_form():
            found = differences(change, service.spec, holding.spec)
        if not found and not force:
            return _over(work, planned, Update(NOTHING, service))
        if not planned:
            work.permit(UPDATE)
            planned = True
            if not work.will("update", "service", service.name, reason or shown(found) or "it is forced"):
                return Update(SENT, service, found)
        with expected_form():
            marks = {RUN: work.run.id, SPEC: spec}
            wanted = _marked(change(copy.deepcopy(service.spec)), marks, found, force=force)
        trouble = _send(work, service, wanted)
        lost = isinstance(trouble, OutcomeUnknown)
        if trouble is None or (lost and _arrived(work, service.id, spec)):
            return Update(SENT, service, found)
        if lost and not work.deadline.left:
            break  # to wait for an answer may take minutes
    if isinstance(trouble, OutcomeUnknown):
        raise trouble
    raise EngineFault(
        f"The service {name} was changed by others in each of {_TRIES} tries", hint="Send it again later"
    )


def _arrived(work: Work, identity: str, spec: str) -> bool:
    """Whether an update whose answer is lost was made."""
    tasks = of_service(work, identity)
    return _earlier(work, tasks, look(work, identity), spec) is not None


def _earlier(work: Work, tasks: list[Task], service: Service, spec: str) -> Update | None:
    """Return what an earlier delivery of this message, or one at the same moment, has made of a service.

    `tasks` were read before the service was: a mark that only they have is an update that is over.
    """
    before = _before(service)
    mine = [labels for one in (service, before) if (labels := one.marks(work.run.id)) is not None]
    if not mine:
        mine = [task.labels for task in tasks if task.run == work.run.id]
    if any(labels.get(SPEC) not in (None, spec) for labels in mine):
        raise NotSettled(
            f"{service.name} was changed for another input with the same idempotency key or message id",
            hint="Give each input a key of its own",
        )
    if not service.was_changed_by(work.run.id):
        return Update(OVERTAKEN, service) if mine else None
    if before is service or before.was_changed_by(work.run.id):
        return Update(FOUND, before)  # there was another update since
    with expected_form():
        return Update(FOUND, before, differences(lambda _: service.spec, before.spec, before.spec))


def _over(work: Work, planned: bool, update: Update) -> Update:
    """Return the outcome of an update that others have made meanwhile: it is not in the plan."""
    if planned:
        work.without_effect()
    return update


def _before(service: Service) -> Service:
    """Return the service as it was before its last update, as far as the swarm remembers it."""
    spec = service.told.get("PreviousSpec")
    return replace(service, spec=dict(spec)) if isinstance(spec, dict) else service


def _marked(spec: Tree, marks: dict[str, str], found: list[Difference], *, force: bool) -> Tree:
    template = spec.get("TaskTemplate")
    new_tasks = force or any(one["effect"] == NEW_TASKS for one in found)
    if not new_tasks or not isinstance(template, dict):
        return {**spec, "Labels": {**(spec.get("Labels") or {}), **marks}}
    if force:
        template = {**template, "ForceUpdate": int(template.get("ForceUpdate") or 0) + 1}
    container: dict[str, Any] = template.get("ContainerSpec") or {}
    labels = {**(container.get("Labels") or {}), **marks}
    return {**spec, "TaskTemplate": {**template, "ContainerSpec": {**container, "Labels": labels}}}


def _send(work: Work, service: Service, spec: Tree) -> EngineError | None:
    """Send an update. Return why it may not have been taken: another one was faster, or its answer was lost."""
    fields = {"id": service.id, "version": service.version, "requestBody": spec}
    try:
        work.engine.post(
            UPDATE[1], fields, query=(whole("version"),), headers=(_AUTH,), body="requestBody", timeout="slow"
        )
    except OutcomeUnknown as lost:
        return lost
    except EngineFault as fault:
        if not fault.outdated:
            raise
        return fault
    return None
