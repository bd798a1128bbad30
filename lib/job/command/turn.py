"""From a container to an exec that carries the run's mark: one that an earlier delivery made, or a new one.

Making an exec runs nothing. The engine's events put those of two deliveries in one order, which both see, and the first
one is started, by whoever comes; of two starts of one exec the engine refuses one. So a command runs once. One that the
engine could not start never ran, so it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import Conflict, EngineError, Refused, Unreachable
from lib.job.command.memory import LONGEST, Memory, memory_up_to, squeezed
from lib.job.command.record import Mark, look_for
from lib.job.command.wish import Wish
from lib.job.errors import Interrupted, NotSettled, NotStarted
from lib.job.settings import RUN_AGAIN
from lib.job.targets import RUNNING, Target
from lib.job.work import Work
from lib.trigger.clock import SECOND

CREATE, START = ("POST", "/containers/{id}/exec"), ("POST", "/exec/{id}/start")
_MOST = 512
"""Execs of a container that are looked at."""
_FORGETFUL = "Libpod"
"""How Podman names itself: none of its events tells of an exec that is made, so nobody waits for one."""
_SKEW = 60 * SECOND
"""By so much the clocks of platform and engine may differ."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The exec of a run in a container; `repeat`: another delivery has made it.

    `began`: when that one started it (Unix nanoseconds), 0 where it did not, or where no event tells.
    """

    target: Target
    id: str
    repeat: bool
    began: int = 0


@dataclass(slots=True)
class _Search:
    """What became of a search for the run's exec among some: the first one, if there is one."""

    turn: Turn | None = None
    gone: set[str] = field(default_factory=set)
    """Those that the engine no longer has."""
    refused: bool = False
    """Whether there is one that the engine could not start: whoever made it had found none before it."""


def check_runs(target: Target) -> None:
    """Raise Conflict for a container in which nothing can be run now."""
    if target.status != RUNNING:
        raise Conflict(
            f"{target.name} is {target.status}: a command needs a container that runs",
            hint="Start it, or wait for it with WaitForContainer",
        )


@dataclass(slots=True)
class Begun:
    """Whether the command may have begun by this delivery, or by an earlier one that was found."""

    is_so: bool = False


def turn_in(work: Work, wish: Wish, target: Target, memory: Memory, begun: Begun) -> Turn:
    """Return the exec of a run in a container, found or made; raises what `found` and `made` do, and Interrupted."""
    if work.context.cancelled.is_set():
        raise Interrupted
    turn = found(work, wish, target, memory) if work.run.repeated else None
    if turn is None:
        try:
            turn = made(work, wish, target)
        except (Refused, Unreachable, NotStarted):  # nothing was made
            raise
        except EngineError:
            begun.is_so = True
            raise
    begun.is_so = True
    return turn


def found(work: Work, wish: Wish, target: Target, memory: Memory) -> Turn | None:
    """Return the exec of an earlier delivery in a container; None where it is proven that there was none.

    Raises NotSettled where nothing is proven and the setting onRepeat says so.
    """
    known = [entry.id for entry in memory.of(target)]
    search = _first(work, wish.mark, target, [*known, *_execs_of(work, target)], memory)
    if search.turn is not None or search.refused or work.settings.on_repeat == RUN_AGAIN:
        return search.turn
    if not is_unbegun(work, wish) and not _is_proven(work, wish, memory, search.gone):
        raise NotSettled(
            f"This command may have run in {target.name} already: its message came before,"
            " and the engine no longer remembers",
            hint="Look what it has done. Where a second run does no harm, set onRepeat to run it again",
        )
    return None


def is_unbegun(work: Work, wish: Wish) -> bool:
    """Whether all earlier deliveries of the message came to an end, and the last one said that none had begun."""
    return not work.run.redelivered and (
        not work.run.repeated or wish.mark.unbegun in work.context.rebound_reason
    )


def made(work: Work, wish: Wish, target: Target) -> Turn:
    """Make an exec and return it, or that of another delivery which came first."""
    check_runs(target)
    try:
        reply = work.engine.post(CREATE[1], {"id": target.id}, body=wish.body_in(target.id))
    except Refused as refused:
        if type(refused) is not Refused:
            raise
        raise not_started(refused, target) from refused
    own: str = reply.read(lambda told: str(told["Id"]))
    if not work.run.recognisable or reply.headers.get("Server", "").startswith(_FORGETFUL):
        return Turn(target, own, repeat=False)
    memory = memory_up_to(work.engine, target, own)
    entry = memory.entry(own)
    if entry is None:
        return Turn(target, own, repeat=False)
    # Under a key of the input's own, another command may have been run: that is to be told.
    others = [one for one in memory.entries if wish.has_key or one.text == entry.text]
    before = [one.id for one in others if one.id != own]
    search = _first(work, wish.mark, target, before, memory)
    return search.turn or Turn(target, own, repeat=False)


def not_started(refused: Refused, target: Target) -> NotStarted:
    """Return what a plain refusal (400) means: something of the command does not fit the container."""
    return NotStarted(f"The command was not started in {target.name}: {refused.message}", hint=refused.hint)


def _first(work: Work, mark: Mark, target: Target, ids: Iterable[str], memory: Memory) -> _Search:
    """Return the first exec of the run among some."""
    ids = list(dict.fromkeys(ids))
    search = _Search(gone=set(ids[_MOST:]))  # nobody asks an engine about so many
    for identity in ids[:_MOST]:
        record = look_for(work.engine, identity)
        if record is None:
            search.gone.add(identity)
        elif record.is_refused and mark.is_run_of(record):
            search.refused = True
        elif mark.is_on(record):
            search.turn = Turn(target, identity, repeat=True, began=memory.starts.get(identity, 0))
            return search
        elif mark.is_run_of(record):
            raise NotSettled(
                f"Another command ran in {target.name} with the same idempotency key or message id",
                hint="Give each input a key of its own",
            )
    return search


def _execs_of(work: Work, target: Target) -> list[str]:
    """Return the execs that a container knows: those that run or were not started, in the order of their ids."""

    def read(told: Mapping[str, Any]) -> list[str]:
        return sorted(str(one) for one in told.get("ExecIDs") or ())

    return work.engine.get("/containers/{id}/json", {"id": target.id}).read(read)


def _is_proven(work: Work, wish: Wish, memory: Memory, gone: set[str]) -> bool:
    """Whether the engine would remember the run's exec: its memory is older than the message, and has none like it.

    `gone`: execs of the container that it no longer has.
    """
    began = work.run.made - _SKEW
    if not work.run.made or not memory.oldest or memory.oldest > began or memory.nameless >= began:
        return False
    return not any(
        entry.time >= began and _may_be(wish, entry.text) for entry in memory.entries if entry.id in gone
    )


def _may_be(wish: Wish, text: str) -> bool:
    """Whether the event of an exec that is gone may tell of this command."""
    words = " ".join(wish.words)
    # Of a long command its beginning is enough: the end of the event's text may be cut elsewhere.
    whole = squeezed(words)
    return not text or (whole if len(words) < LONGEST else whole[: len(whole) // 2]) in text
