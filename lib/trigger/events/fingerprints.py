"""Fingerprints of events. Events have no ids, so a short hash of the content identifies each one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.trigger.clock import SECOND
from lib.trigger.marks.compact import mark

Event = Mapping[str, Any]
Known = tuple[str, Event]

WIDTH = 11
"""Characters of a fingerprint."""
LOCAL, SWARM = "l", "s"


@dataclass
class Fingerprints:
    """Makes fingerprints of WIDTH characters: `l` or `s` for the scope, then 60 bits of a hash.

    Use one object per read of the ring: it counts identical events, and the count goes into the hash.
    """

    _count: Counter[str] = field(default_factory=Counter)

    def of(self, event: Event) -> str:
        """Return the fingerprint of the next event."""
        actor = event.get("Actor") or {}
        scope = event.get("scope") or "local"
        facts = [scope, event.get("Type"), event.get("Action"), actor.get("ID"), nanos(event)]
        first = mark([*facts, actor.get("Attributes") or {}], WIDTH - 1)
        self._count[first] += 1
        count = self._count[first]
        return (SWARM if scope == "swarm" else LOCAL) + (
            first if count == 1 else mark(f"{first} {count}", WIDTH - 1)
        )


def nanos(event: Event) -> int:
    """Return the time of an event in Unix nanoseconds."""
    return int(event.get("timeNano") or int(event.get("time") or 0) * SECOND)


def known(ring: Iterable[Event]) -> tuple[Known, ...]:
    """Return (fingerprint, event) for each event, in the order of the ring."""
    name = Fingerprints()
    return tuple((name.of(event), event) for event in ring)
