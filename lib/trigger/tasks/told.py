"""What the trigger taskFailed keeps from poll to poll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.trigger.marks.compact import number, pieces
from lib.trigger.marks.markset import IDENTITY_DIGITS, packed, unpacked

OLD_MARK = 8


@dataclass(frozen=True)
class Told:
    """The largest version index of any task at the last poll, its swarm, and marks of the failures that are told.

    `idle` is up to when (nanoseconds) a task must have been idle to be told as stuck; None where it was not watched.
    """

    cluster: str
    index: int
    told: Mapping[int, int] = field(default_factory=dict)
    idle: int | None = None

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form; nanoseconds as text, other readers of JSON would round them."""
        state = {"cluster": self.cluster, "index": self.index, "told": packed(self.told, details=False)}
        return state if self.idle is None else {**state, "idle": str(self.idle)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Told:
        """Read `to_state`, also that of version 1.0, which has `at`."""
        if "at" in state:
            marks = (number(one[:IDENTITY_DIGITS]) for one in pieces(state["told"], OLD_MARK))
            return cls(str(state["cluster"]), int(state["index"]), dict.fromkeys(marks, 0))
        idle = int(state["idle"]) if "idle" in state else None
        return cls(str(state["cluster"]), int(state["index"]), unpacked(state["told"], details=False), idle)
