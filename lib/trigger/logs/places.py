"""How far the logs of all selected containers are read, as the snapshot keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.trigger.containers.container import DIGITS, KEY, Container, unpack_id
from lib.trigger.events import recent as recent_events
from lib.trigger.logs.frames import HASH
from lib.trigger.logs.position import Position
from lib.trigger.marks.columns import packed, unpacked
from lib.trigger.marks.compact import digits, mark, number, pieces

NAME = 5
"""Digits of a name's mark, 30 bits: they tell whether a container has the name of one that went."""
LEAST = 12
"""Characters of one container at least: what is a matter of chance cannot be compressed."""
FINISHED, MUTE, OPEN = "f", "m", "-"
"""What is known of a log beside its place: it had ended and is read to the end; it cannot be read; neither."""
_FLAGS = (OPEN, FINISHED, MUTE)
_HEX = 16
# Nine bytes hold the nanoseconds of the year 9999, the last that a log can have.
_WIDTHS = (6, 4, 9, 4, 5, 1)
_MOST_COUNT = (1 << 32) - 1
# The first form, which had shorter marks.
_OLD_NAME, _OLD_TIME, _OLD_COUNT = 3, 11, 4


@dataclass(frozen=True)
class Place:
    """How far one container's log is read; `name` is a mark."""

    name: str
    position: Position
    flag: str = OPEN

    @classmethod
    def of(cls, container: Container, position: Position, flag: str = OPEN) -> Place:
        """Return a place in a container's log."""
        return cls(mark(container.name, NAME), position, flag)


@dataclass(frozen=True)
class Places:
    """The logs of all selected containers, by the kept part of their ids. `at`: the engine's time of the poll."""

    at: int
    known: Mapping[str, Place] = field(default_factory=dict)
    events: recent_events.Place = field(default_factory=recent_events.Place)

    def of(self, container: Container) -> Place | None:
        """Return the place in a container's log, None for a container that was not known."""
        return self.known.get(container.key) or self.known.get(container.short)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form: about 27 characters a container."""
        rows = [_row(kept, place) for kept, place in sorted(self.known.items())]
        return {"at": self.at, "places": packed(rows, _WIDTHS), **self.events.to_state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Places:
        """Read `to_state`, and the first form of it; ValueError, TypeError or KeyError for anything else."""
        if "places" not in state:
            return cls(int(state["at"]), _first_form(state))
        known = {}
        for identity, name, time, count, hashed, flags in unpacked(state["places"], _WIDTHS):
            of_last, flag = divmod(flags, len(_FLAGS))
            position = Position(time, count, digits(hashed, HASH), of_last=bool(of_last))
            known[f"{identity:0{KEY}x}"] = Place(digits(name, NAME), position, _FLAGS[flag])
        return cls(int(state["at"]), known, recent_events.Place.from_state(state))


def _row(kept: str, place: Place) -> tuple[int, ...]:
    position, name = place.position, number(place.name)
    count = min(position.count, _MOST_COUNT)
    flag = _FLAGS.index(place.flag) + len(_FLAGS) * position.of_last
    return int(kept, _HEX), name, position.time, count, number(position.hash), flag


def _first_form(state: Mapping[str, Any]) -> dict[str, Place]:
    known = {}
    width = DIGITS + _OLD_NAME + _OLD_TIME + _OLD_COUNT + HASH
    for one, flag in zip(pieces(state["logs"], width), state["flags"], strict=True):
        if flag not in _FLAGS:
            raise ValueError(f"{flag!r} is no flag")
        name, place = one[DIGITS : DIGITS + _OLD_NAME], one[DIGITS + _OLD_NAME :]
        time, count = number(place[:_OLD_TIME]), number(place[_OLD_TIME:-HASH])
        known[unpack_id(one[:DIGITS])] = Place(name, Position(time, count, place[-HASH:], of_last=True), flag)
    return known
