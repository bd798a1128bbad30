"""Compares the engine's ring of its last 256 events with the last poll's: what is new, and whether events were lost.

The ring is first in, first out, in publish order. Publish order is not time order, so the cursor (`Memory`) holds the
fingerprints of the events that were in the ring, not a time. `difference` works in five steps:

1. Loss. A local event of the last poll that is still in the ring proves that no later event was pushed out
   (`_proven`). Swarm events do not prove this: a restarted manager publishes old ones again. Without a proof, `_loss`
   names the reason: the ring is full (overflow), the clock is behind the last poll (clockSetBack), or the ring should
   show known events and does not (restart). If only swarm events are known, the mark of the engine's start decides
   (`Memory.run`); without it the reason is `unproven`.
2. Doubt. A read ends EDGE_SECONDS before the engine's time, but younger events occupy places in the ring and may have
   pushed out others. If the read has no local proof, the next polls look back at that time (`_doubt`, `_was_full`).
3. Replays. For REPLAY_SECONDS after a restart, swarm events from more than REPLAY_SLACK seconds before the last poll
   count as repeated (`_replayed`, `is_replay`).
4. Hidden events. Some emitted events are not shown: the stream brought them within the last seconds, or the clock was
   set back. They stay in the memory until they must be visible again (`_hidden`).
5. The rest. Each event that the memory does not hold is new.

`hidden_until` is for the caller: before it accepts a restart as the reason, it reads the ring again with the last
seconds in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lib.trigger.clock import EDGE_SECONDS, SECOND
from lib.trigger.events.fingerprints import LOCAL, SWARM, Event, Known, known, nanos
from lib.trigger.events.ring_memory import CAPACITY, Memory

Reason = Literal["overflow", "restart", "clockSetBack", "unproven", "forgotten"]

# Less than 256: events newer than the end of the read occupy places in the ring, and the read does not show them.
FULL = 200
# Seconds before the last poll: younger swarm events are not taken for repeats, to emit one twice rather than never.
REPLAY_SLACK = 10
# One second more than the edge: the engine's time has a resolution of one second, and a read takes some milliseconds.
SETTLED_SECONDS = EDGE_SECONDS + 1
# For so long after a restart, a manager may publish old events again.
REPLAY_SECONDS = 120
YOUNG_SECONDS = 4
"""Upper bound of the wait for hidden events: the stream's appear within seconds, those of a clock set back may not."""


@dataclass(frozen=True)
class Difference:
    """Result of one comparison.

    `memory`: what to store. `new`: new events, `replays`: those that a restarted swarm manager published again, both
    in the order of the ring. `gap`: why events may be missing, since the engine's second `gap_from`; None if complete.
    """

    memory: Memory
    new: tuple[Known, ...] = ()
    replays: tuple[Known, ...] = ()
    gap: Reason | None = None
    gap_from: int = 0


def hidden_until(ring: Sequence[Event], before: Memory, now: int) -> int | None:
    """Return the engine's second up to which to read the ring again, None if no second read is needed.

    A second read is needed if the ring shows no known event and is not full. Either the engine was restarted, or the
    events of the last seconds pushed all known ones out; a read that ends before `now` cannot tell which.
    """
    present = known(ring)
    if now < before.at or len(present) >= FULL or _proven(present, before):
        return None
    until = max(now, before.until if before.until <= now + YOUNG_SECONDS else 0) + 1
    return until if before.awaits(until) else None


def difference(
    ring: Sequence[Event], before: Memory, now: int, run: str = "", until: int | None = None
) -> Difference:
    """Compare the ring with the last poll's memory, by the rules of docs/triggers.md#engineevents.

    `ring`: events in publish order. `now`: the engine's time in seconds. `run`: mark of the engine's start, "" if
    unknown. `until`: the second up to which the ring was read, if that is later than `now` (see `hidden_until`).
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
        # A read beyond `now` also returns events that happen during it: the result may exceed the ring's capacity.
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
    """Return whether a swarm event is a repeat from before the manager's restart: not later than `memory.replayed`."""
    return name[0] == SWARM and nanos(event) <= memory.replayed * SECOND


