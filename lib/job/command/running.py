"""One command in one container, started once and followed to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib.action.input.uploads import input_of
from lib.engine.attach.session import upgrade
from lib.engine.errors import Conflict, NoSuchOperation, NotFound, OutcomeUnknown
from lib.engine.request.upload import Upload
from lib.job.command.ending import Ending
from lib.job.command.memory import memory_until_now
from lib.job.command.outcome import NO_OUTPUT, Outcome
from lib.job.command.record import Record, look_for
from lib.job.command.turn import START, Turn
from lib.job.command.wish import Wish
from lib.job.errors import Interrupted, NotSettled, NotStarted
from lib.job.run.conversation import Conversation
from lib.job.run.tail import Tail
from lib.job.waiting import Deadline, TimeIsUp, until
from lib.job.work import Work

_PATIENCE = 2.0
"""Seconds that who has made an exec has for starting it."""
_A_LOOK = 0.2
"""Seconds between two looks at the end of the step while a command is heard."""
_LAST_LOOK = 10.0
"""Seconds in which an engine tells the exit code of a command whose output has ended."""


def ran(work: Work, wish: Wish, turn: Turn, room: int) -> Outcome:
    """Run the command of a turn to its end; `room`: bytes of a message for its output.

    Raises NotStarted where the engine could not start it, NotSettled where its end cannot be known any more, TimeIsUp.
    """
    ending = Ending(work, wish, turn)
    if turn.repeat and not _left_alone(work, turn).is_fresh:
        return _followed(work, wish, turn, ending)
    kept = Tail(work.settings.max_bytes)
    try:
        talk = _begun(work, turn, kept)
    except (Conflict, NotFound, OutcomeUnknown) as refused:
        if isinstance(refused, NoSuchOperation):
            raise
        record = look_for(work.engine, turn.id)
        if record is not None and not record.is_fresh:
            ours = isinstance(refused, OutcomeUnknown)
            if ours:
                _planned(work, turn)
            return _followed(work, wish, turn, ending, repeat=turn.repeat or not ours)
        if isinstance(refused, NotFound):
            raise NotStarted(f"The command was not started: {refused.message}") from refused
        raise
    _heard(work, turn, talk, ending)
    output = kept.body(room)
    if _is_second(turn, output["stdout"]):
        return _followed(work, wish, turn, ending)
    _planned(work, turn)
    if talk.is_cut:
        raise NotSettled(
            f"The command in {turn.target.name} got only a part of its input, and may have taken it for all of it",
            hint=talk.fault.message if talk.fault else None,
        )
    if talk.fault is not None:
        return _followed(work, wish, turn, ending, output, repeat=turn.repeat)
    record = _over(work, turn, ending, Deadline(max(work.deadline.left, _LAST_LOOK)))
    _check(record, str(output["stdout"]))
    return _outcome(wish, turn, record, ending, output, repeat=turn.repeat, lost=False)


def _planned(work: Work, turn: Turn) -> None:
    """Enter what this delivery has started."""
    work.will("run", "command", turn.target.name)


def _begun(work: Work, turn: Turn, kept: Tail) -> Conversation:
    source: Upload | None = input_of(work.context, work.message, work.fields, "stdinText")
    try:
        if source is not None:
            source.open()
        body = {"Detach": False, "Tty": False}
        talk = Conversation(work, upgrade(work.engine, START[1], {"id": turn.id}, body=body), source, kept)
    except BaseException:
        if source is not None:
            source.close()
        raise
    talk.begin()
    return talk


def _heard(work: Work, turn: Turn, talk: Conversation, ending: Ending) -> None:
    """Wait for the end of the output."""
    while not talk.ended(_A_LOOK):
        if work.context.cancelled.is_set():
            raise Interrupted
        if work.deadline.left <= 0:
            _planned(work, turn)
            raise _late(turn)
        ending.look()


def _left_alone(work: Work, turn: Turn) -> Record:
    """Return an exec of another delivery once it is started, or as it is after a moment."""
    last: list[Record] = []

    def look() -> Record:
        last[:] = [_there(work, turn)]
        return last[0]

    patience = Deadline(min(_PATIENCE, work.settings.max_seconds / 2))
    try:
        return until(
            patience, work.context.cancelled, look, lambda seen: not seen.is_fresh, lambda _: ("", {})
        )
    except TimeIsUp:
        return last[0]


def _followed(
    work: Work,
    wish: Wish,
    turn: Turn,
    ending: Ending,
    output: Mapping[str, Any] = NO_OUTPUT,
    *,
    repeat: bool = True,
) -> Outcome:
    """Wait for the end of a command whose output another one has heard, or nobody; `repeat`: another one began it."""
    record = _over(work, turn, ending, work.deadline)
    _check(record, "")
    record = _known(work, turn, record)
    if wish.has_input and repeat:
        work.warn(
            f"The command in {turn.target.name} was started by a delivery that is gone;"
            " if that died then, its input was cut off"
        )
    return _outcome(wish, turn, record, ending, output, repeat=repeat, lost=True)


def _over(work: Work, turn: Turn, ending: Ending, deadline: Deadline) -> Record:
    def look() -> Record:
        ending.look()
        return _there(work, turn)

    def late(_: Record) -> tuple[str, dict[str, Any]]:
        fault = _late(turn)
        return fault.message, dict(fault.details)

    return until(deadline, work.context.cancelled, look, lambda seen: seen.is_over, late)


def _known(work: Work, turn: Turn, record: Record) -> Record:
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


def _there(work: Work, turn: Turn) -> Record:
    record = look_for(work.engine, turn.id)
    if record is None:
        raise NotSettled(
            f"How the command in {turn.target.name} ended is not known: the engine no longer has it",
            hint="The container was stopped or removed meanwhile, or the engine was started again",
        )
    return record


def _late(turn: Turn) -> TimeIsUp:
    return TimeIsUp(f"The command in {turn.target.name} has not ended yet", container=turn.target.output)


def _is_second(turn: Turn, written: str) -> bool:
    """Whether the engine has refused the start of what another delivery had started; it says so in the output."""
    text = rf"(Error: Exec|exec) command {re.escape(turn.id)} (is already running|has already run)\s*"
    return re.fullmatch(text, written) is not None


def _check(record: Record, written: str) -> None:
    if record.is_refused:
        why = written.strip() or "the engine no longer knows why"
        raise NotStarted(f"The command was not started: {why}", exitCode=record.exit_code)


def _outcome(
    wish: Wish,
    turn: Turn,
    record: Record,
    ending: Ending,
    output: Mapping[str, Any],
    *,
    repeat: bool,
    lost: bool,
) -> Outcome:
    code = record.exit_code or 0
    ok = code in wish.ok_codes and not ending.killed
    return Outcome(turn.target, code, ok, repeat, lost, ending.killed, output)
