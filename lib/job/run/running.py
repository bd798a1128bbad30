"""RunContainer: a program in a container, run to its end once, however often its message is delivered."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from lib.action.input.uploads import input_of
from lib.action.settings import ARCHIVE_BYTES
from lib.engine.errors import Conflict, EngineError, LimitReached, NoAnswer, NotFound, OutcomeUnknown
from lib.job.errors import Interrupted, NotReached, NotSettled
from lib.job.files.entries import Entries
from lib.job.image import MISSING, Image, ensure_image, look_for
from lib.job.run.container import (
    CREATE,
    DELETE,
    START,
    STOP,
    Seen,
    gone,
    is_there,
    look,
    of_run,
    removed_too_soon,
)
from lib.job.run.conversation import Conversation
from lib.job.run.files import gathered, taken_out, wanted
from lib.job.run.outcome import TIMEOUT, Outcome, outcome_of
from lib.job.run.placing import Placed, placed
from lib.job.run.sweep import swept
from lib.job.run.wish import Wish, wish_of
from lib.job.settings import EMIT, KEEP
from lib.job.settings import STOP as STOP_IT
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work

_COLLECTING = 60.0
"""Seconds at least for output and files, once a program has ended."""
_STOPPING = 60.0
_WHOLE = "its whole input was sent"
"""Stands in the reason of a rebound: who gets the message back knows it from there."""


def run_to_end(work: Work) -> dict[str, Any]:
    """Return the output of RunContainer."""
    has_input = any(work.fields.get(name) is not None for name in ("stdinText", "stdinAttachment"))
    wish = wish_of(work, has_input=has_input)
    wanted(work)
    work.permit(CREATE, START, STOP, DELETE)
    try:
        seen = of_run(work, wish.spec)
        if work.settings.dry_run:
            return _planned(work, wish, seen)
        return _ran(work, wish, placed(work, wish, seen))
    except OutcomeUnknown as lost:
        if not work.run.recognisable:
            raise
        # A repeat finds what this delivery has made, so it is as harmless as that of a read.
        raise NoAnswer(lost.message, status=lost.status, method=lost.method, path=lost.path) from lost


def _planned(work: Work, wish: Wish, seen: Seen | None) -> dict[str, Any]:
    name = work.run.name
    with Entries(ARCHIVE_BYTES) as files:
        gathered(work, files)
    input_of(work.context, work.message, work.fields, "stdinText")
    if seen is not None and seen.started:
        image = look_for(work, seen.image)
    else:
        if seen is not None:
            work.will("remove", "container", name, "an earlier delivery made it and did not start it")
        image = ensure_image(work, wish.image, str(work.fields.get("pull", MISSING)))
        work.will("create", "container", name)
        if work.fields.get("filesIn"):
            work.will("copy", "files", name)
        work.will("start", "container", name)
    if work.settings.evidence != KEEP:
        work.will("remove", "container", name, "its program has ended")
    told: dict[str, Any] = {"container": {"name": name}, "repeat": seen is not None}
    return told | ({"image": replace(image, reference=wish.image).output} if image else {})


def _ran(work: Work, wish: Wish, there: Placed) -> dict[str, Any]:
    talk = there.talk
    timed_out = False
    try:
        seen = _over(work, wish, there)
    except TimeIsUp as late:
        if talk is not None and not talk.is_whole:
            _stopped(work, there.seen)
            _cleaned(work, there.seen)
            raise NotReached(
                f"The program had not taken its whole input after {work.settings.max_seconds:g} s; it was stopped",
                **late.details,
            ) from late
        if work.settings.when_time_is_up != STOP_IT:
            raise
        seen, timed_out = _stopped(work, there.seen), True
    work.deadline = Deadline(max(work.deadline.left, _COLLECTING))
    if talk is not None:
        talk.ended()
    heard = there.heard if not wish.readable and talk is not None else None
    try:
        image = there.image or Image(wish.image)
        ended = outcome_of(work, seen, image, wish.ok_codes, heard, wish.log_bytes)
        if timed_out:
            ended = replace(ended, ended_by=TIMEOUT, ok=False)
        return _told(work, wish, there, ended)
    except (NotFound, Conflict) as refused:
        if is_there(work, seen.id):
            raise
        raise removed_too_soon(seen.name) from refused


def _told(work: Work, wish: Wish, there: Placed, ended: Outcome) -> dict[str, Any]:
    seen = ended.seen
    if not ended.ok and work.settings.bad_exit != EMIT:
        _cleaned(work, seen)
        raise ended.error(work.settings.max_seconds)
    try:
        files = taken_out(work, seen.id)
    except LimitReached:
        _cleaned(work, seen)
        raise
    if work.settings.evidence != KEEP:
        work.will("remove", "container", work.run.name, "its program has ended")
        work.afterwards.append(partial(gone, work, seen.id))
    work.afterwards.append(partial(swept, work))
    if there.repeat and _has_input(wish) and not _is_fed(work, there):
        work.warn(
            "Another delivery started the program, and nothing tells whether it could send the whole input:"
            " if it died before that, its input was cut off"
        )
    return {**ended.told, "files": files, "repeat": there.repeat}


def _has_input(wish: Wish) -> bool:
    return bool(wish.body.get("OpenStdin") and wish.body.get("StdinOnce"))


def _is_fed(work: Work, there: Placed) -> bool:
    """Whether all of the program's input is known to be sent, by this delivery or by an earlier one."""
    by_this_one = there.talk is not None and there.talk.is_whole
    return by_this_one or _WHOLE in work.context.rebound_reason


