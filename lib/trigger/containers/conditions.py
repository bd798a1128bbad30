"""The state of containerStateChanged: the condition of each container at the last poll, and its form in a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib.trigger.clock import nanoseconds
from lib.trigger.containers.container import DIGITS, KEY, unpack_id
from lib.trigger.containers.lifecycle import HEALTHS, NEVER, STATUSES, WIDTHS, Condition
from lib.trigger.events.recent import Place
from lib.trigger.marks.columns import packed, unpacked
from lib.trigger.marks.compact import mark, number, pieces

LEAST = 8
"""Characters of one container at least: the stored part of an id cannot be compressed."""
_ID_BYTES = KEY // 2
_OLD_WIDTH = 13
_HEX = 16
_OTHER = -1


@dataclass(frozen=True)
class OldCondition:
    """A container in a snapshot of version 1.0, which has marks (3 characters) instead of times."""

    condition: Condition
    started: str
    finished: str

    @classmethod
    def unpack(cls, text: str) -> OldCondition:
        """Read 13 digits (`number` in lib/trigger/marks/compact.py)."""
        head = number(text[:3])
        status, health = STATUSES[head >> 11], HEALTHS[head >> 9 & 3]
        restarts, recent, age = number(text[3:5]), number(text[11]), number(text[12])
        told = bool(head >> 8 & 1)
        condition = Condition(status, health, head & 0xFF, restarts, 0, 0, recent, age, told)
        return cls(condition, text[5:8], text[8:11])

    def beside(self, state: Mapping[str, Any]) -> Condition:
        """Return the condition with the times of an inspected `State` where their marks match, else with _OTHER."""
        started, finished = (str(state.get(name) or "") for name in ("StartedAt", "FinishedAt"))
        return replace(
            self.condition,
            started=_known(started) if mark(started, 3) == self.started else _OTHER,
            finished=_known(finished) if mark(finished, 3) == self.finished else _OTHER,
        )


def _known(time: str) -> int:
    return nanoseconds(time or NEVER)


@dataclass(frozen=True)
class Conditions:
    """All selected containers.

    `at`: the engine's time of the poll in seconds. `known`: condition by the first KEY digits of the id. `place`: how
    far the events were read. `old`: containers of a snapshot of version 1.0, by the first SHORT digits.
    """

    at: int
    known: Mapping[str, Condition] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    old: Mapping[str, OldCondition] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form: about 17 characters for a running container, 25 for one that has ended."""
        rows = ((int(key, _HEX), *one.row()) for key, one in self.known.items())
        return {"at": self.at, **self.place.to_state(), "packed": packed(rows, (_ID_BYTES, *WIDTHS))}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Conditions:
        """Read `to_state` or the form of version 1.0; raises ValueError, TypeError, KeyError or IndexError."""
        at = int(state["at"])
        if "packed" not in state:
            cut = pieces(state["containers"], DIGITS + _OLD_WIDTH)
            return cls(at, old={unpack_id(one[:DIGITS]): OldCondition.unpack(one[DIGITS:]) for one in cut})
        rows = unpacked(state["packed"], (_ID_BYTES, *WIDTHS))
        known = {f"{row[0]:0{KEY}x}": Condition.of_row(row[1:]) for row in rows}
        return cls(at, known, Place.from_state(state))
