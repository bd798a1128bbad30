"""RolloutService: a service is changed, and has arrived, or what kept it from arriving is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from lib.engine.expected import expected_form
from lib.job.errors import NotReached, RolledBack
from lib.job.service.convergence import (
    CONVERGED,
    NOT_REACHED,
    PAUSED,
    ROLLED_BACK,
    Arrival,
    Watch,
)
from lib.job.service.differences import Change
from lib.job.service.failures import failures
from lib.job.service.image import bound
from lib.job.service.service import Service, Tree, look
from lib.job.service.tasks import of_service
from lib.job.service.update import NOTHING, OVERTAKEN, Update, update
from lib.job.service.wish import change_of, going_back, mark_of, object_of
from lib.job.settings import EMIT
from lib.job.work import Work

UNCHANGED, STARTED, PLANNED = "unchanged", "started", "planned"
_GOES_BACK = "rollback"
_GOES_ON = "continue"
"""What a swarm has to do with a service whose tasks end well: to a swarm each end during its watch is a failure."""
_TOLD_BY_ERROR = "message"


@dataclass(frozen=True)
class Rollout:
    """How a change of a service ended: one of the outcomes of docs/jobs.md, and the whole output."""

    outcome: str
    output: Tree
    made: Update | None
    """What was sent; None where it is only planned to make the service."""


def rolled_out(
    work: Work,
    name: str,
    change: Change,
    *,
    spec: str,
    force: bool = False,
    wait: bool = True,
    reason: str = "",
) -> Rollout:
    """Bring a service's spec to what `change` makes of it, and wait until its tasks have arrived.

    `change` is a function from a spec to the wanted one that leaves its argument alone, `spec` the mark of the input.
    All deliveries of a message send the update once; one that was rolled back is told, and not sent again. Raises
    NotFound, NoManager, ReadOnly, NotSettled, and TimeIsUp at the deadline; a bad outcome raises nothing here.
    """
    return arrived(work, update(work, name, change, spec=spec, force=force, reason=reason), wait=wait)


def arrived(work: Work, made: Update, *, wait: bool = True) -> Rollout:
    """Wait until an update, or a new service, has arrived."""
    name = made.before.name
    if work.settings.dry_run:
        return _ended(work, made, UNCHANGED if made.how == NOTHING else PLANNED, None)
    if made.how == OVERTAKEN and not look(work, made.before.id).update_state.startswith("rollback"):
        text = f"{name} was changed by something else after this update, which was not sent again"
        return _ended(work, made, NOT_REACHED, None, text)
    if not wait:
        return _ended(work, made, STARTED if made.made else UNCHANGED, None)
    watch = Watch(work, made.before, work.run.id if made.made else "")
    seen = watch.verdict(lambda seen: _details(_output(work, made, NOT_REACHED, seen, seen.text)))
    good = seen.outcome == CONVERGED
    return _ended(work, made, UNCHANGED if good and not made.made else seen.outcome, seen)


def rolled_out_service(work: Work) -> Tree:
    """Return the output of RolloutService; raises RolledBack and NotReached unless badOutcome is to be emitted."""
    fields = work.fields
    name = str(fields["service"])
    service = look(work, name)
    image, resolve = fields.get("image"), bool(fields.get("resolveDigest", True))
    image = "" if image is None else bound(work, str(image), resolve=resolve)
    change = change_of(fields, image)
    raw = object_of(fields, "spec").get("UpdateConfig")
    said = fields.get("onFailure") or (isinstance(raw, dict) and raw.get("FailureAction"))
    if not said:
        with expected_form():
            change = safely(change, service)
    done = rolled_out(
        work,
        service.id,
        change,
        spec=mark_of(fields),
        force=bool(fields.get("force")),
        wait=bool(fields.get("wait", True)),
    )
    return checked(work, done)


def safely(change: Change, service: Service) -> Change:
    """Return a change with a way back where tasks are made anew: else there is nothing to go back from."""
    wanted = change(service.spec)
    if service.is_job or wanted.get("TaskTemplate") == service.spec.get("TaskTemplate"):
        return change
    ends = replace(service, spec=wanted).may_end
    return going_back(change, _GOES_ON if ends else _GOES_BACK)


def checked(work: Work, done: Rollout) -> Tree:
    """Return the output of a rollout; raises an error for a bad outcome where the setting badOutcome is not `emit`."""
    if done.outcome not in (ROLLED_BACK, PAUSED, NOT_REACHED) or work.settings.bad_outcome == EMIT:
        return done.output
    kind: Callable[..., Exception] = RolledBack if done.outcome == ROLLED_BACK else NotReached
    raise kind(done.output["message"], **_details(done.output))


def _details(output: Tree) -> Tree:
    """Return an output as an error carries it: its message is that of the error."""
    return {key: value for key, value in output.items() if key != _TOLD_BY_ERROR}


def _ended(work: Work, made: Update, outcome: str, seen: Arrival | None, text: str = "") -> Rollout:
    return Rollout(outcome, _output(work, made, outcome, seen, text), made)


def _output(work: Work, made: Update, outcome: str, seen: Arrival | None, text: str) -> Tree:
    bad = outcome in (ROLLED_BACK, PAUSED, NOT_REACHED)
    after = seen.service if seen else made.before
    told: Tree = {
        "outcome": outcome,
        "reached": not bad,
        "changed": made.made,
        "service": {"id": after.id, "name": after.name},
        "updateState": after.update_state,
        "message": text or (_message(outcome, seen) if seen else ""),
        "failed": [],
        "before": _version(made.before),
        "after": _version(after),
        "differences": made.differences,
    }
    if seen:
        told |= {"running": seen.running, "desired": seen.desired}
        ours = [task for task in of_service(work, after.id) if task.run == work.run.id or not made.made]
        told["failed"] = failures(work, ours or of_service(work, after.id)) if bad else []
    return told


def _message(outcome: str, seen: Arrival) -> str:
    if outcome == ROLLED_BACK:
        told = seen.service.update_message
        return f"{seen.service.name} went back to what it was before" + (f": {told}" if told else "")
    return seen.text


def _version(service: Service) -> dict[str, Any]:
    return {"image": service.image, "version": service.version}
