"""The state of containerLogs: how far each log was read, and its form in a snapshot."""

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
"""Digits of a name's mark, 30 bits: it shows whether a new container has the name of a removed one."""
LEAST = 12
"""Characters of one container at least: its id and its marks cannot be compressed."""
FINISHED, MUTE, OPEN = "f", "m", "-"
"""What is known of a log: its container has ended and it was read to the end; it cannot be read; neither."""
_FLAGS = (OPEN, FINISHED, MUTE)
_HEX = 16
# Bytes of each number in a row. Nine bytes hold the nanoseconds of the year 9999, the last that a log can have.
_WIDTHS = (6, 4, 9, 4, 5, 1)
_MOST_COUNT = (1 << 32) - 1
# Digits in the form of version 1.0, which has shorter marks.
_OLD_NAME, _OLD_TIME, _OLD_COUNT = 3, 11, 4


@dataclass(frozen=True)
class Place:
    """How far one container's log was read; `name` is a mark of the container's name, `flag` one of the three above."""

    name: str
    position: Position
    flag: str = OPEN

    @classmethod
    def of(cls, container: Container, position: Position, flag: str = OPEN) -> Place:
        """Return the place for a position in a container's log."""
        return cls(mark(container.name, NAME), position, flag)


@dataclass(frozen=True)
class Places:
    """The logs of all selected containers, by the first KEY digits of their ids.

    `at`: the engine's time of the poll in seconds. `events`: how far the events were read.
    """

    at: int
    known: Mapping[str, Place] = field(default_factory=dict)
    events: recent_events.Place = field(default_factory=recent_events.Place)

    def of(self, container: Container) -> Place | None:
        """Return the place in a container's log, None if the container is not known."""
        return self.known.get(container.key) or self.known.get(container.short)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form: about 27 characters for each container."""
        rows = [_row(kept, place) for kept, place in sorted(self.known.items())]
        return {"at": self.at, "places": packed(rows, _WIDTHS), **self.events.to_state()}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Places:
        """Read `to_state` or the form of version 1.0; raises ValueError, TypeError or KeyError for anything else."""
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
