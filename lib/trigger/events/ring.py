"""What is new in the engine's ring of 256 remembered events, and whether something was lost in between.

The ring is first-in-first-out in publish order, which is not time order; so the cursor is the set of events that
were in it, never a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib.trigger.clock import EDGE_SECONDS, SECOND
from lib.trigger.events.fingerprints import LOCAL, SWARM, Event, Known, known, nanos
from lib.trigger.events.ring_memory import CAPACITY, Memory

Reason = Literal["overflow", "restart", "clockSetBack", "unproven", "forgotten"]

# Not 256: events newer than the read's end hold places in the ring and are invisible to it.
FULL = 200
REPLAY_SLACK = 10
# The engine's time is known to the second, and reading takes a moment.
SETTLED_SECONDS = EDGE_SECONDS + 1
REPLAY_SECONDS = 120
YOUNG_SECONDS = 4
"""What was told live within the last seconds may be waited for; what a clock that was set back hides may not."""


@dataclass(frozen=True)
class Difference:
    """`new` in ring order, `replays` of a restarted swarm manager, `gap`: why something may be missing."""

    memory: Memory
    new: tuple[Known, ...] = ()
    replays: tuple[Known, ...] = ()
    gap: Reason | None = None
    gap_from: int = 0


def hidden_until(ring: Sequence[Event], before: Memory, now: int) -> int | None:
    """Return up to when the ring has to be read so that it shows why nothing of what is remembered is in it.

    None where something is, or where the ring is full already. Else the engine was restarted, or pushed all of it out
    by events of the last seconds, which a read up to just before `now` does not show.
    """
    present = known(ring)
    if now < before.at or len(present) >= FULL or _proven(present, before):
        return None
    until = max(now, before.until if before.until <= now + YOUNG_SECONDS else 0) + 1
    return until if before.awaits(until) else None


def difference(
    ring: Sequence[Event], before: Memory, now: int, run: str = "", until: int | None = None
) -> Difference:
    """Compare the ring with what the last poll saw; `now` is the engine's time in seconds.

    The rules are those of docs/triggers.md#engineevents. Complete, proven, if a local event of the last poll is
    still there: nothing published later can have been thrown out. So it is if the oldest local event of the ring was
    heard from the engine's stream. Swarm-wide events prove nothing: a restarted manager brings them back as they
    were. Without a local event an equal mark of the engine's start is the proof, where there is one. `until`: the
    ring was read up to then, beyond `now`.
    """
    present = known(ring)
    names = {name for name, _ in present}
    told = {*before.shown, *before.ahead}
    fresh = [pair for pair in present if pair[0] not in told]
    gap, gap_from, unproven = _loss(present, names, before, max(now, until or 0), run)
    doubt, doubted = _doubt(present, before, now, gap)
    if before.doubt and _was_full(present, names, before, now):
        gap, gap_from, doubt, doubted = gap or "overflow", before.doubt, 0, 0
    replayed, replay_until = _replayed(gap, before, now)
    ahead, told_until = _hidden(names, before, now, len(present))
    memory = Memory(
        now,
        # A read into the future brings what happens meanwhile, which may be more than the ring holds.
        tuple(name for name, _ in present)[-CAPACITY:],
        ahead,
        max(told_until, until + EDGE_SECONDS + 1 if until else 0),
        replayed,
        replay_until,
        unproven,
        run=run,
        doubt=doubt,
        doubted=doubted,
        heard=before.heard and bool(ahead) and not gap,
    )
    new = tuple(pair for pair in fresh if not is_replay(*pair, memory))
    replays = tuple(pair for pair in fresh if is_replay(*pair, memory))
    return Difference(memory, new, replays, gap, gap_from)


def is_replay(name: str, event: Event, memory: Memory) -> bool:
    """Whether a swarm event repeats one from before a restart of the manager; until `replay_until` such may come."""
    return name[0] == SWARM and nanos(event) <= memory.replayed * SECOND


def _doubt(present: Sequence[Known], before: Memory, now: int, gap: Reason | None) -> tuple[int, int]:
    """Return since when completeness is in doubt for what is too young to be shown, and the poll that began it."""
    if before.doubt and now < before.doubted + SETTLED_SECONDS:
        return before.doubt, before.doubted
    return (before.at, now) if present and not gap and not _proven(present, before) else (0, 0)


def _was_full(present: Sequence[Known], names: set[str], before: Memory, now: int) -> bool:
    """Whether the ring may have been full when the doubt began; known once all of that time is shown."""
    if not before.shown or before.shown[0] not in names:
        return True
    if now < before.doubted + SETTLED_SECONDS:
        return False
    return sum(nanos(event) <= (before.doubted + 1) * SECOND for _, event in present) >= CAPACITY


def _replayed(gap: Reason | None, before: Memory, now: int) -> tuple[int, int]:
    """Return up to which time swarm events repeat older ones, and until when such may still come."""
    if gap == "restart":
        return before.at - REPLAY_SLACK, now + REPLAY_SECONDS
    if now < before.at:  # what happens now is as old, by a clock that was set back: rather twice than never
        return 0, 0
    return (before.replayed, before.replay_until) if now <= before.replay_until else (0, 0)


def _loss(
    present: Sequence[Known], names: set[str], before: Memory, now: int, run: str
) -> tuple[Reason | None, int, int]:
    """Return why events may be missing (None: proven complete), since when, and since when nothing can be proven."""
    if _proven(present, before):
        return None, 0, 0
    if len(present) >= FULL:
        return "overflow", before.at, 0
    if now < before.at:
        return "clockSetBack", before.at, 0
    if before.awaits(now):
        return "restart", before.at, 0
    if run and before.run:
        # Marks of older snapshots are shorter.
        same = run.startswith(before.run) or before.run.startswith(run)
        return (None, 0, 0) if same else ("restart", before.at, 0)
    return _unprovable(names, before)


def _proven(present: Sequence[Known], before: Memory) -> bool:
    """Whether nothing can have been thrown out that was not told: see `difference`."""
    shown = {name for name in before.shown if name[0] == LOCAL}
    if any(name in shown for name, _ in present):
        return True
    oldest = next((name for name, _ in present if name[0] == LOCAL), None)
    return oldest is not None and oldest in before.ahead


def _unprovable(names: set[str], before: Memory) -> tuple[Reason | None, int, int]:
    """Tell once where a time begins in which nothing can be proven, and once where it ends."""
    if not before.shown:
        return None, 0, 0
    if any(name[0] == LOCAL for name in names):
        return "unproven", before.unproven or before.at, 0
    return (None, 0, before.unproven) if before.unproven else ("unproven", before.at, before.at)


def _hidden(names: set[str], before: Memory, now: int, count: int) -> tuple[tuple[str, ...], int]:
    """Return what is told but not visible, and until when it may still appear."""
    back = now < before.at
    if not back and now > before.until:
        return (), 0
    candidates = [*before.shown, *before.ahead]
    hidden = tuple(dict.fromkeys(name for name in candidates if name not in names))
    room = max(CAPACITY - count, 0)
    kept = hidden[len(hidden) - room :] if room < len(hidden) else hidden
    return kept, max(before.until, before.at if back else 0) if kept else 0
