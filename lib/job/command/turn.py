"""From a container to an exec that carries the run's mark: one that an earlier delivery made, or a new one.

Making an exec runs nothing. The engine's events put those of two deliveries in one order, which both see, and the first
one is started, by whoever comes; of two starts of one exec the engine refuses one. So a command runs once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import Conflict
from lib.job.command.memory import Memory, memory_up_to
from lib.job.command.record import Mark, look_for
from lib.job.command.wish import Wish
from lib.job.errors import NotSettled
from lib.job.settings import RUN_AGAIN
from lib.job.targets import RUNNING, Target
from lib.job.work import Work
from lib.trigger.clock import SECOND

CREATE, START = ("POST", "/containers/{id}/exec"), ("POST", "/exec/{id}/start")
_MOST = 512
"""Execs of a container that are looked at."""
_SKEW = 60 * SECOND
"""By so much the clocks of platform and engine may differ."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The exec of a run in a container; `repeat`: another delivery has made it. `made`: Unix nanoseconds, or 0."""

    target: Target
    id: str
    repeat: bool
    made: int = 0


def found(work: Work, wish: Wish, target: Target, memory: Memory) -> Turn | None:
    """Return the exec of an earlier delivery in a container; None where it is proven that there was none.

    Raises NotSettled where nothing is proven and the setting onRepeat says so.
    """
    known = [entry.id for entry in memory.of(target)]
    turn, gone = _first(work, wish.mark, target, [*known, *_execs_of(work, target)], memory)
    if turn is not None:
        return turn
    if work.settings.on_repeat != RUN_AGAIN and not _is_proven(work, wish, memory, gone):
        raise NotSettled(
            f"This command may have run in {target.name} already: its message came before,"
            " and the engine no longer remembers",
            hint="Look what it has done. Where a second run does no harm, set onRepeat to run it again",
        )
    return None


def made(work: Work, wish: Wish, target: Target) -> Turn:
    """Make an exec and return it, or that of another delivery which came first."""
    if target.status != RUNNING:
        raise Conflict(
            f"{target.name} is {target.status}: a command needs a container that runs",
            hint="Start it, or wait for it with WaitForContainer",
        )
    reply = work.engine.post(CREATE[1], {"id": target.id}, body=wish.body)
    own: str = reply.read(lambda told: str(told["Id"]))
    if not work.run.recognisable:
        return Turn(target, own, repeat=False)
    memory = memory_up_to(work.engine, own)
    entry = memory.entry(own)
    if entry is None:
        return Turn(target, own, repeat=False)
    # Under a key of the input's own, another command may have been run: that is to be told.
    others = [one for one in memory.of(target) if wish.has_key or one.text == entry.text]
    before = [one.id for one in others if one.id != own]
    first, _ = _first(work, wish.mark, target, before, memory)
    return first or Turn(target, own, repeat=False, made=entry.time)


def _first(
    work: Work, mark: Mark, target: Target, ids: list[str], memory: Memory
) -> tuple[Turn | None, list[str]]:
    """Return the first exec of the run among some, and those that the engine no longer has."""
    ids = list(dict.fromkeys(ids))
    gone = ids[_MOST:]  # nobody asks an engine about so many
    for identity in ids[:_MOST]:
        record = look_for(work.engine, identity)
        if record is None:
            gone.append(identity)
        elif mark.is_on(record):
            entry = memory.entry(identity)
            return Turn(target, identity, repeat=True, made=entry.time if entry else 0), gone
        elif mark.is_run_of(record):
            raise NotSettled(
                f"Another command ran in {target.name} with the same idempotency key or message id",
                hint="Give each input a key of its own",
            )
    return None, gone


def _execs_of(work: Work, target: Target) -> list[str]:
    """Return the execs that a container knows: those that run or were not started, in the order of their ids."""

    def read(told: Mapping[str, Any]) -> list[str]:
        return sorted(str(one) for one in told.get("ExecIDs") or ())

    return work.engine.get("/containers/{id}/json", {"id": target.id}).read(read)


def _is_proven(work: Work, wish: Wish, memory: Memory, gone: list[str]) -> bool:
    """Whether the engine would remember the run's exec: its memory is older than the message, and has none like it.

    `gone`: execs of the container that it no longer has.
    """
    began = work.run.made - _SKEW
    if not work.run.made or not memory.oldest or memory.oldest > began:
        return False
    return not any(
        entry.time >= began and _may_be(wish, entry.text) for entry in memory.entries if entry.id in gone
    )


def _may_be(wish: Wish, text: str) -> bool:
    """Whether the event of an exec that is gone may tell of this command; engines write its words with blanks."""
    return "".join(" ".join(wish.words).split()) in "".join(text.split()) or not text
