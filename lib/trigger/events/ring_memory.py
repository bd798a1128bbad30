"""What a poll stores of the engine's ring of events: the cursor of engineEvents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.trigger.events.fingerprints import LOCAL, SWARM, WIDTH
from lib.trigger.marks.compact import pieces

CAPACITY = 256
"""Events in the engine's ring."""


@dataclass(frozen=True)
class Memory:
    """The ring at the last poll. All times are in seconds of the engine's clock; 0 means none.

    - `at`: time of that poll.
    - `shown`: fingerprints of the events in the ring, in its order.
    - `ahead`: fingerprints of emitted events that the ring did not show: the stream brought them, or the clock was
      set back. They count until the clock has passed `until`.
    - `heard`: `ahead` came from the stream, so the ring must show these events soon.
    - `replayed`, `replay_until`: until `replay_until`, a swarm event not later than `replayed` is a repeat from
      before a restart of the manager.
    - `run`: mark of the engine's start; it is the proof if `shown` has no local event.
    - `unproven`: since then only swarm events are known, and nothing can be proven.
    - `doubt`, `doubted`: the poll at `doubted` counted as complete since `doubt` without a local proof; younger
      events may have pushed out others.
    - `tight`: the warning `headRoom` was emitted.
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
        """Whether `shown` has a local event, which can prove that nothing is missing."""
        return any(name[0] == LOCAL for name in self.shown)

    def awaits(self, now: int) -> bool:
        """Return whether the memory has local events that the ring must show at `now`, unless it has lost them."""
        return self.anchored or (
            self.heard and now > self.until and any(name[0] == LOCAL for name in self.ahead)
        )

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form for the snapshot: 11 characters for each event."""
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
        """Read `to_state`; raises ValueError, TypeError or KeyError for anything else."""
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
