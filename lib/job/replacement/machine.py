"""The replacement of one container, step by step. Each step is taken only if what it wants is not so yet.

1. Make the new one beside the old one. It needs neither its ports nor its addresses before it is started.
2. Take the old one's restart policy away: an engine that starts again would start it with the new one.
3. Stop the old one.
4. Rename the old one, then the new one.
5. Start the new one, and look whether it is good.
6. Good: delete the old one. Bad: stop the new one and rename it, which is the decision to go back; then the old one
   gets its name and its policy back, and runs.

A step that dies anywhere finds its place by the names and labels of both, see `names`. A dry run does so as well, and
enters the steps that are left; what was not started yet it takes to be good.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib.engine.errors import Conflict, EngineFault, NoSuchOperation, NotFound, Refused
from lib.engine.expected import expected_form
from lib.job.errors import RolledBack
from lib.job.replacement.making import CREATE, Wish, connected, forgotten, made
from lib.job.replacement.names import (
    REPLACES,
    WAS_UP,
    Names,
    Part,
    as_it_was,
    look,
    new_one,
    policy_in,
    starts,
    sure,
    there,
)
from lib.job.replacement.verdict import Verdict, judged
from lib.job.states import State
from lib.job.waiting import Deadline
from lib.job.work import Work
from lib.job.writes import removed, sent

CALLS = (
    CREATE,
    ("POST", "/containers/{id}/update"),
    ("POST", "/containers/{id}/stop"),
    ("POST", "/containers/{id}/rename"),
    ("POST", "/containers/{id}/start"),
    ("DELETE", "/containers/{id}"),
)
REDEPLOYED, ROLLED_BACK = "redeployed", "rolledBack"
_PATIENCE, _PAUSE = 10.0, 0.2
"""Seconds in which a container that is restarting can be updated again, and between two tries."""
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """How it ended; `new` is None in a dry run. `reason` says why the new one was bad."""

    action: str
    old: Part
    new: Part | None = None
    verdict: Verdict | None = None
    reason: str = ""
    kept: str = ""

    @property
    def exit_code(self) -> int:
        """That for which the new one was given up: one that was starting again is stopped with another one."""
        seen = self.verdict.state.exit_code if self.verdict else 0
        return seen or (State.of(self.new.told).exit_code if self.new else 0)


def replaced(work: Work, names: Names, old: Part | None, wish: Callable[[Part], Wish]) -> Done:
    """Put a new container in the place of `old`, which is None where an earlier delivery has renamed it already.

    `wish` is asked where the new one is not made yet. Raises RolledBack where the old one cannot be brought back, and
    NotSettled where somebody else has taken one of the two away.
    """
    work.permit(*CALLS)
    new = new_one(work, names)
    if new is None:
        if old is None:
            raise NotFound(f"No such container: {names.name}", hint="It may have been removed meanwhile")
        wanted = wish(old)
        identity = made(work, names, old, wanted)
        if not identity:
            return _planned(work, names, old, wanted)
        new = there(work, identity)
    before = look(work, new.labels[REPLACES])
    if new.name == names.failed:
        return back(work, names, sure(before, names.name), new, "")
    if before is not None:
        if new.name == names.next:
            _connected(work, new, wish(before))
        _make_way(work, names, before, new)
        _swap(work, names, before, new)
        before = there(work, before.id)
    elif new.name == names.next and not work.settings.dry_run:  # somebody has removed the old one
        _rename(work, new.id, names.name)
    new, trouble = _up(work, names, there(work, new.id))
    judges = starts(new.labels) and new.was_started and not trouble
    verdict = _looked_at(work, new) if judges else None
    reason = trouble or (verdict.reason if verdict else "")
    if reason and before is not None:
        _give_up(work, names, there(work, new.id))  # it may have ended since the look before
        return replace(back(work, names, before, there(work, new.id), reason), verdict=verdict)
    if before is not None and work.will("remove", "container", names.previous, "the new one is good"):
        _delete(work, before.id)
    return Done(REDEPLOYED, before or new, there(work, new.id), verdict, reason)


def _connected(work: Work, new: Part, wish: Wish) -> None:
    """Connect the new container to its networks: who made it may have died before all of them were there."""
    if not work.settings.dry_run:
        connected(work, new.id, wish.networks)


def _looked_at(work: Work, new: Part) -> Verdict:
    """Judge the new container; one that may not be looked at is not kept."""
    try:
        return judged(work, new.id)
    except Refused as refused:
        with expected_form():
            return Verdict(State.of(new.told), f"It could not be looked at: {refused.message}")


def _make_way(work: Work, names: Names, old: Part, new: Part) -> None:
    """Stop the old one; where the engine cannot take its policy away (Podman), it goes on and the new one goes."""
    try:
        _stop_old(work, names, old)
    except NoSuchOperation:
        if new.name == names.next:
            forgotten(work, names, new)
        raise


def _stop_old(work: Work, names: Names, old: Part) -> None:
    engine = work.engine
    if old.policy.get("Name") not in (None, "", "no") and work.will(
        "update", "container", old.name, "an engine that starts again leaves it alone"
    ):
        _update(work, old.id, {"Name": "no"})
    if old.up and work.will("stop", "container", old.name, f"{names.name} is put in its place"):
        fields: Tree = {"id": old.id}
        if (seconds := work.fields.get("stopSeconds")) is not None:
            fields["t"] = int(seconds)
        _once(
            work,
            old.id,
            lambda: engine.post(
                CALLS[2][1], fields, query=("t",) if "t" in fields else (), timeout="slow", unchanged=True
            ),
            lambda part: not part.up,
        )


def _swap(work: Work, names: Names, old: Part, new: Part) -> None:
    for part, wanted in ((old, names.previous), (new, names.name)):
        if part.name != wanted and work.will("rename", "container", part.name, f"to {wanted}"):
            _rename(work, part.id, wanted)


def _up(work: Work, names: Names, new: Part) -> tuple[Part, str]:
    """Start the new container unless it was; return it, and why the engine refused."""
    if not starts(new.labels) or new.was_started:
        return new, ""
    if not work.will("start", "container", names.name):
        return new, ""
    try:
        sent(
            lambda: work.engine.post(CALLS[4][1], {"id": new.id}, timeout="slow", unchanged=True),
            lambda: there(work, new.id).was_started,
        )
    except Refused as refused:
        return there(work, new.id), f"It was not started: {refused.message}"
    return there(work, new.id), ""


def _give_up(work: Work, names: Names, new: Part) -> None:
    """Stop the new container, which nothing may start again, and rename it: from here on there is no way but back."""
    if new.up and work.will("stop", "container", names.name, "the new one is bad"):
        _update(work, new.id, {"Name": "no"})
        sent(
            lambda: work.engine.post(CALLS[2][1], {"id": new.id}, timeout="slow", unchanged=True),
            lambda: not there(work, new.id).up,
        )
    if work.will("rename", "container", names.name, f"to {names.failed}"):
        _rename(work, new.id, names.failed)


def back(work: Work, names: Names, old: Part, new: Part, reason: str) -> Done:
    """Give the old container its name and its policy back, and start it if it ran."""
    old = there(work, old.id)
    if old.name != names.name and work.will("rename", "container", old.name, f"to {names.name}"):
        _rename(work, old.id, names.name)
    policy = policy_in(new.labels)
    if (
        policy.get("Name") not in (None, "", "no")
        and old.policy != policy
        and work.will("update", "container", names.name, "its restart policy")
    ):
        _update(work, old.id, policy)
    if (
        new.labels.get(WAS_UP) != "false"
        and not old.up
        and work.will("start", "container", names.name, "the old one runs again")
    ):
        _start_old(work, names, old)
    now = as_it_was(old, new, names.name) if work.settings.dry_run else there(work, old.id)
    return Done(ROLLED_BACK, now, new, None, reason, names.failed)


def _start_old(work: Work, names: Names, old: Part) -> None:
    try:
        sent(
            lambda: work.engine.post(CALLS[4][1], {"id": old.id}, timeout="slow", unchanged=True),
            lambda: there(work, old.id).up,
        )
    except Refused as refused:
        raise RolledBack(
            f"The new {names.name} is bad, and the old one could not be started: {refused.message}",
            hint="Look at both; the new one is kept",
            kept=names.failed,
            oldState=there(work, old.id).told["State"].get("Status"),
        ) from refused


def _planned(work: Work, names: Names, old: Part, wish: Wish) -> Done:
    """Enter the steps of a good replacement into the plan of a dry run."""
    _stop_old(work, names, old)
    work.will("rename", "container", names.name, f"to {names.previous}")
    work.will("rename", "container", names.next, f"to {names.name}")
    if old.up if wish.starts is None else wish.starts:
        work.will("start", "container", names.name)
    work.will("remove", "container", names.previous, "the new one is good")
    return Done(REDEPLOYED, old)


def _update(work: Work, identity: str, policy: Mapping[str, Any]) -> None:
    """Set the restart policy. Between two restarts an engine cannot update a container (500) for a moment."""
    body, patience = {"RestartPolicy": dict(policy)}, Deadline(_PATIENCE)
    while True:
        try:
            _once(
                work,
                identity,
                lambda: work.engine.post(CALLS[1][1], {"id": identity}, body=body),
                lambda part: part.policy.get("Name") == policy.get("Name"),
            )
        except EngineFault:
            if not patience.left or work.context.cancelled.wait(_PAUSE):
                raise
        else:
            return


def _rename(work: Work, identity: str, name: str) -> None:
    fields = {"id": identity, "name": name}
    _once(
        work,
        identity,
        lambda: work.engine.post(CALLS[3][1], fields, query=("name",)),
        lambda part: part.name == name,
    )


def _once(work: Work, identity: str, write: Callable[[], object], reached: Callable[[Part], bool]) -> None:
    """Send a write that another delivery of the message may have sent at the same moment.

    It is refused then, because it is done already, or because the container goes: that is NotSettled.
    """
    try:
        sent(write, lambda: reached(there(work, identity)))
    except Refused:
        part = there(work, identity)
        if part.told["State"].get("Status") in ("removing", "dead"):
            sure(None, part.name)
        if not reached(part):
            raise


def _delete(work: Work, identity: str) -> None:
    """Delete the old container; its volumes stay."""
    try:
        removed(
            lambda: work.engine.delete(
                CALLS[5][1], {"id": identity, "force": True}, query=("force",), timeout="slow"
            ),
            lambda: look(work, identity) is None,
        )
    except Conflict:  # in progress already
        return
