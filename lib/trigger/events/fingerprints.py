"""Names of events: short, the same for the same event, and another for every other."""

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
LOCAL, SWARM = "l", "s"


@dataclass
class Fingerprints:
    """Names events: 60 bits of a hash after `l` or `s` for the scope; identical events are told apart by number."""

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
    """Return the time an event carries, in Unix nanoseconds."""
    return int(event.get("timeNano") or int(event.get("time") or 0) * SECOND)


def known(ring: Iterable[Event]) -> tuple[Known, ...]:
    """Pair every event of the ring, in its order, with its fingerprint."""
    name = Fingerprints()
    return tuple((name.of(event), event) for event in ring)
