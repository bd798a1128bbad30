"""The way of an exec to its end, by looks at it, whoever has started it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from lib.job.command.ending import Ending
from lib.job.command.memory import memory_until_now
from lib.job.command.record import Record, look_for
from lib.job.command.turn import Turn
from lib.job.errors import NotSettled, NotStarted
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work

_SOME = 1
"""A process id: there was a process."""


@dataclass(slots=True)
class Patience:
    """Seconds that who has made an exec has for starting it; once waited in vain, nobody is waited for any more."""

    seconds: float = 2.0


def left_alone(work: Work, turn: Turn, patience: Patience) -> Record:
    """Return an exec of another delivery once it is started, or as it is after a moment."""
    last: list[Record] = []

    def look() -> Record:
        last[:] = [_there(work, turn)]
        return last[0]

    deadline = Deadline(min(patience.seconds, work.settings.max_seconds / 2))
    try:
        return until(
            deadline, work.context.cancelled, look, lambda seen: not seen.is_fresh, lambda _: ("", {})
        )
    except TimeIsUp:
        patience.seconds = 0
        return last[0]


def over(work: Work, turn: Turn, ending: Ending, deadline: Deadline) -> Record:
    """Return an exec once it is over; raises TimeIsUp, and NotSettled where the engine has it no more."""

    def look() -> Record:
        ending.look()
        return _there(work, turn)

    def too_late(_: Record) -> tuple[str, dict[str, Any]]:
        fault = late(turn)
        return fault.message, dict(fault.details)

    return until(deadline, work.context.cancelled, look, lambda seen: seen.is_over, too_late)


def known(work: Work, turn: Turn, record: Record) -> Record:
    """Return the end of a command with its code; raises NotSettled where the engine does not tell that any more."""
    if not record.is_doubtful:
        return record
    code = memory_until_now(work.engine).codes.get(turn.id)
    if code is None:
        raise NotSettled(
            f"The command in {turn.target.name} ran and has ended; with which code, the engine does not tell",
            hint="Look what the command has done",
        )
    return replace(record, exit_code=code)


def check(turn: Turn, record: Record, written: str) -> None:
    """Raise NotStarted for an exec that the engine could not start; `written`: what came in place of its output."""
    if record.is_refused:
        why = written.strip() or "the engine no longer knows why"
        raise NotStarted(
            f"The command was not started in {turn.target.name}: {why}", exitCode=record.exit_code
        )


def _there(work: Work, turn: Turn) -> Record:
    record = look_for(work.engine, turn.id)
    if record is None and (code := memory_until_now(work.engine).codes.get(turn.id)) is not None:
        return Record(turn.id, turn.target.id, "", running=False, exit_code=code, pid=_SOME)
    if record is None:
        raise NotSettled(
            f"How the command in {turn.target.name} ended is not known: the engine no longer has it",
            hint="The container was stopped or removed meanwhile, or the engine was started again",
        )
    return record


def late(turn: Turn) -> TimeIsUp:
    """Return what is said of a command that runs on when the time of the step is up."""
    return TimeIsUp(f"The command in {turn.target.name} has not ended yet", container=turn.target.output)
