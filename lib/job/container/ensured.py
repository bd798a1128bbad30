"""The container of an input: made, compared, changed where it is, made anew, and brought to its state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lib.engine.errors import NotFound
from lib.engine.expected import expected_form
from lib.job.comparison import RECREATE, UPDATE, Difference, shown
from lib.job.container import states, updates
from lib.job.container.compared import compared
from lib.job.container.creation import created
from lib.job.container.endpoints import CONNECT, DISCONNECT, RECONNECT
from lib.job.container.found import guard, of_name
from lib.job.container.recreation import forgotten, recreated
from lib.job.container.wish import ABSENT, HEALTHY, RUNNING, STOPPED, Wish, wish_of
from lib.job.errors import Differs
from lib.job.image import Image, ensure_image
from lib.job.repeat import RUN, SPEC
from lib.job.replacement.evidence import swept
from lib.job.replacement.machine import CALLS
from lib.job.replacement.making import CONNECT as CONNECT_CALL
from lib.job.replacement.names import REPLACES, Names, Part, new_one
from lib.job.replacement.refusals import alone
from lib.job.states import State
from lib.job.work import Work

NONE, CREATED, RECREATED, UPDATED = "none", "created", "recreated", "updated"
STARTED, STOPPED_NOW, REMOVED = "started", "stopped", "removed"
_WIRES = (CONNECT, DISCONNECT, RECONNECT)
Tree = dict[str, Any]


def ensured_container(work: Work) -> Tree:
    """Return the output of EnsureContainer once the container is as wanted.

    Raises Conflict where a swarm or another run has it, Differs where it may not be made anew, WouldDestroy where that
    loses data, RolledBack where the new one was bad, NotStarted and NotReached where its state does not come.
    """
    wish, names = wish_of(work), Names(str(work.fields["name"]).strip(), work.run.short)
    if wish.state == HEALTHY:
        work = replace(work, fields={**work.fields, "check": HEALTHY})
    begun = new_one(work, names)
    there = of_name(work, wish.name)
    guard(wish.name, there)
    if begun is None:
        alone(work, names)
    if wish.state == ABSENT:
        return _absent(work, wish, there)
    image = None
    if wish.image:
        image = ensure_image(work, wish.image, str(work.fields.get("pull") or "missing"))
    if begun is not None and (there is None or there.id == begun.id or begun.name != names.next):
        return _made_anew(work, wish, names, None, image, []) or {}
    if there is None:
        return _made(work, wish, image)
    if begun is not None and begun.name == names.next and not _needed(work, wish, there, image):
        forgotten(work, names, begun)
    if there.labels.get(RUN) == work.run.id and REPLACES not in there.labels:
        return _brought(work, wish, there, image, CREATED)
    return _brought(work, wish, there, image, NONE)


def _needed(work: Work, wish: Wish, part: Part, image: Image | None) -> bool:
    """Whether a replacement that an earlier delivery has begun is still wanted."""
    return work.fields.get("recreate") == "always" or bool(compared(work, wish, part, image).of(RECREATE))


def _made(work: Work, wish: Wish, image: Image | None) -> Tree:
    if image is None:
        raise NotFound(f"No such container: {wish.name}", hint="With an image it would be made")
    starts = wish.state in (RUNNING, HEALTHY)
    work.permit(CALLS[0], CONNECT_CALL, *([states.START] if starts else []))
    part = created(work, wish)
    if part is None:
        for network in list(wish.networks)[1:]:
            work.will("connect", "container", wish.name, f"to the network {network}")
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
    always = str(work.fields.get("recreate") or "") == "always" and action == NONE
    if action == CREATED and anew:
        work.warn(f"The engine keeps it otherwise than it was given: {shown(anew)}")
        anew = []
    if anew or always:
        again = _again(work, wish, part, image, anew)
        if again is not None:
            return again
    changes = found.of(UPDATE), found.of(*_WIRES)
    # Of a container that is there, nobody else decides what it was made of.
    if action == NONE and not found.all and part.labels.get(SPEC, wish.spec) != wish.spec and not wish.strict:
        work.warn(f"{wish.name} was made from another input; what this one leaves out was not compared")
    action = _changed(work, wish, part, changes, action)
    now = of_name(work, wish.name) if not work.settings.dry_run and action != NONE else part
    return _settled(work, wish, now or part, action, [*anew, *changes[0], *changes[1]])


def _again(work: Work, wish: Wish, part: Part, image: Image | None, anew: list[Difference]) -> Tree | None:
    if str(work.fields.get("recreate") or "") == "never":
        raise Differs(
            f"The container {wish.name} is there and differs: {shown(anew)}",
            differences=anew,
            hint="Set recreate to whenNeeded to make it anew",
        )
    if image is None:
        raise Differs(
            f"The container {wish.name} is there and differs: {shown(anew)}",
            differences=anew,
            hint="Give the image, so that it can be made anew",
        )
    return _made_anew(work, wish, Names(wish.name, work.run.short), part, image, anew)


def _made_anew(
    work: Work, wish: Wish, names: Names, old: Part | None, image: Image | None, found: list[Difference]
) -> Tree | None:
    work.permit(*CALLS, CONNECT_CALL)
    if old is not None:
        swept(work, names)
    done = recreated(work, names, wish, old, image or Image(wish.image), found)
    if done is None:
        return None
    return _output(work, RECREATED, done.new, found)


def _changed(
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


def _settled(work: Work, wish: Wish, part: Part, action: str, found: list[Difference]) -> Tree:
    name, up = wish.name, states.is_up(part)
    if wish.state == STOPPED and part.up:
        work.permit(states.STOP)
        states.stopped(work, name, part, "it shall not run")
        action = STOPPED_NOW if action == NONE else action
    if wish.state == STOPPED and part.policy.get("Name") == "always":
        work.warn(f"The policy of {name} is always: it runs again once the engine is started again")
    if wish.state in (RUNNING, HEALTHY):
        if not up:
            work.permit(states.START, states.UNPAUSE)
            states.started(work, name, part)
            action = STARTED if action == NONE else action
        unsure = wish.state == HEALTHY or bool(part.told["State"].get("Restarting"))
        if not work.settings.dry_run and (unsure or action in (CREATED, STARTED)):
            states.proven(work, name, part)
    return _output(work, action, part if work.settings.dry_run else of_name(work, name), found)


def _absent(work: Work, wish: Wish, part: Part | None) -> Tree:
    if part is None:
        return {"action": NONE, "differences": []}
    work.permit(states.STOP, states.DELETE)
    if part.up:
        states.stopped(work, wish.name, part, "it shall be absent")
    states.taken_away(work, wish.name, part)
    return {"action": REMOVED, "differences": []}


def _output(work: Work, action: str, part: Part | None, found: list[Difference]) -> Tree:
    told: Tree = {"action": action, "differences": found}
    told["changed"] = action != NONE and not work.settings.dry_run
    if part is None or (work.settings.dry_run and action == CREATED):
        return told
    with expected_form():
        state = State.of(part.told)
        networks = {
            str(key): str((end or {}).get("IPAddress") or "")
            for key, end in (part.told["NetworkSettings"].get("Networks") or {}).items()
        }
        ports = [
            {
                "port": str(key),
                "hostIp": str(one.get("HostIp") or ""),
                "hostPort": str(one.get("HostPort") or ""),
            }
            for key, places in (part.told["NetworkSettings"].get("Ports") or {}).items()
            for one in places or ()
        ]
        image = {"reference": str(part.told["Config"].get("Image") or ""), "id": str(part.told["Image"])}
        told["container"] = {
            "id": state.id,
            "name": state.name,
            "state": state.status,
            "health": state.health,
            "image": image,
            "ports": ports,
            "networks": networks,
        }
    return told
