"""What is new in the engine's ring of 256 remembered events, and whether something was lost in between.

The ring is first-in-first-out in publish order, which is not time order; so the cursor is the set of events that
were in it, never a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lib.polling.clock import SECOND
from lib.polling.compact import mark, pieces

Event = Mapping[str, Any]
Known = tuple[str, Event]
Reason = Literal["overflow", "restart", "clockSetBack", "unproven", "forgotten"]

WIDTH = 11
CAPACITY = 256
# Not 256: events newer than the read's end hold places in the ring and are invisible to it.
FULL = 200
LOCAL, SWARM = "l", "s"
REPLAY_SLACK = 10
REPLAY_SECONDS = 120


@dataclass(frozen=True)
class Memory:
    """The ring as the last poll left it.

    `at` is the engine time of that poll. `shown` are the fingerprints the ring held, in its order. `ahead` are those
    already told that it did not show (heard live within the last seconds, or hidden by a clock that was set back);
    they matter until the engine's clock passes `until`. `replayed` and `replay_until`: swarm events older than the one
    that appear before the other repeat what was told before a restart. `unproven` is the time since which only
    swarm-wide events are remembered. `tight`: it was told that the ring turns over too fast for the polls.
    """

    at: int
    shown: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    until: int = 0
    replayed: int = 0
    replay_until: int = 0
    unproven: int = 0
    tight: bool = False

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form for the snapshot: 11 characters an event."""
        optional = {
            "ahead": "".join(self.ahead),
            "until": self.until,
            "replayed": self.replayed,
            "replayUntil": self.replay_until,
            "unproven": self.unproven,
            "tight": self.tight,
        }
        return {"at": self.at, "seen": "".join(self.shown), **{k: v for k, v in optional.items() if v}}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Memory:
        """Read `to_state`; ValueError, TypeError or KeyError for anything else."""
        shown, ahead = pieces(state["seen"], WIDTH), pieces(state.get("ahead", ""), WIDTH)
        if (
            any(one[0] not in (LOCAL, SWARM) for one in shown + ahead)
            or len(shown) + len(ahead) > CAPACITY * 2
        ):
            raise ValueError("no fingerprints of events")
        names = ("until", "replayed", "replayUntil", "unproven")
        until, replayed, replay_until, unproven = (_seconds(state.get(name, 0)) for name in names)
        at, tight = _seconds(state["at"]), bool(state.get("tight"))
        return cls(at, shown, ahead, until, replayed, replay_until, unproven, tight)


@dataclass(frozen=True)
class Difference:
    """`new` in ring order, `replays` of a restarted swarm manager, `gap`: why something may be missing."""

    memory: Memory
    new: tuple[Known, ...] = ()
    replays: tuple[Known, ...] = ()
    gap: Reason | None = None
    gap_from: int = 0


@dataclass
class Fingerprints:
    """Names events: 60 bits of a hash after `l` or `s` for the scope; identical events are told apart by number."""

    _count: Counter[str] = field(default_factory=Counter)

    def of(self, event: Event) -> str:
        """Return the fingerprint of the next event."""
        actor = event.get("Actor") or {}
        scope = event.get("scope") or "local"
        facts = [scope, event.get("Type"), event.get("Action"), actor.get("ID"), nanos(event)]
        first = mark([*facts, actor.get("Attributes") or {}], WIDTH - 1)
        self._count[first] += 1
        count = self._count[first]
        return (SWARM if scope == "swarm" else LOCAL) + (
            first if count == 1 else mark(f"{first} {count}", WIDTH - 1)
        )


def nanos(event: Event) -> int:
    """Return the time an event carries, in Unix nanoseconds."""
    return int(event.get("timeNano") or int(event.get("time") or 0) * SECOND)


def known(ring: Iterable[Event]) -> tuple[Known, ...]:
    """Pair every event of the ring, in its order, with its fingerprint."""
    name = Fingerprints()
    return tuple((name.of(event), event) for event in ring)


def difference(ring: Sequence[Event], before: Memory, now: int) -> Difference:
    """Compare the ring with what the last poll saw; `now` is the engine's time in seconds (triggers, T1).

    Complete, proven, if a local event of the last poll is still there: nothing published later can have been thrown
    out. Swarm-wide events prove nothing: a restarted manager brings them back as they were.
    """
    present = known(ring)
    names = {name for name, _ in present}
    told = {*before.shown, *before.ahead}
    fresh = [pair for pair in present if pair[0] not in told]
    gap, gap_from, unproven = _loss(present, names, before, now)
    replayed, replay_until = (
        (before.at - REPLAY_SLACK, now + REPLAY_SECONDS)
        if gap == "restart"
        else (before.replayed, before.replay_until)
        if now <= before.replay_until
        else (0, 0)
    )
    replays = [pair for pair in fresh if pair[0][0] == SWARM and nanos(pair[1]) <= replayed * SECOND]
    again = {name for name, _ in replays}
    ahead, until = _hidden(names, before, now, len(present))
    return Difference(
        Memory(now, tuple(name for name, _ in present), ahead, until, replayed, replay_until, unproven),
        tuple(pair for pair in fresh if pair[0] not in again),
        tuple(replays),
        gap,
        gap_from,
    )


def _loss(
    present: Sequence[Known], names: set[str], before: Memory, now: int
) -> tuple[Reason | None, int, int]:
    """Return why events may be missing (None: proven complete), since when, and since when nothing can be proven."""
    if any(name in names for name in before.shown if name[0] == LOCAL):
        return None, 0, 0
    if len(present) >= FULL:
        return "overflow", before.at, 0
    if not before.shown:
        return None, 0, 0
    if all(name[0] == SWARM for name in before.shown):
        if any(name[0] == LOCAL for name in names):
            return "unproven", before.unproven or before.at, 0
        return (None, 0, before.unproven) if before.unproven else ("unproven", before.at, before.at)
    return ("clockSetBack" if now < before.at else "restart"), before.at, 0


def _hidden(names: set[str], before: Memory, now: int, count: int) -> tuple[tuple[str, ...], int]:
    """Return what is told but not visible, and until when it may still appear."""
    back = now < before.at
    if not back and now > before.until:
        return (), 0
    candidates = [*(before.shown if back else ()), *before.ahead]
    hidden = tuple(dict.fromkeys(name for name in candidates if name not in names))
    room = max(CAPACITY - count, 0)
    kept = hidden[len(hidden) - room :] if room < len(hidden) else hidden
    return kept, max(before.until, before.at if back else 0) if kept else 0


def _seconds(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("no time in seconds")
    return value
