"""All containers as the last poll saw them, as a snapshot keeps them."""

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
"""Characters that a container needs at least: its id cannot be made smaller."""
_ID_BYTES = KEY // 2
_OLD_WIDTH = 13
_HEX = 16
_OTHER = -1


@dataclass(frozen=True)
class OldCondition:
    """A container in a snapshot of version 1.0: marks in the place of times."""

    condition: Condition
    started: str
    finished: str

    @classmethod
    def unpack(cls, text: str) -> OldCondition:
        """Read 13 digits."""
        head = number(text[:3])
        status, health = STATUSES[head >> 11], HEALTHS[head >> 9 & 3]
        restarts, recent, age = number(text[3:5]), number(text[11]), number(text[12])
        told = bool(head >> 8 & 1)
        condition = Condition(status, health, head & 0xFF, restarts, 0, 0, recent, age, told)
        return cls(condition, text[5:8], text[8:11])

    def beside(self, state: Mapping[str, Any]) -> Condition:
        """Return it with times: those of an inspected state where the marks are theirs, else others."""
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
    """All selected containers, by the kept part of their ids. `place`: where the events were left."""

    at: int
    known: Mapping[str, Condition] = field(default_factory=dict)
    place: Place = field(default_factory=Place)
    old: Mapping[str, OldCondition] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form: about 17 characters for a container that runs, 25 for one that has ended."""
        rows = ((int(key, _HEX), *one.row()) for key, one in self.known.items())
        return {"at": self.at, **self.place.to_state(), "packed": packed(rows, (_ID_BYTES, *WIDTHS))}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Conditions:
        """Read `to_state`, or the form of version 1.0."""
        at = int(state["at"])
        if "packed" not in state:
            cut = pieces(state["containers"], DIGITS + _OLD_WIDTH)
            return cls(at, old={unpack_id(one[:DIGITS]): OldCondition.unpack(one[DIGITS:]) for one in cut})
        rows = unpacked(state["packed"], (_ID_BYTES, *WIDTHS))
        known = {f"{row[0]:0{KEY}x}": Condition.of_row(row[1:]) for row in rows}
        return cls(at, known, Place.from_state(state))
