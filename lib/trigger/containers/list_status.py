"""Decides from an entry of ContainerList whether a container may have changed; this saves an inspect.

The entry has a Status text with an age ("Up 3 hours", "Exited (1) 2 minutes ago"). Its state, exit code and health
must be those that are known, and the age must lie before the last poll (`unchanged`). Ages are rounded by the engine,
so each text stands for a range of seconds (`shown`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lib.trigger.clock import SECOND
from lib.trigger.containers.container import Container
from lib.trigger.containers.lifecycle import Condition

_UP = re.compile(r"Up ([A-Za-z0-9 ]{1,40}?)(?: \(([A-Za-z: ]{1,20})\))?")
_EXITED = re.compile(r"Exited \((-?[0-9]{1,11})\) ([A-Za-z0-9 ]{1,40}) ago")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_UNITS: Mapping[str, int] = {
    "seconds": 1,
    "minutes": _MINUTE,
    "hours": _HOUR,
    "days": _DAY,
    "weeks": 7 * _DAY,
    "months": 30 * _DAY,
    "years": 365 * _DAY,
}
_WORDS: Mapping[str, tuple[int, int]] = {
    "Less than a second": (0, 1),
    "1 second": (1, 2),
    "About a minute": (_MINUTE, 2 * _MINUTE),
    "About an hour": (_HOUR // 2, 2 * _HOUR),
}
_HEALTHS = {"": "none", "healthy": "healthy", "unhealthy": "unhealthy", "health: starting": "starting"}
# Seconds: the times in headers and ages are rounded to whole seconds.
_CLOCK_SLACK = 1


@dataclass(frozen=True)
class Shown:
    """A Status text such as "Up 3 minutes (healthy)" or "Exited (1) 2 hours ago".

    Its age is at least `least` and below `most`, in seconds. `code`: the exit code. `note`: the text in parentheses.
    """

    least: int
    most: int
    code: int = 0
    note: str = ""


def shown(text: str) -> Shown | None:
    """Read the Status text of a container that is up or has exited; None for any other text."""
    if up := _UP.fullmatch(text):
        age = _age(up[1])
        return Shown(*age, note=up[2] or "") if age else None
    if exited := _EXITED.fullmatch(text):
        age = _age(exited[2])
        return Shown(*age, code=int(exited[1])) if age else None
    return None


def _age(text: str) -> tuple[int, int] | None:
    """Return the bounds of an age in seconds, None for another text; engines round hours to the nearest, or down."""
    if text in _WORDS:
        return _WORDS[text]
    count, _, unit = text.partition(" ")
    if unit not in _UNITS or not count.isdecimal() or not count.isascii():
        return None
    size, number = _UNITS[unit], int(count)
    return number * size - (_HOUR // 2 if size >= _HOUR else 0), (number + 1) * size


def unchanged(one: Container, known: Condition, *, since: int, earliest: int, latest: int) -> bool:
    """Return whether the list proves that an inspect would show nothing new of a container.

    `known`: its stored condition. `since`: a start or end after this would be new. `earliest`, `latest`: when the list
    was made. All three are in seconds of the engine's clock. The age in the list must also agree with the known time,
    so that a clock that was set back hides no change. A text that cannot be read proves nothing.
    """
    if one.status != known.status or known.stale:
        return False
    if one.status == "created":
        return one.shown == "Created" and not known.started
    age = shown(one.shown)
    if age is None or not _agrees(one, known, age):
        return False
    moment = known.finished if one.status == "exited" else known.started
    oldest, youngest = latest - moment // SECOND, earliest - moment // SECOND - 1
    if oldest + _CLOCK_SLACK < age.least or youngest - _CLOCK_SLACK >= age.most:
        return False
    return age.least > latest - since + _CLOCK_SLACK


def _agrees(one: Container, known: Condition, age: Shown) -> bool:
    if one.status == "exited":
        return age.code == known.exit_code
    if one.status == "paused":
        # The text of a paused container has no health, and the health may have changed before the pause.
        return age.note == "Paused" and known.health in ("none", one.health.lower())
    health = one.health.lower() or _HEALTHS.get(age.note, "?")
    return one.status == "running" and health == known.health == _HEALTHS.get(age.note, "?")
