"""RunCommand: one command in one container or in all that match, at most once in each."""

from __future__ import annotations

from typing import Any

from lib.action.input.uploads import input_of
from lib.action.settings import Outcome as StepOutcome
from lib.action.settings import StepSettings
from lib.engine.errors import EngineError, NoAnswer, NotFound, OutcomeUnknown
from lib.job.command.elsewhere import elsewhere, lost_target
from lib.job.command.following import Patience
from lib.job.command.memory import Memory, memory_until_now
from lib.job.command.record import look_for
from lib.job.command.running import ran
from lib.job.command.several import AROUND, Failure, kept, ran_in_all
from lib.job.command.turn import CREATE, START, Begun, check_runs, found, is_unbegun, turn_in
from lib.job.command.wish import Wish, wish_of
from lib.job.settings import EMIT
from lib.job.targets import Target, targets_of
from lib.job.work import Work


def commanded(work: Work) -> dict[str, Any]:
    """Return the output of RunCommand."""
    wish, begun = wish_of(work), Begun()
    input_of(work.context, work.message, work.fields, "stdinText")
    work.permit(CREATE, START)
    try:
        return _commanded(work, wish, begun)
    except OutcomeUnknown as lost:
        if not work.run.recognisable:
            raise
        # A repeat finds what this delivery has made, so it is as harmless as that of a read.
        raise NoAnswer(lost.message, status=lost.status, method=lost.method, path=lost.path) from lost
    except EngineError as error:
        if work.run.recognisable and not begun.is_so and is_unbegun(work, wish):
            _tell_unbegun(work, wish, error)
        raise


def _commanded(work: Work, wish: Wish, begun: Begun) -> dict[str, Any]:
    try:
        targets = targets_of(work.engine, work.fields)
    except NotFound as missing:
        raise lost_target(work.engine, str(work.fields.get("target")), missing) from missing
    single = work.fields.get("target") is not None
    memory = memory_until_now(work.engine) if work.run.repeated and targets else Memory()
    if work.settings.dry_run:
        return _planned(work, wish, targets, memory, single=single)
    if single:
        return _one(work, wish, targets[0], memory, begun)
    return ran_in_all(work, wish, targets, memory, begun)


def _tell_unbegun(work: Work, wish: Wish, error: EngineError) -> None:
    """Leave word for the next delivery, where this one is put back: an engine that was away has forgotten all."""
    if StepSettings.parse(work.config).outcome(error) is StepOutcome.REBOUND:
        word = f"No command has begun ({wish.mark.unbegun})"
        error.hint = f"{error.hint}. {word}" if error.hint else word


def _planned(
    work: Work, wish: Wish, targets: list[Target], memory: Memory, *, single: bool
) -> dict[str, Any]:
    told = []
    for target in targets:
        try:
            turn = found(work, wish, target, memory) if work.run.repeated else None
            record = look_for(work.engine, turn.id) if turn else None
            if record is None or record.is_fresh:
                check_runs(target)
                work.will("run", "command", target.name)
            told.append({"container": target.output})
        except EngineError as error:
            if single:
                raise
            told.append(kept(target, error).told)
    if single:
        return told[0]
    return {"results": told + [one.told for one in elsewhere(work.engine, work.fields, Failure)]}


def _one(work: Work, wish: Wish, target: Target, memory: Memory, begun: Begun) -> dict[str, Any]:
    turn = turn_in(work, wish, target, memory, begun)
    outcome = ran(work, wish, turn, work.context.emit.room - AROUND, Patience())
    if not outcome.ok and work.settings.bad_exit != EMIT:
        raise outcome.error(work.settings.kill_after)
    return outcome.told
