"""From a message to a container that runs its program: found, or made and started."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lib.action.input.uploads import input_of
from lib.action.settings import ARCHIVE_BYTES
from lib.engine.errors import EngineError, NotFound, Refused
from lib.engine.request.upload import Upload
from lib.job.errors import Interrupted
from lib.job.files.entries import Entries
from lib.job.image import MISSING, Image, ensure_image
from lib.job.run.container import (
    ATTACH,
    PUT,
    Seen,
    created,
    gone,
    left_alone,
    look,
    of_run,
    removed_too_soon,
    started,
    taken_away,
)
from lib.job.run.conversation import Conversation, attached
from lib.job.run.files import gathered, put_in
from lib.job.run.tail import Tail
from lib.job.run.wish import Wish
from lib.job.settings import COME_BACK
from lib.job.waiting import FIRST_PAUSE, TimeIsUp
from lib.job.work import Work

_KEPT_SECONDS = 900
"""Seconds after its time that a container is left alone by sweeps."""
_COMING_BACK = 7 * 24 * 3600
"""The same where the message may come back after long pauses."""


@dataclass(frozen=True, slots=True)
class Placed:
    """The run's container with its program started; `repeat`: by an earlier delivery, or by one beside this.

    `seen` is fresh, `image` the one that its reference meant when it was made, None where that was not looked at.
    """

    seen: Seen
    repeat: bool
    image: Image | None = None
    talk: Conversation | None = None
    heard: Tail | None = None


def placed(work: Work, wish: Wish, seen: Seen | None) -> Placed:
    """Return the container of the run, whose program this or another delivery has started."""
    while True:
        if work.context.cancelled.is_set():
            raise Interrupted
        if seen is not None and not seen.started:
            seen = left_alone(work, seen)
            if seen is not None and not seen.started:
                taken_away(work, seen.id)
                work.will(
                    "remove",
                    "container",
                    work.run.name,
                    "an earlier delivery made it and did not start it",
                )
                seen = of_run(work, wish.spec)
        if seen is not None and seen.started:
            return Placed(seen, repeat=True)
        if seen is None and (made := _made(work, wish)) is not None:
            return made
        if work.deadline.left <= 0:
            raise TimeIsUp(f"{work.run.name} is made again and again, and never started")
        work.context.cancelled.wait(FIRST_PAUSE)
        seen = of_run(work, wish.spec)


def _made(work: Work, wish: Wish) -> Placed | None:
    """Make and start the container; None where another delivery was faster."""
    source = input_of(work.context, work.message, work.fields, "stdinText")
    try:
        with Entries(ARCHIVE_BYTES) as files:
            gathered(work, files)
            if files:
                work.permit(PUT)
            if source is not None:
                work.permit(ATTACH)
                source.open()
            image = ensure_image(work, wish.image, str(work.fields.get("pull", MISSING)))
            labels = {**(wish.body.get("Labels") or {}), **work.run.labels(wish.spec, _until(work))}
            if (identity := created(work, {**wish.body, "Labels": labels})) is None:
                return None
            work.will("create", "container", work.run.name)
            if files and not _filled(work, identity, files):
                return None
        heard = Tail(work.settings.max_bytes)
        speaks = source is not None or not wish.readable
        talk = _heard(work, identity, source, heard) if speaks else None
        if speaks and talk is None:
            return None
    except BaseException:
        if source is not None:
            source.close()
        raise
    return _started(work, identity, image, talk, heard)


def _started(
    work: Work, identity: str, image: Image, talk: Conversation | None, heard: Tail
) -> Placed | None:
    try:
        runs = started(work, identity, talk.begin if talk else lambda: None)
    except BaseException:
        if talk is not None:
            talk.close()
        raise
    if not runs:
        if talk is not None:
            talk.close()
        work.without_effect()
        return None
    work.will("start", "container", work.run.name)
    if (seen := look(work, identity)) is None:
        raise removed_too_soon(work.run.name)
    return Placed(seen, repeat=False, image=image, talk=talk, heard=heard)


def _filled(work: Work, identity: str, files: Entries) -> bool:
    """Put the files in; False where the container was taken away for a delivery beside this one."""
    try:
        put_in(work, identity, files)
    except NotFound:
        if look(work, identity) is None:
            work.without_effect()
            return False
        gone(work, identity)
        raise
    except Refused:
        gone(work, identity)
        raise
    work.will("copy", "files", work.run.name)
    return True


def _heard(work: Work, identity: str, source: Upload | None, heard: Tail) -> Conversation | None:
    try:
        return attached(work, identity, source, heard)
    except NotFound:
        if look(work, identity) is None:
            work.without_effect()
            return None
        raise
    except EngineError:
        gone(work, identity)
        raise


def _until(work: Work) -> int:
    comes = work.settings.when_time_is_up == COME_BACK
    return int(time.time() + work.settings.max_seconds + (_COMING_BACK if comes else _KEPT_SECONDS))
