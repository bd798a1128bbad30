"""One command in several containers: prepared in all of them, run in so many at once, a result for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.engine.errors import EngineError, OutcomeUnknown
from lib.job.command.elsewhere import elsewhere
from lib.job.command.following import Patience
from lib.job.command.memory import Memory
from lib.job.command.outcome import Outcome
from lib.job.command.running import ran
from lib.job.command.turn import Begun, Turn, turn_in
from lib.job.command.wish import Wish
from lib.job.errors import BadExit, NotReached
from lib.job.settings import EMIT
from lib.job.targets import Target
from lib.job.waiting import TimeIsUp
from lib.job.work import Work
from lib.trigger.parallel import parallel

AROUND = 16 * 1024
"""Bytes of a message for everything but output."""
_AROUND_EACH = 1024
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no outcome in a container."""

    target: Target
    error: EngineError

    @property
    def told(self) -> dict[str, Any]:
        """Return what a message says of it."""
        error = {"name": type(self.error).__name__, "message": self.error.message}
        return {"container": self.target.output, "reached": False, "ok": False, "error": error}


def ran_in_all(work: Work, wish: Wish, targets: list[Target], memory: Memory, begun: Begun) -> dict[str, Any]:
    """Prepare the command in all containers before it runs in the first: then a repeat knows where it has not run."""
    stops = bool(work.fields.get("stopAtFirstFailure"))
    turns: dict[str, Turn] = {}
    ends: dict[str, Outcome | Failure] = {
        one.target.id: one for one in elsewhere(work.engine, work.fields, Failure)
    }
    away = [one.target for one in ends.values()]
    for target in targets:
        try:
            turns[target.id] = turn_in(work, wish, target, memory, begun)
        except EngineError as error:
            ends[target.id] = kept(target, error)
    room = (work.context.emit.room - AROUND) // max(len(targets), 1) - _AROUND_EACH
    failed, first, patience = [bool(ends)], [True], Patience()

    def run(turn: Turn) -> Outcome | Failure:
        if not first[0] and work.deadline.left <= 0:
            raise TimeIsUp(f"The turn of {turn.target.name} has not come yet", container=turn.target.output)
        first[0] = False
        try:
            end: Outcome | Failure = ran(work, wish, turn, room, patience)
        except EngineError as error:
            end = kept(turn.target, error)
        failed[0] = failed[0] or isinstance(end, Failure) or not end.ok
        return end

    at_once = int(work.fields.get("parallel", 1))
    late = _collected(ends, parallel(list(turns.values()), run, at_once, lambda: stops and failed[0]))
    told = [ends[one.id].told for one in [*targets, *away] if one.id in ends]
    bad = [end for end in ends.values() if isinstance(end, Failure) or not end.ok]
    if not targets and not away:
        work.warn("No container matches")
    if late is not None:
        told += [_not_ended(one) for one in targets if one.id not in ends]
        raise TimeIsUp(late.message, results=told, failed=len(bad)) from late
    everywhere = len(targets) + len(away)
    if bad and work.settings.bad_exit != EMIT:
        raise _error(bad, everywhere, told)
    return {"results": told, "failed": len(bad), "skipped": everywhere - len(told)}


def _collected(ends: dict[str, Outcome | Failure], runs: Any) -> TimeIsUp | None:
    """Enter the outcomes; return what is said where the time was up before one of them was there."""
    late: TimeIsUp | None = None
    for turn, outcome in runs:
        try:
            ends[turn.target.id] = outcome()
        except TimeIsUp as up:
            late = late or up
    return late


def _not_ended(target: Target) -> dict[str, Any]:
    return {"container": target.output, "reached": False, "ok": False}


def kept(target: Target, error: EngineError) -> Failure:
    """Return an error as the result in one container; raise what ends the job, or may be gone when it comes again."""
    if error.retriable or isinstance(error, TimeIsUp | OutcomeUnknown):
        raise error
    return Failure(target, error)


def _error(bad: list[Outcome | Failure], number: int, told: list[dict[str, Any]]) -> EngineError:
    texts = [
        f"{one.target.name}: {one.error.message if isinstance(one, Failure) else _code(one)}" for one in bad
    ]
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    kind = NotReached if all(isinstance(one, Outcome) and one.killed for one in bad) else BadExit
    return kind(
        f"The command failed in {len(bad)} of {number} containers: {'; '.join(texts[:_NAMED])}{more}",
        results=told,
        failed=len(bad),
        skipped=number - len(told),
    )


def _code(outcome: Outcome) -> str:
    return "ended by killAfter" if outcome.killed else f"code {outcome.exit_code}"
