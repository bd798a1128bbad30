"""The state of taskFailed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.trigger.marks.compact import number, pieces
from lib.trigger.marks.markset import IDENTITY_DIGITS, packed, unpacked

OLD_MARK = 8


@dataclass(frozen=True)
class Told:
    """What the last poll saw.

    `cluster`: mark of the swarm. `index`: the largest version index of any task. `told`: marks of the tasks that were
    emitted and are still listed; the values are not used. `idle`: a task that had been waiting since before this time
    was stuck, in Unix nanoseconds; None if stuck tasks were not watched.
    """

    cluster: str
    index: int
    told: Mapping[int, int] = field(default_factory=dict)
    idle: int | None = None

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form; nanoseconds are texts, since some JSON readers would round the numbers."""
        state = {"cluster": self.cluster, "index": self.index, "told": packed(self.told, details=False)}
        return state if self.idle is None else {**state, "idle": str(self.idle)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Told:
        """Read `to_state` or the form of version 1.0, which has `at`; raises ValueError, TypeError or KeyError."""
        if "at" in state:
            marks = (number(one[:IDENTITY_DIGITS]) for one in pieces(state["told"], OLD_MARK))
            return cls(str(state["cluster"]), int(state["index"]), dict.fromkeys(marks, 0))
        idle = int(state["idle"]) if "idle" in state else None
        return cls(str(state["cluster"]), int(state["index"]), unpacked(state["told"], details=False), idle)
