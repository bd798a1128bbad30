"""Taking away what a mirror run brought to the engine, and nothing else: names first by name, never with force."""

from __future__ import annotations

from dataclasses import dataclass

from lib.engine.errors import Refused
from lib.job.image import look_for
from lib.job.mirror.here import short, tags_in
from lib.job.mirror.memo import Memo
from lib.job.work import Work
from lib.job.writes import removed


@dataclass(frozen=True, slots=True)
class Brought:
    """What this process has brought: the id of the image, and the name by digest that an engine notes of a push."""

    image: str = ""
    noted: str = ""


NOTHING = Brought()
DELETE = ("DELETE", "/images/{+name}")


def tidied(work: Work, memo: Memo, reason: str, brought: Brought = NOTHING) -> None:
    """Remove the target's name and the pulled image where they were not there before; what stays is a warning."""
    if memo.tagged:
        _untag(work, memo, brought.image, reason)
        if brought.noted:
            _forget(work, memo, brought, reason)
    if memo.pulled:
        _drop(work, memo, reason)


def _untag(work: Work, memo: Memo, image: str, reason: str) -> None:
    if not work.settings.dry_run:
        there = look_for(work, memo.to)
        if there is None:
            return
        source = look_for(work, memo.source)
        if there.id not in (image, source.id if source else ""):
            work.warn(f"{memo.to} stays on the engine: it means another image by now")
            return
        if short(there.id) in memo.pinned:
            work.warn(
                f"{memo.to} stays on the engine: without it the engine would forget a digest of this image"
            )
            return
    _remove(work, memo.to, reason)


def _forget(work: Work, memo: Memo, brought: Brought, reason: str) -> None:
    """Remove the digest that a push has noted; it stays where another delivery takes the tag before."""
    there = look_for(work, brought.noted)
    if there is None or there.id != brought.image or _keeps_index(memo, there.id):
        return
    if short(there.id) not in memo.pinned and not tags_in(there, brought.noted.partition("@")[0]):
        _remove(work, brought.noted, reason)


def _drop(work: Work, memo: Memo, reason: str) -> None:
    if not work.settings.dry_run:
        there = look_for(work, memo.source)
        if there is None:
            return
        repository = memo.source.partition("@")[0]
        if short(there.id) in memo.nameless or tags_in(there, repository):
            work.warn(f"{memo.source} stays on the engine: this image has another use")
            return
    _remove(work, memo.source, reason)


def _keeps_index(memo: Memo, identity: str) -> bool:
    """Whether the engine's image store is containerd's, where a tag takes no digest along."""
    return identity == memo.source.partition("@")[2]


def _remove(work: Work, name: str, reason: str) -> None:
    if not work.will("remove", "image", name, reason):
        return
    try:
        removed(
            lambda: work.engine.delete(DELETE[1], {"name": name}, timeout="slow"),
            lambda: look_for(work, name) is None,
        )
    except Refused as refusal:
        work.without_effect()
        if look_for(work, name) is None:
            return  # another delivery was faster, and the engine lost its way between the two
        work.warn(f"{name} stays on the engine: {refusal.message}")
