"""EnsureService: a service of a name as it is wanted; made, changed until its tasks have arrived, or removed.

Its name is the lock: of two creates a swarm takes one. The container labels of the run are the mark of a create, as
they are of an update.
"""

from __future__ import annotations

import re
from dataclasses import replace

from lib.engine.errors import BadInput, Conflict, NotFound
from lib.engine.expected import expected_form
from lib.engine.request.registry_auth import RegistryAuth
from lib.engine.swarm_update import merged
from lib.job.errors import Differs
from lib.job.repeat import JOB, RUN, SPEC, STEP
from lib.job.service.rollout import PLANNED, Rollout, arrived, checked, rolled_out, safely
from lib.job.service.service import PATH, Service, Tree, find
from lib.job.service.update import SENT, Update
from lib.job.service.wanted import Wish, wish_of
from lib.job.waiting import TimeIsUp
from lib.job.work import Work
from lib.job.writes import removed, sent

CREATE, DELETE = ("POST", "/services/create"), ("DELETE", PATH)
_AUTH = RegistryAuth("requestBody.TaskTemplate.ContainerSpec.Image")
_NAME = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9_.-]{0,61}[a-zA-Z0-9])?")
_TRIES = 5


def ensured_service(work: Work) -> Tree:
    """Return the output of EnsureService; raises RolledBack and NotReached unless badOutcome is to be emitted.

    Raises Differs where the mode is another one: a swarm changes none.
    """
    name = str(work.fields["name"]).strip()
    if not _NAME.fullmatch(name):
        hint = "Up to 63 letters, digits, dots, dashes and underscores; the ends are letters or digits"
        raise BadInput("name: no service can have this one", field="name", hint=hint)
    if work.fields.get("state") == "absent":
        return _absent(work, name)
    wish, wait = wish_of(work, name), bool(work.fields.get("wait", True))
    for _ in range(_TRIES):
        if there := _there(work, name):
            return _changed(work, wish, there, wait=wait)
        if done := _created(work, wish, wait=wait):
            return checked(work, done)
    raise Conflict(
        f"The service {name} cannot be made: its name is taken, and no service has it",
        hint="Names that differ in upper and lower case alone are one name; or others make it and remove it",
    )


def _changed(work: Work, wish: Wish, there: Service, *, wait: bool) -> Tree:
    if wish.mode and there.mode != wish.mode:
        raise Differs(
            f"The service {there.name} is {there.mode}, not {wish.mode}",
            differences=[{"path": "Mode", "before": there.mode, "after": wish.mode, "effect": "recreate"}],
            hint="A swarm changes no mode: remove it first (state absent), or leave mode out",
        )
    with expected_form():
        change = wish.change if wish.says_on_failure else safely(wish.change, there)
    is_new = there.was_changed_by(work.run.id) and not there.told.get("PreviousSpec")
    acted = "created" if is_new else "updated"
    try:
        done = rolled_out(work, there.id, change, spec=wish.spec, wait=wait)
    except TimeIsUp as late:
        raise _late(late, acted if late.details.get("changed") else "none") from late
    action = acted if done.made and done.made.made else "none"
    return checked(work, replace(done, output={**done.output, "action": action}))


def _created(work: Work, wish: Wish, *, wait: bool) -> Rollout | None:
    """Make the service; None where another one of its name was faster."""
    work.permit(CREATE)
    body = _marked(work, wish)
    if not work.will("create", "service", wish.name, "it is missing"):
        return _planned(wish, body)
    fields = {"requestBody": body}

    def write() -> None:
        work.engine.post(CREATE[1], fields, headers=(_AUTH,), body="requestBody", timeout="slow")

    def took_effect() -> bool:
        there = _there(work, wish.name)
        return there is not None and there.was_changed_by(work.run.id)

    try:
        sent(write, took_effect)
    except Conflict:
        work.without_effect()
        return None
    if not (there := _there(work, wish.name)):
        raise NotFound(f"The service {wish.name} was created, and is not there", hint="Something removes it")
    try:
        done = arrived(work, Update(SENT, there), wait=wait)
    except TimeIsUp as late:
        raise _late(late, "created") from late
    output = {key: value for key, value in done.output.items() if key != "before"}
    return replace(done, output={**output, "action": "created"})


def _late(late: TimeIsUp, action: str) -> TimeIsUp:
    return TimeIsUp(late.message, hint=late.hint, **{**late.details, "action": action})


def _planned(wish: Wish, body: Tree) -> Rollout:
    """What a dry run says of a service that would be made."""
    image = body["TaskTemplate"]["ContainerSpec"]["Image"]
    output: Tree = {"outcome": PLANNED, "reached": True, "action": "created", "failed": [], "differences": []}
    output |= {
        "service": {"id": "", "name": wish.name},
        "updateState": "",
        "message": "",
        "after": {"image": image},
    }
    return Rollout(PLANNED, output, None)


def _marked(work: Work, wish: Wish) -> Tree:
    marks = {RUN: work.run.id, SPEC: wish.spec}
    made_by = {JOB: work.run.key, STEP: work.run.step}
    return merged(wish.body, {"Labels": made_by, "TaskTemplate": {"ContainerSpec": {"Labels": marks}}})


def _absent(work: Work, name: str) -> Tree:
    there = _there(work, name)
    if there:
        work.permit(DELETE)
        if work.will("remove", "service", there.name, "it shall be absent"):
            fields = {"id": there.id}
            removed(lambda: work.engine.delete(PATH, fields), lambda: find(work, there.id) is None)
    found = {"id": there.id, "name": there.name} if there else {"id": "", "name": name}
    return {
        "action": "removed" if there else "none",
        "outcome": "unchanged" if not there else PLANNED if work.settings.dry_run else "removed",
        "reached": True,
        "service": found,
        "failed": [],
        "differences": [],
    }


def _there(work: Work, name: str) -> Service | None:
    """Return the service of a name: a swarm takes the beginning of an id, too."""
    found = find(work, name)
    return found if found and found.name == name else None
