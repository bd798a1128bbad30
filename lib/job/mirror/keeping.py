"""The life of a memo: found again, waited for, written before the first change, and gone once all is tidied up."""

from __future__ import annotations

import time
from dataclasses import replace

from lib.engine.errors import EngineError
from lib.job.image import PULL
from lib.job.mirror import memo as memos
from lib.job.mirror.here import Here, unnamed
from lib.job.mirror.lost import Lost
from lib.job.mirror.memo import Memo
from lib.job.mirror.tidying import DELETE, NOTHING, Brought, tidied
from lib.job.mirror.transfer import PUSH, TAG
from lib.job.mirror.wish import Wish
from lib.job.work import Work

WRITES = (memos.CREATE, PULL, TAG, PUSH, DELETE, memos.REMOVE)
OVER = "it was not there before"
_LEFT = "an earlier run left it"
_DONE = "all is done that it remembered"


def settled(work: Work, wish: Wish, digest: str) -> Memo | None:
    """Return the memo of this run for the source's digest, None where there is none.

    A run of another message that is at work is waited for; what a dead one has left is taken away.
    """
    memo = work.until(
        lambda: memos.found(work, wish.to),
        lambda found: not _at_work(work, found),
        lambda _: (f"Another run mirrors to {wish.to}", {}),
    )
    if memo is None or (memo.run == work.run.id and memo.source == wish.pinned(digest)):
        return memo
    work.permit(*WRITES)
    tidied(work, memo, _LEFT)
    if work.will("remove", "volume", memo.volume, _LEFT):
        memos.forgotten(work, memo)
    return None


def begun(work: Work, wish: Wish, digest: str, here: Here, before: str, known: Memo | None) -> Memo | None:
    """Remember what was there before, if something has to be taken away again; raises Lost where another run did.

    `known` is what an earlier try of this process has remembered.
    """
    nothing = here.source and here.target and not known
    if not wish.clean_up or nothing:
        return None
    nameless, pinned = unnamed(work, wish)
    pulls, tags = here.source is None, here.target is None
    memo = joined(
        Memo(wish.to, wish.pinned(digest), pulls, tags, before, nameless, pinned, work.run.id), known
    )
    kept = memos.kept(work, memo)
    if kept.run != work.run.id or kept.source != memo.source:
        raise Lost
    return joined(kept, memo)


def joined(memo: Memo, known: Memo | None) -> Memo:
    """Return a memo with what this process knows: of two deliveries at once the other one may have written it.

    Ids of images without a name stay those of the memo, the first look of all.
    """
    if known is None:
        return memo
    return replace(memo, pulled=memo.pulled or known.pulled, tagged=memo.tagged or known.tagged)


def renewed(work: Work, memo: Memo, here: Here) -> bool:
    """Take away a memo that no longer says what has to be taken away: of what was there before, something is gone."""
    if (memo.pulled or here.source) and (memo.tagged or here.target):
        return False
    tidied(work, memo, _LEFT)
    if work.will("remove", "volume", memo.volume, "what the engine had before has changed"):
        memos.forgotten(work, memo)
    return True


def ended(work: Work, memo: Memo | None, brought: Brought) -> None:
    """Tidy up; the memo goes once the platform has the message, for until then a repeat tells of it what was before."""
    if memo is None:
        return
    tidied(work, memo, OVER, brought)
    if work.will("remove", "volume", memo.volume, _DONE):
        work.afterwards.append(lambda: memos.forgotten(work, memo))


def given_up(work: Work, memo: Memo | None, brought: Brought = NOTHING) -> None:
    """Tidy up after a failure, as far as the engine lets it; what stays is found by the next run for this target."""
    if memo is None or work.settings.dry_run:
        return
    try:
        tidied(work, memo, OVER, brought)
        memos.forgotten(work, memo)
    except EngineError as fault:
        work.context.logger.warning("Not tidied up; the next run does it", err=fault, job=work.run.key)


def _at_work(work: Work, memo: Memo | None) -> bool:
    return memo is not None and memo.run != work.run.id and memo.until > time.time()
