"""Taking away what a mirror run brought to the engine, and nothing else: names first by name, never with force."""

from __future__ import annotations

from lib.engine.errors import Refused
from lib.job.image import Image, look_for
from lib.job.mirror.here import short, tags_in
from lib.job.mirror.memo import Memo
from lib.job.work import Work
from lib.job.writes import removed

DELETE = ("DELETE", "/images/{+name}")


def tidied(work: Work, memo: Memo, reason: str) -> None:
    """Remove the target's name and the pulled image where they were not there before; what stays is a warning."""
    source = None if work.settings.dry_run else look_for(work, memo.source)
    if memo.tagged:
        _untag(work, memo, source, reason)
    if memo.pulled:
        _drop(work, memo, reason)


def _untag(work: Work, memo: Memo, source: Image | None, reason: str) -> None:
    if not work.settings.dry_run:
        there = look_for(work, memo.to)
        if there is None:
            return
        if source is None or there.id != source.id:
            work.warn(f"{memo.to} stays on the engine: it means another image by now")
            return
        if there.id != memo.source.partition("@")[2] and short(there.id) in memo.pinned:
            work.warn(
                f"{memo.to} stays on the engine: without it the engine would forget a digest of this image"
            )
            return
    _remove(work, memo.to, reason)


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
        work.warn(f"{name} stays on the engine: {refusal.message}")
