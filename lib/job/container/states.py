"""A container that is as wanted, brought to its state: started, healthy, stopped, or away."""

from __future__ import annotations

import time
from collections.abc import Callable

from lib.engine.errors import BadInput, Conflict, Refused
from lib.engine.expected import expected_form
from lib.engine.request.times import SECOND, moment
from lib.job.container.found import of_name
from lib.job.errors import NotReached, NotStarted
from lib.job.replacement.names import Part, there
from lib.job.replacement.verdict import STABLE_SECONDS, judged
from lib.job.states import State
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work
from lib.job.writes import removed, sent

UNPAUSE, START = ("POST", "/containers/{id}/unpause"), ("POST", "/containers/{id}/start")
STOP, DELETE = ("POST", "/containers/{id}/stop"), ("DELETE", "/containers/{id}")
_PATIENCE = 10.0
"""Seconds that the removal of a container may take."""
_LONGEST_PAUSE = 60.0
"""Seconds between two starts by a restart policy."""


def is_up(part: Part) -> bool:
    """Whether it runs and is not paused."""
    return part.up and not part.told["State"].get("Paused")


def started(work: Work, name: str, part: Part) -> None:
    """Start a container, or let a paused one go on. Raises NotStarted with the engine's reason where it refuses."""
    paused = bool(part.told["State"].get("Paused"))
    if not work.will("unpause" if paused else "start", "container", name):
        return
    call = UNPAUSE if paused else START
    try:
        sent(
            lambda: work.engine.post(call[1], {"id": part.id}, timeout="slow", unchanged=True),
            lambda: is_up(there(work, part.id)),
        )
    except Refused as refused:
        now = there(work, part.id)
        if is_up(now):
            return
        raise NotStarted(f"{name} was not started: {refused.message}", hint=refused.hint) from refused


def may_loop(work: Work, part: Part) -> bool:
    """Whether it may be in a restart loop: its policy has started it, and that not long ago.

    Such a container is told as running in half of all looks. A policy waits a minute at most between two starts. An
    engine whose clock is another one's only makes the wait longer.
    """
    with expected_form():
        state = State.of(part.told)
    if not state.restarts and not part.told["State"].get("Restarting"):
        return False
    steady = float(work.fields.get("stableSeconds", STABLE_SECONDS))
    try:
        since = time.time() - moment(state.started, "StartedAt") / SECOND
    except BadInput:
        return True
    return since < steady + _LONGEST_PAUSE


def proven(work: Work, name: str, part: Part, *, started: bool) -> None:
    """Wait until a container is good; raises NotReached where it is not. `started`: it has just been started.

    Restarts by its policy before that do not count: an engine counts from 0 where a container is started by a call.
    """
    before = 0 if started else int(part.told.get("RestartCount") or 0)
    verdict = judged(work, part.id, before)
    if not verdict.good:
        raise NotReached(f"{name} is not as wanted: {verdict.reason}", **verdict.state.output)


def stopped(work: Work, name: str, part: Part, reason: str) -> None:
    """Stop a container."""
    if not work.will("stop", "container", name, reason):
        return
    fields: dict[str, object] = {"id": part.id}
    query: tuple[str, ...] = ()
    if (seconds := work.fields.get("stopSeconds")) is not None:
        fields["t"], query = int(seconds), ("t",)
    sent(
        lambda: work.engine.post(STOP[1], fields, query=query, timeout="slow", unchanged=True),
        lambda: not there(work, part.id).up,
    )


def _goes_by_itself(work: Work, is_gone: Callable[[], bool]) -> bool:
    """Whether a container whose removal is refused goes: somebody removes it, or it does that itself (AutoRemove)."""
    patience = Deadline(min(_PATIENCE, work.deadline.left))
    try:
        return until(patience, work.context.cancelled, is_gone, bool, lambda _: ("it is still there", {}))
    except TimeIsUp:
        return False


def taken_away(work: Work, name: str, part: Part) -> None:
    """Remove a container that does not run; its anonymous volumes go with it where the input allows that."""
    if not work.will("remove", "container", name, "it shall be absent"):
        return
    fields = {"id": part.id, "v": bool(work.fields.get("allowDataLoss"))}

    def is_gone() -> bool:
        now = of_name(work, name)
        return now is None or now.id != part.id

    def remove() -> None:
        try:
            work.engine.delete(DELETE[1], fields, query=("v",), timeout="slow")
        except Conflict:
            if not _goes_by_itself(work, is_gone):
                raise

    removed(remove, is_gone)
