"""Remembers which objects failed at the last poll, so that each failure is emitted once.

It is emitted again after a poll in which the object did not fail, or if it fails in another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import EngineError
from lib.trigger.marks.compact import mark, pieces

KEY, KIND = 10, 6
"""Digits of the mark of an object, and of the mark of its failure."""
MISSHAPEN = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""Exceptions of code that reads an answer of an unexpected shape."""


@dataclass(frozen=True)
class Fault:
    """A failure of one object, for a warning: `reason` (a code), `text` for people, and further fields in `details`.

    Failures with equal `reason` and `kind` are the same one at the next poll.
    """

    reason: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""

    @classmethod
    def of(cls, name: str, error: Exception) -> Fault:
        """Return the fault for an error, if the trigger has no better text; `name` is the object's."""
        told = (
            str(error) if isinstance(error, EngineError) else "the engine's answer is not what it should be"
        )
        text = f"{name} cannot be looked at: {told}. The others go on; its place is kept"
        return cls("objectFailed", text, {"object": name}, kind_of(error))


def kind_of(error: Exception) -> str:
    """Return the kind of a failure: class and status. Error texts differ each time: they may hold times and numbers."""
    return f"{type(error).__name__} {getattr(error, 'status', None)}"


@dataclass
class Faults:
    """The objects that failed, 16 characters each.

    `known`: mark of the object -> mark of the failure, at the last poll. `count` grows with each change; it makes the
    identities of later occurrences different.
    """

    known: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    _now: dict[str, str] = field(default_factory=dict)

    def failed(self, key: str, fault: Fault) -> str | None:
        """Store a failure; return the identity of its warning, None if it was emitted before."""
        short, kind = mark(key, KEY), mark([fault.reason, fault.kind], KIND)
        self._now[short] = kind
        return None if self.known.get(short) == kind else f"{key} {kind} {self.count}"

    def kept(self, key: str) -> None:
        """Keep what is stored of an object that this poll did not read."""
        short = mark(key, KEY)
        if short in self.known:
            self._now.setdefault(short, self.known[short])

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form, {} if nothing ever failed."""
        count = self.count + (self._now != self.known)
        packed = "".join(short + kind for short, kind in self._now.items())
        return {"faults": packed, "faultCount": count} if count else {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Faults:
        """Read `to_state`; raises ValueError or TypeError for anything else."""
        packed = pieces(state.get("faults", ""), KEY + KIND)
        return cls({one[:KEY]: one[KEY:] for one in packed}, int(state.get("faultCount", 0)))
