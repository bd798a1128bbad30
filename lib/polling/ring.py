"""What is new in the engine's ring of 256 remembered events, and whether something was lost in between.

The ring is first-in-first-out in publish order, which is not time order; so the cursor is the set of events that
were in it, never a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lib.polling.clock import EDGE_SECONDS, SECOND
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
# The engine's time is known to the second, and reading takes a moment.
SETTLED_SECONDS = EDGE_SECONDS + 1
REPLAY_SECONDS = 120


@dataclass(frozen=True)
class Memory:
    """The ring as the last poll left it.

    `at` is the engine time of that poll. `shown` are the fingerprints the ring held, in its order. `ahead` are those
    already told that it did not show (heard live within the last seconds, or hidden by a clock that was set back);
    they matter until the engine's clock passes `until`. `replayed` and `replay_until`: swarm events older than the one
    that appear before the other repeat what was told before a restart. `unproven` is the time since which only
    swarm-wide events are remembered. `tight`: it was told that the ring turns over too fast for the polls. `run`:
    a mark of the engine's start, kept where `shown` has no local event that could prove anything. `doubt`: since then
    it looks complete, but events too young to be shown may have pushed out others.
    """

    at: int
    shown: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    until: int = 0
    replayed: int = 0
    replay_until: int = 0
    unproven: int = 0
    tight: bool = False
    run: str = ""
    doubt: int = 0
    doubted: int = 0

    @property
    def anchored(self) -> bool:
        """Whether an event is remembered that can prove completeness."""
        return any(name[0] == LOCAL for name in self.shown)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form for the snapshot: 11 characters an event."""
        optional = {
            "ahead": "".join(self.ahead),
            "until": self.until,
            "replayed": self.replayed,
            "replayUntil": self.replay_until,
            "unproven": self.unproven,
            "tight": self.tight,
            "run": self.run,
            "doubt": self.doubt,
            "doubted": self.doubted,
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
        names = ("until", "replayed", "replayUntil", "unproven", "doubt", "doubted")
        times = {name: _seconds(state.get(name, 0)) for name in names}
        return cls(
            _seconds(state["at"]),
            shown,
            ahead,
            times["until"],
            times["replayed"],
            times["replayUntil"],
            times["unproven"],
            bool(state.get("tight")),
            str(state.get("run", "")),
            times["doubt"],
            times["doubted"],
        )


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


def difference(ring: Sequence[Event], before: Memory, now: int, run: str = "") -> Difference:
    """Compare the ring with what the last poll saw; `now` is the engine's time in seconds (triggers, T1).

    Complete, proven, if a local event of the last poll is still there: nothing published later can have been thrown
    out. Swarm-wide events prove nothing: a restarted manager brings them back as they were. Without a local event an
    equal mark of the engine's start is the proof, where there is one.
    """
    present = known(ring)
    names = {name for name, _ in present}
    told = {*before.shown, *before.ahead}
    fresh = [pair for pair in present if pair[0] not in told]
    gap, gap_from, unproven = _loss(present, names, before, now, run)
    doubt, doubted = _doubt(present, before, now, gap)
    if before.doubt and _was_full(present, names, before, now):
        gap, gap_from, doubt, doubted = gap or "overflow", before.doubt, 0, 0
    replayed, replay_until = _replayed(gap, before, now)
    ahead, until = _hidden(names, before, now, len(present))
    memory = Memory(
        now,
        tuple(name for name, _ in present),
        ahead,
        until,
        replayed,
        replay_until,
        unproven,
        run=run,
        doubt=doubt,
        doubted=doubted,
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
    return (before.at, now) if present and not gap and not before.anchored else (0, 0)


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
    return (before.replayed, before.replay_until) if now <= before.replay_until else (0, 0)


def _loss(
    present: Sequence[Known], names: set[str], before: Memory, now: int, run: str
) -> tuple[Reason | None, int, int]:
    """Return why events may be missing (None: proven complete), since when, and since when nothing can be proven."""
    if any(name in names for name in before.shown if name[0] == LOCAL):
        return None, 0, 0
    if len(present) >= FULL:
        return "overflow", before.at, 0
    if now < before.at:
        return "clockSetBack", before.at, 0
    if before.anchored:
        return "restart", before.at, 0
    if run and before.run:
        return ("restart", before.at, 0) if run != before.run else (None, 0, 0)
    return _unprovable(names, before)


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
    candidates = [*(before.shown if back else ()), *before.ahead]
    hidden = tuple(dict.fromkeys(name for name in candidates if name not in names))
    room = max(CAPACITY - count, 0)
    kept = hidden[len(hidden) - room :] if room < len(hidden) else hidden
    return kept, max(before.until, before.at if back else 0) if kept else 0


def _seconds(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("no time in seconds")
    return value
