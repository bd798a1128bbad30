"""The container of an input: made, compared, changed where it is, made anew, and brought to its state."""

from __future__ import annotations

from dataclasses import replace

from lib.engine.errors import BadInput, NotFound
from lib.job.comparison import RECREATE, UPDATE, Difference, shown
from lib.job.container import states
from lib.job.container.brought import absent, changed, settled
from lib.job.container.compared import compared
from lib.job.container.creation import created
from lib.job.container.endpoints import CONNECT, DISCONNECT, RECONNECT
from lib.job.container.found import guard, of_name, of_this_wish
from lib.job.container.network_names import by_name, must_exist
from lib.job.container.recreation import again, is_kept, is_under_way, recreated, undone
from lib.job.container.told import CREATED, NONE, RECREATED, Tree, output
from lib.job.container.wish import ABSENT, HEALTHY, RUNNING, Wish, wish_of
from lib.job.errors import Differs, Interrupted, NotSettled
from lib.job.image import MISSING, Image, ensure_image
from lib.job.repeat import RUN, SPEC
from lib.job.replacement.abandoned import ended
from lib.job.replacement.machine import CALLS, ROLLED_BACK
from lib.job.replacement.making import CONNECT as CONNECT_CALL
from lib.job.replacement.names import REPLACES, Names, Part, new_one
from lib.job.replacement.refusals import alone
from lib.job.work import Work

_WIRES = (CONNECT, DISCONNECT, RECONNECT)
_TRIES, _PAUSE = 4, 0.3
"""How often, and after how many seconds, a run looks anew whose container another delivery has moved on meanwhile."""


def ensured_container(work: Work) -> Tree:
    """Return the output of EnsureContainer once the container is as wanted.

    Raises Conflict where a swarm or another run has it, Differs where it may not be made anew, WouldDestroy where that
    loses data, RolledBack where the new one was bad, NotStarted and NotReached where its state does not come, and
    NotSettled where its idempotency key stands for another input.
    """
    wish, names = wish_of(work), Names(str(work.fields["name"]).strip(), work.run.short)
    if wish.state == HEALTHY:
        work = replace(work, fields={**work.fields, "check": HEALTHY})
    if wish.state != ABSENT:
        wish = by_name(work, wish)
    warnings = list(work.warnings)
    for left in reversed(range(_TRIES)):
        begun, there = new_one(work, names), of_name(work, wish.name)
        guard(wish.name, there)
        of_this_wish(work, wish, begun, there)
        try:
            return _ensured(work, wish, names, begun, there)
        except NotSettled:
            if not left:
                raise
        # All that was done is found again by its names and labels, as by the next delivery.
        work.plan.clear()
        work.warnings[:] = warnings
        if work.context.cancelled.wait(_PAUSE):
            raise Interrupted
    raise AssertionError


def _ensured(work: Work, wish: Wish, names: Names, begun: Part | None, there: Part | None) -> Tree:
    if begun is not None and is_kept(names, begun) and not work.run.repeated:
        there = again(work, names, begun) or there
        begun = None
    if begun is None:
        ended(work, names)
        alone(work, names)
        there = _now(work, wish, there)
    if wish.state == ABSENT:
        return absent(work, wish, there)
    image = None
    if wish.image:
        image = _image(work, wish)
    if begun is not None and begun.name == names.next and there is not None:
        found = _needed(work, wish, there, begun, image)
        if found is not None:
            return _made_anew(work, wish, names, there, image, found) or {}
        there = _now(work, wish, undone(work, names, there, begun))
    elif begun is not None and is_under_way(work, names, begun):
        return _made_anew(work, wish, names, None, image, []) or {}
    if there is None:
        return _made(work, wish, image)
    if there.labels.get(RUN) != work.run.id:
        return _brought(work, wish, there, image, NONE)
    return _brought(work, wish, there, image, RECREATED if REPLACES in there.labels else CREATED)


def _now(work: Work, wish: Wish, planned: Part | None) -> Part | None:
    """Return the container of the name as it is after the steps so far; `planned` is what a dry run makes of it."""
    return planned if work.settings.dry_run else of_name(work, wish.name)


def _image(work: Work, wish: Wish) -> Image:
    try:
        return ensure_image(work, wish.image, str(work.fields.get("pull") or MISSING))
    except BadInput as bad:  # it names a part of the path
        text = bad.message.removeprefix("name").removeprefix(": ")
        raise BadInput(f"image: {text.strip()}", field="image", hint=bad.hint) from bad


def _needed(work: Work, wish: Wish, old: Part, begun: Part, image: Image | None) -> list[Difference] | None:
    """Return why a replacement that an earlier delivery has begun is still wanted, None where it is not.

    Somebody may have put another container in the old one's place meanwhile, or moved a tag back.
    """
    if old.id != begun.labels[REPLACES]:
        return None
    found = compared(work, wish, old, image).of(RECREATE)
    return found if found or work.fields.get("recreate") == "always" else None


def _made(work: Work, wish: Wish, image: Image | None) -> Tree:
    if image is None:
        raise NotFound(f"No such container: {wish.name}", hint="With an image it would be made")
    starts = wish.state in (RUNNING, HEALTHY)
    work.permit(CALLS[0], CONNECT_CALL, *([states.START] if starts else []))
    must_exist(work, wish)
    part = created(work, wish)
    if part is None:
        if starts:
            work.will("start", "container", wish.name)
        return {"action": CREATED, "differences": []}
    if part.labels.get(RUN) != work.run.id:
        return _brought(work, wish, part, image, NONE)  # somebody else was faster
    return _brought(work, wish, part, image, CREATED)


def _brought(work: Work, wish: Wish, part: Part, image: Image | None, action: str) -> Tree:
    """Compare a container that is there, change what differs, and bring it to its state."""
    found = compared(work, wish, part, image)
    anew = found.of(RECREATE)
    if action != NONE and anew:  # this run has made it
        work.warn(f"The engine keeps it otherwise than it was given: {shown(anew)}")
        anew = []
    if anew or (work.fields.get("recreate") == "always" and action == NONE):
        again = _again(work, wish, part, image, anew)
        if again is not None:
            return again
    changes = found.of(UPDATE), found.of(*_WIRES)
    # Of a container that is there, nobody else decides what it was made of.
    if action == NONE and not found.all and part.labels.get(SPEC, wish.spec) != wish.spec and not wish.strict:
        work.warn(f"{wish.name} was made from another input; what this one leaves out was not compared")
    action = changed(work, wish, part, changes, action)
    now = of_name(work, wish.name) if not work.settings.dry_run and action != NONE else part
    return settled(work, wish, now or part, action, [*anew, *changes[0], *changes[1]])


def _again(work: Work, wish: Wish, part: Part, image: Image | None, anew: list[Difference]) -> Tree | None:
    never = work.fields.get("recreate") == "never"
    if never or image is None:
        raise Differs(
            f"The container {wish.name} is there and differs: {shown(anew)}",
            differences=anew,
            hint="Set recreate to whenNeeded to make it anew"
            if never
            else "Give the image, so that it can be made anew",
        )
    return _made_anew(work, wish, Names(wish.name, work.run.short), part, image, anew)


def _made_anew(
    work: Work, wish: Wish, names: Names, old: Part | None, image: Image | None, found: list[Difference]
) -> Tree | None:
    work.permit(*CALLS, CONNECT_CALL)
    done = recreated(work, names, wish, old, image or Image(wish.image), found)
    action = RECREATED if done is None or done.action != ROLLED_BACK else ROLLED_BACK
    return None if done is None else output(work, action, done.new, found)
