"""MirrorImage: compare the digests of both registries, and where they differ pull, tag, push, compare, tidy up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.engine.errors import Conflict, EngineError, NotFound
from lib.job.image import Image
from lib.job.mirror.here import Here, guard, look
from lib.job.mirror.keeping import WRITES, begun, ended, given_up, left, settled
from lib.job.mirror.lost import Lost
from lib.job.mirror.memo import Memo
from lib.job.mirror.registry import Told, source, target
from lib.job.mirror.transfer import Pushed, arrived, pulled, pushed, tagged
from lib.job.mirror.wish import Wish, fits
from lib.job.settings import COME_BACK
from lib.job.waiting import TimeIsUp
from lib.job.work import Work

_TRIES = 4


@dataclass(slots=True)
class _State:
    """What the registries say: `now` of the target, `before` of it before this run began, "" where it is not there."""

    told: Told
    now: str
    before: str
    image: Image | None = None
    push: Pushed | None = None


def mirrored(work: Work) -> dict[str, Any]:
    """Return the output of MirrorImage once the target means in its registry what the source means in its own.

    Raises NotFound and Unauthorized for either registry, Conflict where the engine uses the target's name otherwise,
    StreamFailed where a pull or push fails, NotReached where another push came in between.
    """
    wish = Wish.of(work.fields)
    for _ in range(_TRIES):
        try:
            return _once(work, wish)
        except Lost:
            work.plan.clear()
            work.warnings.clear()
    given_up(work, left(work, wish))
    raise Conflict(
        f"Something else takes {wish.to} or its image away from the engine again and again",
        hint="Let one step at a time mirror to this name, and keep clean-ups away meanwhile",
    )


def _once(work: Work, wish: Wish) -> dict[str, Any]:
    told = source(work, wish)
    mine = settled(work, wish, told.digest)
    there = target(work, wish)
    now = there.digest if there else ""
    state = _State(told, now, mine.before if mine else now)
    if wish.only_if_different and now == told.digest:
        return _output(work, wish, state, mine)
    if wish.only_if_single_platform and len(told.platforms) > 1:
        work.warn(f"{wish.name} is for {len(told.platforms)} platforms, and was not mirrored")
        return _output(work, wish, state, mine)
    here = look(work, wish, told, _platform(work, wish, told))
    if wish.only_if_different and here.source and _known(wish, now) in here.source.repo_digests:
        # The engine itself has pulled or pushed both digests as this image.
        state.image = here.source
        return _output(work, wish, state, mine)
    if here.target and here.source:
        guard(work, wish, here.target, here.source)
    work.permit(*WRITES)
    memo = mine or begun(work, wish, told.digest, here, now)
    try:
        state.image, state.push = _brought(work, wish, told, here)
        if not work.settings.dry_run:
            state.now = arrived(work, wish, state.push)
    except TimeIsUp:
        if work.settings.when_time_is_up != COME_BACK:
            given_up(work, memo)
        raise
    except EngineError:
        given_up(work, memo)
        raise
    return _output(work, wish, state, memo)


def _brought(work: Work, wish: Wish, told: Told, here: Here) -> tuple[Image, Pushed]:
    platform = _asked_for(wish, told)
    image = here.source or pulled(work, wish, told, platform)
    if here.target and image.id:
        guard(work, wish, here.target, image)
    if here.target is None or not (wish.clean_up or here.same):
        tagged(work, wish, image)
    return image, pushed(work, wish, told, image, platform if len(told.platforms) > 1 else "")


def _output(work: Work, wish: Wish, state: _State, memo: Memo | None) -> dict[str, Any]:
    """Tidy up and return the output."""
    ended(work, memo)
    told, image, several = state.told, state.image, len(state.told.platforms)
    if state.push is not None and several > 1 and state.now != told.digest:
        what = f"one of them, {image.platform}" if image and image.platform else "one of them"
        work.warn(f"{wish.name} is for {several} platforms; the engine pushes {what}")
    stays = state.push is not None and not wish.clean_up and any(one["action"] != "push" for one in work.plan)
    return {
        "action": "mirrored" if state.push is not None or state.now != state.before else "none",
        "reached": True,
        "changed": state.now != state.before or stays,
        "from": wish.name,
        "to": wish.to,
        "digestFrom": told.digest,
        "digestTo": state.now,
        "digestBefore": state.before,
        "identical": state.now == told.digest,
        "platforms": list(told.platforms),
        "platform": image.platform if image else "",
        "bytes": state.push.bytes if state.push else 0,
    }


def _known(wish: Wish, digest: str) -> str:
    """Return the name under which an engine notes that its image is what the target means."""
    return f"{wish.to_repository}@{digest}"


def _asked_for(wish: Wish, told: Told) -> str:
    """Return the platform that a pull names: the wanted one, or the only one that there is."""
    return wish.platform or (told.platforms[0] if len(told.platforms) == 1 else "")


def _platform(work: Work, wish: Wish, told: Told) -> str:
    """Return the platform that is mirrored, as far as it can be said; raises NotFound where the source has none."""
    if wish.platform and told.platforms and not any(fits(one, wish.platform) for one in told.platforms):
        raise NotFound(f"{wish.name} is for {', '.join(told.platforms)}, not for {wish.platform}")
    if wish.platform or len(told.platforms) <= 1:
        return _asked_for(wish, told)
    own = work.engine.get("/version").read(lambda about: f"{about['Os']}/{about['Arch']}".lower())
    return own if any(fits(one, own) for one in told.platforms) else ""
