"""What is known of a call in doubt, by what, and what a flow does next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lib.engine.errors import shortened
from lib.engine.expected import expected_form
from lib.job.run.container import moment
from lib.trigger.clock import SECOND

HAPPENED, NOT_HAPPENED, UNKNOWN = "happened", "didNotHappen", "unknown"
GO_ON, REPEAT, ASK = "goOn", "repeat", "ask"
Thing = Mapping[str, str]
_NOTHING: Thing = {}
_NEVER = "0001-"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`object` has a type, an id and a name, and no more: whole objects hold variables, which may be secret."""

    outcome: str
    proof: str
    next: str
    object: Thing = field(default_factory=lambda: _NOTHING)

    @property
    def told(self) -> dict[str, Any]:
        """Return the output of SettleOutcome."""
        told: dict[str, Any] = {"outcome": self.outcome, "proof": shortened(self.proof), "next": self.next}
        shown = {name: shortened(value) for name, value in self.object.items()}
        return told | ({"object": shown} if shown else {})


def happened(proof: str, thing: Thing = _NOTHING, *, then: str = GO_ON) -> Verdict:
    """The call took effect; `then` is ask where what it did has been undone or changed since."""
    return Verdict(HAPPENED, proof, then, thing)


def not_happened(proof: str, thing: Thing = _NOTHING, *, then: str = REPEAT) -> Verdict:
    """The call had no effect; `then` is goOn where what was wanted is there all the same."""
    return Verdict(NOT_HAPPENED, proof, then, thing)


def unknown(proof: str, thing: Thing = _NOTHING, *, then: str = ASK) -> Verdict:
    """Nothing proves the one or the other; `then` is repeat where a second call does no harm."""
    return Verdict(UNKNOWN, proof, then, thing)


def thing(kind: str, identity: str, name: str) -> Thing:
    """Return what an output says of an object."""
    return {"type": kind, "id": identity, "name": name}


@expected_form()
def when(told: Any) -> int:
    """Return a time that the engine tells as Unix nanoseconds, 0 for none; the year 1 stands for never."""
    text = str(told or "")
    return 0 if text.startswith(_NEVER) else moment(text)


def at(nanoseconds: int) -> str:
    """Return a time for people: 2026-01-01T12:00:00Z."""
    try:
        return datetime.fromtimestamp(nanoseconds / SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "a time that is none"
