"""MirrorImage: compare the digests of both registries, and where they differ pull, tag, push, compare, tidy up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.engine.errors import Conflict, EngineError, NotFound
from lib.job.image import Image
from lib.job.mirror.here import Here, guard, look
from lib.job.mirror.keeping import WRITES, begun, ended, given_up, joined, renewed, settled
from lib.job.mirror.lost import Lost
from lib.job.mirror.memo import Memo, found
from lib.job.mirror.registry import Told, source, target
from lib.job.mirror.tidying import Brought
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

    def brought(self, wish: Wish) -> Brought:
        """Return what has to be taken away of it."""
        digest = self.push.digest if self.push else ""
        return Brought(self.image.id if self.image else "", _known(wish, digest) if digest else "")


@dataclass(slots=True)
class _Try:
    """What the tries of one process hand on: the memo may be gone, and what it says still has to be taken away."""

    memo: Memo | None = None

    def known(self, work: Work, mine: Memo | None, source: str) -> Memo | None:
        """Return the memo of this run with what an earlier try knew; `mine` is the one that the engine has."""
        if self.memo is not None and self.memo.source != source:
            given_up(work, self.memo)
            self.memo = None
        return joined(mine, self.memo) if mine else self.memo


def mirrored(work: Work) -> dict[str, Any]:
    """Return the output of MirrorImage once the target means in its registry what the source means in its own.

    Raises NotFound and Unauthorized for either registry, Conflict where the engine uses the target's name otherwise,
    StreamFailed where a pull or push fails, NotReached where another push came in between.
    """
    wish = Wish.of(work.fields)
    tries = _Try()
    for _ in range(_TRIES):
        try:
            return _once(work, wish, tries)
        except Lost:
            work.plan.clear()
            work.warnings.clear()
    given_up(work, tries.memo)
    raise Conflict(
        f"Something else takes {wish.to} or its image away from the engine again and again",
        hint="Let one step at a time mirror to this name, and keep clean-ups away meanwhile",
    )


def _once(work: Work, wish: Wish, tries: _Try) -> dict[str, Any]:
    told = source(work, wish)
    mine = settled(work, wish, told.digest)
    known = tries.known(work, mine, wish.pinned(told.digest))
    there = target(work, wish)
    now = there.digest if there else ""
    state = _State(told, now, known.before if known else now)
    if wish.only_if_different and now == told.digest:
        return _output(work, wish, state, known)
    if wish.only_if_single_platform and len(told.platforms) > 1:
        work.warn(f"{wish.name} is for {len(told.platforms)} platforms, and was not mirrored")
        return _output(work, wish, state, known)
    here = look(work, wish, told, _platform(work, wish, told))
    if wish.only_if_different and here.source and _known(wish, now) in here.source.repo_digests:
        # The engine itself has pulled or pushed both digests as this image.
        state.image = here.source
        return _output(work, wish, state, known)
    if known is None and (here.source or here.target) and found(work, wish.to):
        raise Lost  # another run has begun meanwhile, and what is here may be its own
    if here.target and here.source:
        guard(work, wish, here.target, here.source)
    work.permit(*WRITES)
    if known and renewed(work, known, here):
        mine = known = None
    memo = known if mine else begun(work, wish, told.digest, here, state.before, known)
    tries.memo = memo
    try:
        _bring(work, wish, state, here)
        if not work.settings.dry_run:
            state.now = arrived(work, wish, state.push or Pushed())
    except EngineError as fault:
        if not isinstance(fault, TimeIsUp) or work.settings.when_time_is_up != COME_BACK:
            given_up(work, memo, state.brought(wish))
        raise
    return _output(work, wish, state, memo)


def _bring(work: Work, wish: Wish, state: _State, here: Here) -> None:
    platform = _asked_for(wish, state.told)
    state.image = image = here.source or pulled(work, wish, state.told, platform)
    if here.target and image.id:
        guard(work, wish, here.target, image)
    if here.target is None or not (wish.clean_up or here.same):
        tagged(work, wish, image)
    several = len(state.told.platforms) > 1
    state.push = pushed(work, wish, state.told, image, platform if several else "")


def _output(work: Work, wish: Wish, state: _State, memo: Memo | None) -> dict[str, Any]:
    """Tidy up and return the output."""
    ended(work, memo, state.brought(wish))
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
