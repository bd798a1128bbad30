"""RunCommand: one command in one container or in all that match, at most once in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.action.input.uploads import input_of
from lib.engine.errors import EngineError, NoAnswer, NotFound, OutcomeUnknown
from lib.job.command.elsewhere import elsewhere, lost_target
from lib.job.command.memory import Memory, memory_until_now
from lib.job.command.outcome import Outcome
from lib.job.command.record import look_for
from lib.job.command.running import ran
from lib.job.command.turn import CREATE, START, Turn, found, made
from lib.job.command.wish import Wish, wish_of
from lib.job.errors import BadExit, Interrupted, NotReached
from lib.job.settings import EMIT
from lib.job.targets import Target, targets_of
from lib.job.waiting import TimeIsUp
from lib.job.work import Work
from lib.trigger.parallel import parallel

_AROUND = 16 * 1024
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


def commanded(work: Work) -> dict[str, Any]:
    """Return the output of RunCommand."""
    wish = wish_of(work)
    input_of(work.context, work.message, work.fields, "stdinText")
    work.permit(CREATE, START)
    try:
        targets = targets_of(work.engine, work.fields)
    except NotFound as missing:
        raise lost_target(work.engine, str(work.fields.get("target")), missing) from missing
    single = work.fields.get("target") is not None
    try:
        memory = memory_until_now(work.engine) if work.run.repeated and targets else Memory()
        if work.settings.dry_run:
            return _planned(work, wish, targets, memory, single=single)
        if single:
            return _one(work, wish, targets[0], memory)
        return _all(work, wish, targets, memory)
    except OutcomeUnknown as lost:
        if not work.run.recognisable:
            raise
        # A repeat finds what this delivery has made, so it is as harmless as that of a read.
        raise NoAnswer(lost.message, status=lost.status, method=lost.method, path=lost.path) from lost


def _planned(
    work: Work, wish: Wish, targets: list[Target], memory: Memory, *, single: bool
) -> dict[str, Any]:
    for target in targets:
        turn = found(work, wish, target, memory) if work.run.repeated else None
        record = look_for(work.engine, turn.id) if turn else None
        if record is None or record.is_fresh:
            work.will("run", "command", target.name)
    told = [{"container": target.output} for target in targets]
    return dict(told[0]) if single else {"results": told}


def _one(work: Work, wish: Wish, target: Target, memory: Memory) -> dict[str, Any]:
    turn = _turn(work, wish, target, memory)
    outcome = ran(work, wish, turn, work.context.emit.room - _AROUND)
    if not outcome.ok and work.settings.bad_exit != EMIT:
        raise outcome.error(work.settings.kill_after)
    return outcome.told


def _all(work: Work, wish: Wish, targets: list[Target], memory: Memory) -> dict[str, Any]:
    """Prepare the command in all containers before it runs in the first: then a repeat knows where it has not run."""
    stops = bool(work.fields.get("stopAtFirstFailure"))
    turns: dict[str, Turn] = {}
    ends: dict[str, Outcome | Failure] = {
        one.target.id: one for one in elsewhere(work.engine, work.fields, Failure)
    }
    away = [one.target for one in ends.values()]
    for target in targets:
        try:
            turns[target.id] = _turn(work, wish, target, memory)
        except EngineError as error:
            ends[target.id] = _kept(target, error)
    room = (work.context.emit.room - _AROUND) // max(len(targets), 1) - _AROUND_EACH
    failed = [bool(ends)]

    def run(turn: Turn) -> Outcome | Failure:
        try:
            end: Outcome | Failure = ran(work, wish, turn, room)
        except EngineError as error:
            end = _kept(turn.target, error)
        failed[0] = failed[0] or isinstance(end, Failure) or not end.ok
        return end

    at_once = int(work.fields.get("parallel", 1))
    late = _collected(ends, parallel(list(turns.values()), run, at_once, lambda: stops and failed[0]))
    told = [ends[one.id].told for one in [*targets, *away] if one.id in ends]
    bad = [end for end in ends.values() if isinstance(end, Failure) or not end.ok]
    if not targets and not away:
        work.warn("No container matches")
    if late is not None:
        raise TimeIsUp(late.message, results=told, failed=len(bad)) from late
    if len(told) < len(targets) + len(away):
        work.warn(
            f"The command was not run in {len(targets) + len(away) - len(told)} containers after a failure"
        )
    if bad and work.settings.bad_exit != EMIT:
        raise _error(bad, len(targets) + len(away), told)
    return {"results": told, "failed": len(bad)}


def _collected(ends: dict[str, Outcome | Failure], runs: Any) -> TimeIsUp | None:
    """Enter the outcomes; return what is said where the time was up before one of them was there."""
    late: TimeIsUp | None = None
    for turn, outcome in runs:
        try:
            ends[turn.target.id] = outcome()
        except TimeIsUp as up:
            late = late or up
    return late


def _turn(work: Work, wish: Wish, target: Target, memory: Memory) -> Turn:
    if work.context.cancelled.is_set():
        raise Interrupted
    earlier = found(work, wish, target, memory) if work.run.repeated else None
    return earlier or made(work, wish, target)


def _kept(target: Target, error: EngineError) -> Failure:
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
    )


def _code(outcome: Outcome) -> str:
    return "ended by killAfter" if outcome.killed else f"code {outcome.exit_code}"