def _over(work: Work, wish: Wish, there: Placed) -> Seen:
    """Return the container once its program has ended."""
    identity, talk = there.seen.id, there.talk
    first = [there.seen]

    def again() -> Seen:
        seen = first.pop() if first else look(work, identity)
        if seen is None:
            raise removed_too_soon(there.seen.name)
        if talk is not None and talk.is_cut and not seen.is_over:
            return _cut(work, talk, seen)
        return seen

    def late(seen: Seen) -> tuple[str, dict[str, Any]]:
        told = {"container": {"id": seen.id, "name": seen.name}, "startedAt": seen.started}
        fed = f", and {_WHOLE}" if _has_input(wish) and _is_fed(work, there) else ""
        return f"The program in {seen.name} is {seen.status}, it has not ended yet{fed}", told

    return work.until(again, lambda seen: seen.is_over, late)


def _cut(work: Work, talk: Conversation, seen: Seen) -> Seen:
    """Stop a program that would take half of its input for all of it."""
    if work.context.cancelled.is_set():
        raise Interrupted
    now = look(work, seen.id)
    if now is None or now.is_over:
        return now or seen
    _stopped(work, seen)
    _cleaned(work, seen)
    raise NotSettled(
        f"The program's input was cut off, and it was stopped: {talk.fault.message if talk.fault else 'no reason'}"
    )


def _stopped(work: Work, seen: Seen) -> Seen:
    """Stop a program and return its container."""
    work.will("stop", "container", work.run.name, "its time is up")
    work.engine.post(STOP[1], {"id": seen.id}, timeout="slow", unchanged=True)

    def again() -> Seen:
        return look(work, seen.id) or seen

    return until(
        Deadline(_STOPPING),
        work.context.cancelled,
        again,
        lambda seen: seen.is_over,
        lambda seen: (f"{seen.name} does not stop", {}),
    )


def _cleaned(work: Work, seen: Seen) -> None:
    """Take away what failed, so that a retry runs anew; evidence is kept under a name of its own."""
    try:
        if work.settings.evidence == KEEP:
            fields = {"id": seen.id, "name": f"{work.run.name}.failed-{seen.id[:8]}"}
            work.engine.post("/containers/{id}/rename", fields, query=("name",))
        else:
            gone(work, seen.id)
    except EngineError as fault:
        work.context.logger.warning("A container was not taken away", err=fault, container=seen.name)
