"""A container made anew: by the replace machine, so that the old one is kept until the new one is good.

The new one is compared with the old one before anything happens to that: where an engine keeps a value otherwise than
it was given, both have the same difference, and a replacement would change nothing, for ever.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from lib.engine.errors import Conflict, EngineError
from lib.engine.expected import expected_form
from lib.engine.version import Version
from lib.job.comparison import RECREATE, Difference, shown
from lib.job.container.compared import compared
from lib.job.container.creation import connected_whole
from lib.job.container.merging import over
from lib.job.container.mounts import left_behind, taken_over
from lib.job.container.network_names import must_exist
from lib.job.container.states import is_up
from lib.job.container.wish import HEALTHY, PRESENT, RUNNING, Wish
from lib.job.errors import NotReached, NotSettled, RolledBack, WouldDestroy
from lib.job.image import Image
from lib.job.replacement import body as bodies
from lib.job.replacement.dependants import dependants
from lib.job.replacement.evidence import last_lines, swept
from lib.job.replacement.machine import ROLLED_BACK, Done, back, replaced
from lib.job.replacement.making import Wish as Making
from lib.job.replacement.making import forgotten, made
from lib.job.replacement.names import REPLACES, Names, Part, look, new_one, there
from lib.job.replacement.refusals import alone, check, image_of
from lib.job.states import State
from lib.job.work import Work

_MAC_OF_ENDPOINT = Version(1, 44)
Tree = dict[str, Any]


def recreated(
    work: Work, names: Names, wish: Wish, old: Part | None, image: Image, found: list[Difference]
) -> Done | None:
    """Put a container that is as wanted in the place of `old`; None where the new one would be the same.

    `old` is None where an earlier delivery has begun. Raises RolledBack where the new one is bad, and WouldDestroy
    where an anonymous volume would be lost that the input does not give up.
    """
    making: Making | None = Making({})
    try:
        if old is not None:
            making = _prepared(work, names, wish, old, image, found)
        if making is None:
            return None
        wanted = making
        done = replaced(work, names, old, lambda _: wanted)
    except (NotSettled, RolledBack):
        raise
    except EngineError:
        with suppress(EngineError):
            _taken_back(work, names)
        raise
    if done.action == ROLLED_BACK and done.new is not None and not work.settings.dry_run:
        raise _rolled_back(work, names, done, found)
    if done.reason and done.new is not None and done.action != ROLLED_BACK:  # the old one has gone already
        raise NotReached(f"{names.name} is not as wanted: {done.reason}", **State.of(done.new.told).output)
    return done


def _prepared(
    work: Work, names: Names, wish: Wish, old: Part, image: Image, found: list[Difference]
) -> Making | None:
    """Make the new container beside the old one; None where it would differ in the same, and is gone again."""
    new = new_one(work, names)
    if new is None:
        check(work, names, old, "name")
        must_exist(work, wish)
    making = _making(work, wish, old, found)
    dependants(work, old)
    if new is None:
        swept(work, names)
        if not work.settings.dry_run:
            made(work, names, old, making)
            _alone(work, names)
            new = new_one(work, names)
    if new is not None and new.name == names.next:
        if not work.settings.dry_run:
            connected_whole(work, new, making.networks)
        if found and _in_vain(work, names, wish, there(work, new.id), image, found):
            return None
    return making


def _taken_back(work: Work, names: Names) -> None:
    """Undo what a call that was refused in the middle leaves, as long as the old one has its name."""
    new = new_one(work, names)
    old = look(work, new.labels[REPLACES]) if new is not None and new.name == names.next else None
    if new is not None and old is not None and old.name == names.name:
        undone(work, names, old, new)


def is_kept(names: Names, begun: Part) -> bool:
    """Whether the new container was bad, and is kept to look into."""
    return begun.name == names.failed


def again(work: Work, names: Names, begun: Part) -> Part | None:
    """Begin anew where the platform sends a message once more that came to its end, and that was bad.

    Returns the old container with its name again, None where somebody has removed it.
    """
    old = look(work, begun.labels[REPLACES])
    if old is not None:
        old = back(work, names, old, begun, "").old
    if work.will("remove", "container", names.failed, "it is tried once more"):
        forgotten(work, names, begun)
    else:
        work.planned_away.add(begun.id)
    return old


def is_under_way(work: Work, names: Names, begun: Part) -> bool:
    """Whether a replacement that was begun has steps left; of one that is over, the new one stands for itself."""
    return begun.name != names.name or look(work, begun.labels[REPLACES]) is not None


def undone(work: Work, names: Names, there: Part, begun: Part) -> Part:
    """Take a replacement back that is not wanted any more, and has not renamed anything yet; return the old one."""
    if there.id == begun.labels[REPLACES]:
        there = back(work, names, there, begun, "").old
    forgotten(work, names, begun)
    return there


def _making(work: Work, wish: Wish, old: Part, found: list[Difference]) -> Making:
    body, networks = dict(wish.body), dict(wish.networks)
    if not wish.strict:
        own = image_of(work, old)
        with expected_form():
            body = over(bodies.body_of(old.told, own, wish.image), wish.body)
            kept = bodies.endpoints(old.told)
            mode = str((wish.body.get("HostConfig") or {}).get("NetworkMode") or "")
            networks = _both(kept, networks, mode)
    body["Image"] = wish.image
    with expected_form():
        if work.fields.get("keepAnonymousVolumes", True):
            body, lost = taken_over(body, old.told)
        else:
            body, lost = left_behind(body, old.told)
    _guard(work, wish.name, lost)
    _keep_mac(work, old, body, networks)
    starts = None if wish.state == PRESENT else wish.state in (RUNNING, HEALTHY)
    reason = shown(found) or "it is made anew in any case"
    return Making(body, networks, reason, starts, wish.spec)


def _both(kept: dict[str, Tree], given: dict[str, Tree], mode: str) -> dict[str, Tree]:
    """Return the networks of the old one with those given over them, the main one first."""
    if mode and not given and mode not in kept and mode not in ("default", "bridge"):
        return {}  # another network alone, or none of its own
    names = {**given, **kept} if given else kept
    return {name: {**kept.get(name, {}), **given.get(name, {})} for name in names}


def _guard(work: Work, name: str, lost: list[str]) -> None:
    if not lost:
        return
    if not work.fields.get("allowDataLoss"):
        raise WouldDestroy(
            f"Recreating {name} loses the anonymous volume at {', '.join(lost)}",
            hint="Set keepAnonymousVolumes, mount nothing else there, or set allowDataLoss",
            folders=lost,
        )
    work.warn(f"The anonymous volume of {name} at {', '.join(lost)} stays behind, and is not used any more")


def _keep_mac(work: Work, old: Part, body: Tree, networks: dict[str, Tree]) -> None:
    """Ask for the MAC address that the old one was made with, unless the wish has one."""
    asked = str(old.told["Config"].get("MacAddress") or "")
    if not asked or body.get("MacAddress") or not networks:
        return
    main = next(iter(networks))
    if work.engine.version >= _MAC_OF_ENDPOINT:
        networks[main] = {"MacAddress": asked, **networks[main]}
    elif not networks[main].get("MacAddress"):
        body["MacAddress"] = asked


def _in_vain(work: Work, names: Names, wish: Wish, new: Part, image: Image, found: list[Difference]) -> bool:
    """Whether the new one differs in all that the old one does; it is removed then."""
    still = [one for one in compared(work, wish, new, image).all if one["effect"] == RECREATE]
    values = [(one["path"], one["before"]) for one in still]
    if not all((one["path"], one["before"]) in values for one in found):
        return False
    work.warn(f"The engine keeps it otherwise, also in a new container: {shown(found)}")
    forgotten(work, names, new)
    return True


def _alone(work: Work, names: Names) -> None:
    """Look once more, now that the others can see that this run replaces it; of two at once none goes on."""
    try:
        alone(work, names)
    except Conflict:
        forgotten(work, names, there(work, names.next))
        raise


def _rolled_back(work: Work, names: Names, done: Done, found: list[Difference]) -> RolledBack:
    new = done.new or done.old
    state = State.of(new.told)
    reason = done.reason or str(state)
    again = "runs again" if is_up(done.old) else "is back"
    return RolledBack(
        f"The old {names.name} {again}; the new one is bad: {reason}",
        hint=f"It is kept as {done.kept} to look into",
        kept=done.kept,
        reason=reason,
        exitCode=done.exit_code,
        lastLines=last_lines(work, new.id),
        differences=found,
    )
