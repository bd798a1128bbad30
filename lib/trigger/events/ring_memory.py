"""What a poll remembers of the engine's ring of events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.trigger.events.fingerprints import LOCAL, SWARM, WIDTH
from lib.trigger.marks.compact import pieces

CAPACITY = 256


@dataclass(frozen=True)
class Memory:
    """The ring as the last poll left it.

    `at` is the engine time of that poll. `shown` are the fingerprints the ring held, in its order. `ahead` are those
    already told that it did not show (heard live within the last seconds, or hidden by a clock that was set back);
    they matter until the engine's clock passes `until`. `replayed` and `replay_until`: swarm events older than the one
    that appear before the other repeat what was told before a restart. `unproven` is the time since which only
    swarm-wide events are remembered. `tight`: it was told that the ring turns over too fast for the polls. `run`:
    a mark of the engine's start, kept where `shown` has no local event that could prove anything. `doubt`: since then
    it looks complete, but events too young to be shown may have pushed out others. `heard`: `ahead` came from the
    engine's stream, so that the ring must show it soon.
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
    heard: bool = False

    @property
    def anchored(self) -> bool:
        """Whether an event is remembered that can prove completeness."""
        return any(name[0] == LOCAL for name in self.shown)

    def awaits(self, now: int) -> bool:
        """Whether events are remembered that the ring has to show at `now`, if it still has them."""
        return self.anchored or (
            self.heard and now > self.until and any(name[0] == LOCAL for name in self.ahead)
        )

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
            "heard": self.heard,
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
            bool(state.get("heard")),
        )


def _seconds(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError("no time in seconds")
    return value
