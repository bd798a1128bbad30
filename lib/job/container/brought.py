"""A container that is not made anew: changed where it is, brought to its state, or removed."""

from __future__ import annotations

from lib.engine.expected import expected_form
from lib.job.comparison import UPDATE, Difference, shown
from lib.job.container import states, updates
from lib.job.container.compared import compared
from lib.job.container.found import of_name
from lib.job.container.told import CREATED, NONE, REMOVED, STARTED, STOPPED_NOW, UPDATED, Tree, output
from lib.job.container.wish import HEALTHY, RUNNING, STOPPED, Wish
from lib.job.replacement.names import Part
from lib.job.work import Work


def changed(
    work: Work, wish: Wish, part: Part, changes: tuple[list[Difference], list[Difference]], action: str
) -> str:
    """Make the changes that an engine makes of a container that is there."""
    settable, wires = changes
    if not settable and not wires:
        return action
    work.permit(*updates.WRITES)
    if wires:
        updates.rewired(work, wish, part, wires)
    if settable:
        updates.updated(work, wish, part, settable)
        _kept(work, wish, settable)
    return UPDATED if action == NONE and work.plan else action


def _kept(work: Work, wish: Wish, settable: list[Difference]) -> None:
    """Look whether an update had an effect: an engine without some limits takes them and keeps nothing."""
    now = None if work.settings.dry_run else of_name(work, wish.name)
    if now is None:
        return
    with expected_form():
        still = compared(work, wish, now, None).of(UPDATE)
    if still == settable:
        work.without_effect()
    if still:
        work.warn(f"The engine keeps it otherwise than it was given: {shown(still)}")


def settled(work: Work, wish: Wish, part: Part, action: str, found: list[Difference]) -> Tree:
    """Stop or start a container until it is in the state that is wanted, and return the output."""
    name = wish.name
    if wish.state == STOPPED:
        if part.up:
            work.permit(states.STOP)
            states.stopped(work, name, part, "it shall not run")
            action = STOPPED_NOW if action == NONE else action
        if part.policy.get("Name") == "always":
            work.warn(f"The policy of {name} is always: it runs again once the engine is started again")
    if wish.state in (RUNNING, HEALTHY):
        starts = not states.is_up(part)
        if starts:
            work.permit(states.START, states.UNPAUSE)
            states.started(work, name, part)
            action = STARTED if action == NONE else action
        unsure = starts or action == CREATED or wish.state == HEALTHY or states.may_loop(work, part)
        if unsure and not work.settings.dry_run:
            states.proven(work, name, part, started=starts)
    return output(work, action, part if work.settings.dry_run else of_name(work, name), found)


def absent(work: Work, wish: Wish, part: Part | None) -> Tree:
    """Stop and remove a container, and return the output."""
    if part is None:
        return {"action": NONE, "differences": []}
    work.permit(states.STOP, states.DELETE)
    if part.up:
        states.stopped(work, wish.name, part, "it shall be absent")
    states.taken_away(work, wish.name, part)
    return {"action": REMOVED, "differences": []}