def _doubt(present: Sequence[Known], before: Memory, now: int, gap: Reason | None) -> tuple[int, int]:
    """Return (doubt, doubted) for the new memory, (0, 0) without a doubt: see `Memory`.

    A doubt begins if the poll counts as complete without a local proof. It ends SETTLED_SECONDS later.
    """
    if before.doubt and now < before.doubted + SETTLED_SECONDS:
        return before.doubt, before.doubted
    return (before.at, now) if present and not gap and not _proven(present, before) else (0, 0)


def _was_full(present: Sequence[Known], names: set[str], before: Memory, now: int) -> bool:
    """Return whether the ring may have been full when the doubt began.

    True at once if the oldest known event is gone. Otherwise the answer is known SETTLED_SECONDS after the doubt began:
    then a read shows all events of that time.
    """
    if not before.shown or before.shown[0] not in names:
        return True
    if now < before.doubted + SETTLED_SECONDS:
        return False
    return sum(nanos(event) <= (before.doubted + 1) * SECOND for _, event in present) >= CAPACITY


def _replayed(gap: Reason | None, before: Memory, now: int) -> tuple[int, int]:
    """Return (replayed, replay_until) for the new memory, (0, 0) if no swarm event counts as a repeat: see `Memory`."""
    if gap == "restart":
        return before.at - REPLAY_SLACK, now + REPLAY_SECONDS
    # The clock was set back, so new events look old too: emit an event twice rather than never.
    if now < before.at:
        return 0, 0
    return (before.replayed, before.replay_until) if now <= before.replay_until else (0, 0)


def _loss(
    present: Sequence[Known], names: set[str], before: Memory, now: int, run: str
) -> tuple[Reason | None, int, int]:
    """Return (reason, since, unproven): why events may be missing (None: complete) and the engine's second since when.

    `unproven` is the second since which nothing can be proven, 0 if a proof is possible.
    """
    if _proven(present, before):
        return None, 0, 0
    if len(present) >= FULL:
        return "overflow", before.at, 0
    if now < before.at:
        return "clockSetBack", before.at, 0
    if before.awaits(now):
        return "restart", before.at, 0
    if run and before.run:
        # Older snapshots hold shorter marks.
        same = run.startswith(before.run) or before.run.startswith(run)
        return (None, 0, 0) if same else ("restart", before.at, 0)
    return _unprovable(names, before)


def _proven(present: Sequence[Known], before: Memory) -> bool:
    """Return whether the ring proves that no event was pushed out before it was read.

    Two proofs: a local event that the last poll saw is still in the ring, or the oldest local event of the ring was
    received from the stream before.
    """
    shown = {name for name in before.shown if name[0] == LOCAL}
    if any(name in shown for name, _ in present):
        return True
    oldest = next((name for name, _ in present if name[0] == LOCAL), None)
    return oldest is not None and oldest in before.ahead


def _unprovable(names: set[str], before: Memory) -> tuple[Reason | None, int, int]:
    """Return the result of `_loss` without any proof: a gap when such a time begins, and a gap when it ends."""
    if not before.shown:
        return None, 0, 0
    if any(name[0] == LOCAL for name in names):
        return "unproven", before.unproven or before.at, 0
    return (None, 0, before.unproven) if before.unproven else ("unproven", before.at, before.at)


def _hidden(names: set[str], before: Memory, now: int, count: int) -> tuple[tuple[str, ...], int]:
    """Return the fingerprints that were emitted but are not shown, and the second until which they may appear."""
    back = now < before.at
    if not back and now > before.until:
        return (), 0
    candidates = [*before.shown, *before.ahead]
    hidden = tuple(dict.fromkeys(name for name in candidates if name not in names))
    room = max(CAPACITY - count, 0)
    kept = hidden[len(hidden) - room :] if room < len(hidden) else hidden
    return kept, max(before.until, before.at if back else 0) if kept else 0
