"""What the input of PruneEngine says of any object: its age, its labels, its name."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.config.selection import labels_match, names_match
from lib.engine.request.times import moment
from lib.job.repeat import UNTIL

_DAYS = re.compile(r"([0-9]{1,5})d(.*)")
_SECOND = 10**9


@dataclass(frozen=True, slots=True)
class Thing:
    """An object that may be removed; `made`: Unix seconds of its end or creation, 0 where it is not known."""

    kind: str
    id: str
    name: str
    reason: str
    made: float = 0.0
    size: int = 0
    labels: Mapping[str, str] | None = None
    names: tuple[str, ...] = ()
    """All its names; of an image the tags that are removed."""

    @property
    def output(self) -> dict[str, Any]:
        """Return what a message says of it; `age` in seconds."""
        age = {"age": round(max(time.time() - self.made, 0))} if self.made else {}
        told = {"kind": self.kind, "id": self.id, "name": self.name, "size": self.size, "reason": self.reason}
        return told | age


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits that hold for all kinds; `before`: Unix seconds, what is younger stays."""

    before: float | None
    labels: tuple[str, ...]
    not_labels: tuple[str, ...]
    keep: tuple[str, ...]

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Rules:
        """Read the input; BadInput for an age that is none."""
        lists = (
            tuple(str(one) for one in fields.get(name) or ()) for name in ("labels", "notLabels", "keep")
        )
        age = span(fields)
        return cls(moment(age, "olderThan") / _SECOND if age else None, *lists)

    def spared(self, thing: Thing) -> str:
        """Return why an object stays, "" where nothing speaks for it."""
        labels = thing.labels or {}
        if names_match(self.keep, (thing.name, *thing.names), (thing.id,)):
            return "keep names it"
        if self.labels and not labels_match(self.labels, labels):
            return "it lacks a label"
        if any(labels_match([label], labels) for label in self.not_labels):
            return "it has a label of notLabels"
        if self.before is not None and not 0 < thing.made < self.before:
            return "it is younger than olderThan" if thing.made else "its age is not known"
        return ""


def span(fields: Mapping[str, Any]) -> str:
    """Return olderThan with days as hours, as the engine writes spans too; "" where it is not given."""
    text = str(fields.get("olderThan") or "").strip()
    days = _DAYS.fullmatch(text)
    return f"{int(days[1]) * 24}h{days[2]}" if days else text


def is_over(labels: Mapping[str, str] | None) -> bool | None:
    """Whether the time of a job's container is over; None for one that no job has made to be removed again."""
    until = (labels or {}).get(UNTIL)
    if until is None:
        return None
    return until.isascii() and until.isdigit() and len(until) < 16 and int(until) < time.time()  # noqa: PLR2004
