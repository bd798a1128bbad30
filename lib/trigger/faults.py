"""Which objects failed at the last poll: each failure is told once, and again after the object was well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import EngineError
from lib.trigger.marks.compact import mark, pieces

KEY, KIND = 10, 6
MISSHAPEN = (ValueError, TypeError, KeyError, IndexError, AttributeError)
"""What code raises over an answer of another shape than engines give."""


@dataclass(frozen=True)
class Fault:
    """How an object failed, as a warning tells it. `kind`: what makes it the same failure at the next poll."""

    reason: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)
    kind: str = ""

    @classmethod
    def of(cls, name: str, error: Exception) -> Fault:
        """Return what is told where the trigger says nothing better."""
        told = (
            str(error) if isinstance(error, EngineError) else "the engine's answer is not what it should be"
        )
        text = f"{name} cannot be looked at: {told}. The others go on; its place is kept"
        return cls("objectFailed", text, {"object": name}, kind_of(error))


def kind_of(error: Exception) -> str:
    """Return what two failures of the same kind have in common; texts may hold times and numbers."""
    return f"{type(error).__name__} {getattr(error, 'status', None)}"


@dataclass
class Faults:
    """Marks of the objects that failed, 16 characters each. `count` grows with every change: it names occurrences."""

    known: Mapping[str, str] = field(default_factory=dict)
    count: int = 0
    _now: dict[str, str] = field(default_factory=dict)

    def failed(self, key: str, fault: Fault) -> str | None:
        """Note a failure; return the identity of the warning, None where it was told before."""
        short, kind = mark(key, KEY), mark([fault.reason, fault.kind], KIND)
        self._now[short] = kind
        return None if self.known.get(short) == kind else f"{key} {kind} {self.count}"

    def kept(self, key: str) -> None:
        """Note that an object was not asked: what is known of it stays."""
        short = mark(key, KEY)
        if short in self.known:
            self._now.setdefault(short, self.known[short])

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form, {} where nothing ever failed."""
        count = self.count + (self._now != self.known)
        packed = "".join(short + kind for short, kind in self._now.items())
        return {"faults": packed, "faultCount": count} if count else {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Faults:
        """Read `to_state`; ValueError, TypeError for anything else."""
        packed = pieces(state.get("faults", ""), KEY + KIND)
        return cls({one[:KEY]: one[KEY:] for one in packed}, int(state.get("faultCount", 0)))
