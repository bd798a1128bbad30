"""One command in one container, started once and followed to its end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lib.action.input.uploads import input_of
from lib.engine.attach.session import upgrade
from lib.engine.errors import Conflict, NoSuchOperation, NotFound, OutcomeUnknown, Refused
from lib.engine.request.upload import Upload
from lib.job.command.ending import Ending
from lib.job.command.following import Patience, check, known, late, left_alone, over
from lib.job.command.outcome import NO_OUTPUT, Outcome
from lib.job.command.record import Record, look_for
from lib.job.command.turn import START, Turn, made, not_started
from lib.job.command.wish import Wish
from lib.job.errors import Interrupted, NotReached, NotSettled
from lib.job.run.conversation import Conversation
from lib.job.run.tail import Tail
from lib.job.waiting import Deadline
from lib.job.work import Work

_A_LOOK = 0.2
"""Seconds between two looks at the end of the step while a command is heard."""
_LAST_LOOK = 10.0
"""Seconds in which an engine tells the exit code of a command whose output has ended."""


def ran(work: Work, wish: Wish, turn: Turn, room: int, patience: Patience) -> Outcome:
    """Run the command of a turn to its end; `room`: bytes of a message for its output.

    Raises NotStarted where the engine could not start it, NotSettled where its end cannot be known any more, TimeIsUp.
    """
    if turn.repeat:
        seen = left_alone(work, turn, patience)
        if seen.is_refused:  # it never ran, and who made it may be gone
            return ran(work, wish, made(work, wish, turn.target), room, patience)
        if not seen.is_fresh:
            return _followed(work, wish, turn)
    kept = Tail(work.settings.max_bytes)
    try:
        talk = _begun(work, turn, kept)
    except (Refused, OutcomeUnknown) as fault:
        _check_started(work, turn, fault)
        ours = isinstance(fault, OutcomeUnknown)
        if ours:
            _planned(work, turn)
        return _followed(work, wish, turn, repeat=turn.repeat or not ours)
    ending = Ending(work, wish, turn)
    _heard(work, turn, talk, ending)
    output = kept.body(room)
    if _is_second(turn, output["stdout"]):
        return _followed(work, wish, turn)
    _planned(work, turn)
    if talk.is_cut:
        ending.now()
        raise NotSettled(
            f"The command in {turn.target.name} got only a part of its input, and may have taken it for all of it",
            hint=talk.fault.message if talk.fault else None,
        )
    if talk.fault is not None:
        return _followed(work, wish, turn, output, repeat=turn.repeat, ending=ending)
    record = over(work, turn, ending, Deadline(max(work.deadline.left, _LAST_LOOK)))
    check(turn, record, str(output["stdout"]))
    return _outcome(wish, turn, record, ending, output, repeat=turn.repeat, lost=False)


def _check_started(work: Work, turn: Turn, fault: Refused | OutcomeUnknown) -> None:
    """Raise the fault of a start, unless the command has been started, by another delivery or in spite of it."""
    if isinstance(fault, Conflict | OutcomeUnknown):
        record = look_for(work.engine, turn.id)
        if record is not None and not record.is_fresh:
            return
    is_absent = isinstance(fault, NotFound) and not isinstance(fault, NoSuchOperation)
    if isinstance(fault, Refused) and (is_absent or type(fault) is Refused):
        raise not_started(fault, turn.target) from fault
    raise fault


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
            raise late(turn) if talk.is_whole else _half_fed(work, turn, ending)
        ending.look()


def _half_fed(work: Work, turn: Turn, ending: Ending) -> NotReached:
    """End a command that would take half of its input for all of it, as soon as the connection goes."""
    what = "it was ended" if ending.now() else "it goes on with the part that it got"
    return NotReached(
        f"The command in {turn.target.name} had not taken its whole input after {work.settings.max_seconds:g} s;"
        f" {what}",
        hint="Raise maxSeconds",
        container=turn.target.output,
    )


def _followed(
    work: Work,
    wish: Wish,
    turn: Turn,
    output: Mapping[str, Any] = NO_OUTPUT,
    *,
    repeat: bool = True,
    ending: Ending | None = None,
) -> Outcome:
    """Wait for the end of a command whose output another one has heard, or nobody; `repeat`: another one began it."""
    ending = ending or Ending(work, wish, turn)
    record = over(work, turn, ending, work.deadline)
    check(turn, record, "")
    record = known(work, turn, record)
    if repeat and record.exit_code and ending.was_begun():
        ending.killed = True
    if wish.has_input and repeat:
        work.warn(
            f"The command in {turn.target.name} was started by a delivery that is gone;"
            " if that died then, its input was cut off"
        )
    return _outcome(wish, turn, record, ending, output, repeat=repeat, lost=True)


def _is_second(turn: Turn, written: str) -> bool:
    """Whether the engine has refused the start of what another delivery had started; it says so in the output."""
    text = rf"(Error: Exec|exec) command {re.escape(turn.id)} (is already running|has already run)\s*"
    return re.fullmatch(text, written) is not None


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
