"""The container events since the last poll, and whether they are complete.

Triggers that compare lists of containers use these events as further evidence; they do not keep a cursor of events.
The ring is first in, first out: while the last local event that a poll saw is still there, the engine has pushed out
nothing that it published later. So the state holds only that one event (`Place`). lib/trigger/events/ring.py has the
full reasoning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lib.engine import Engine
from lib.engine.errors import EngineError, Unreachable
from lib.trigger.clock import EDGE_SECONDS, SECOND, engine_time
from lib.trigger.events.filter import EXEC, read_ring, verb
from lib.trigger.events.fingerprints import LOCAL, WIDTH, Event, known, nanos
from lib.trigger.marks.compact import pieces

# Upper bound by which the times of events may differ from their publish order.
_DISORDER_SECONDS = 2
_WITHOUT_CHANGE = EXEC | {
    "attach",
    "detach",
    "resize",
    "top",
    "copy",
    "archive-path",
    "extract-to-dir",
    "export",
}


@dataclass(frozen=True)
class Place:
    """How far the last poll read the events.

    `last` is the fingerprint of the last local event, "" if there was none. `until` is the engine's second up to which
    it read.
    """

    last: str = ""
    until: int = 0

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form, {} if no local event was read."""
        return {"last": self.last, "until": self.until} if self.last else {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Place:
        """Read `to_state`; raises ValueError or TypeError for anything else."""
        (last,) = pieces(state.get("last", ""), WIDTH) or ("",)
        return cls(last, int(state.get("until", 0)))


def last_start(events: Iterable[Event]) -> int:
    """Return the time of the latest start event in nanoseconds, 0 if there is none."""
    return max((nanos(event) for event in events if verb(event) == "start"), default=0)


def place_of(action: str, events: Sequence[Event], moment: int) -> int | None:
    """Return the index of the event of a start ("start") or an end ("die"), None if it is missing.

    `moment` is the time of that start or end in the container, in nanoseconds. The engine publishes the event a
    little later, so the nearest event at or after `moment` is taken.
    """
    late = {nanos(event) - moment: place for place, event in enumerate(events) if verb(event) == action}
    return min(((after, place) for after, place in late.items() if after >= 0), default=(0, None))[1]


@dataclass
class RecentEvents:
    """The ring as this poll read it.

    `before`: how far the last poll read. `until`: the engine's second up to which this poll read. `complete`: no event
    between the two is missing. `deep`: the events were read up to the present, after the containers were inspected.
    `readable`: False if a proxy refuses events.
    """

    engine: Engine
    before: Place
    until: int = 0
    complete: bool = False
    readable: bool = True
    _ring: list[tuple[str, Event]] = field(default_factory=list)
    _begin: int = 0
    deep: bool = False

    @classmethod
    def read(cls, engine: Engine, before: Place, now: int) -> RecentEvents:
        """Read the ring up to EDGE_SECONDS before `now` (engine's seconds); empty if a proxy refuses events.

        Raises Unreachable.
        """
        found = cls(engine, before)
        if before.until > now - EDGE_SECONDS:  # the last poll was moments ago and read up to its present
            found.deepen()
            found.deep = False  # containers are inspected after this, so the events may have to be read again
        else:
            found._read(now - EDGE_SECONDS, now, EDGE_SECONDS)
        return found

    def deepen(self) -> bool:
        """Read again up to the present second; this takes one to two seconds.

        Returns False if that was done before or events are not readable. Raises Unreachable.
        """
        if self.deep or not self.readable:
            return False
        self.deep = True
        now = engine_time(self.engine)
        self._read(now + 1, now, -1)
        return True

    def _read(self, until: int, now: int, edge: int) -> None:
        try:
            self._ring = list(known(read_ring(self.engine, now, edge)))
        except Unreachable:
            raise
        except EngineError:  # a proxy refuses events
            self.readable = self.complete = False
            return
        names = [name for name, _ in self._ring]
        self.until = until
        self.complete = bool(self.before.last) and self.before.last in names
        self._begin = names.index(self.before.last) + 1 if self.complete else 0

    @property
    def place(self) -> Place:
        """How far this poll read: the start of the next one."""
        last = next((name for name, _ in reversed(self._ring) if name[0] == LOCAL), "")
        return Place(last, self.until) if last else Place()

    def touched(self, looked: int) -> frozenset[str]:
        """Return the ids of containers that may have changed; events of networks and volumes name containers too.

        `looked`: the engine's second in which the last poll began to inspect. Events after it count, also those that
        the last poll read: it read some of them later than it inspected.
        """
        border = (min(self.before.until, looked) - _DISORDER_SECONDS) * SECOND
        found = set()
        for place, (_, event) in enumerate(self._ring):
            if (place >= self._begin or nanos(event) > border) and verb(event) not in _WITHOUT_CHANGE:
                actor = event.get("Actor") or {}
                found |= {str(actor.get("ID")), str((actor.get("Attributes") or {}).get("container"))}
        return frozenset(found)

    def fresh(self, identity: str) -> list[Event]:
        """Return the events of a container since the last poll, an empty list if they may be incomplete."""
        return list(self._of(identity, self._begin)) if self.complete else []

    def untold(self, identity: str, since: int) -> list[Event]:
        """Return the fresh events of a container, and before them older ones with a time of `since` or later.

        `since` is in nanoseconds. The last poll may have read the older ones but not emitted their changes: it
        inspected the container earlier, or not at all.
        """
        if not self.complete:
            return []
        return [
            *(one for one in self._of(identity, 0, self._begin) if nanos(one) >= since),
            *self.fresh(identity),
        ]

    def remembered(self, identity: str) -> list[Event]:
        """Return all events of a container in the ring; `identity` is its id or the beginning of it."""
        return list(self._of(identity, 0))

    def began(self, *actions: str) -> dict[str, Event]:
        """Return container id -> its last event, for containers with one of these actions since the last poll."""
        last: dict[str, Event] = {}
        found = set()
        for _, event in self._ring[self._begin :]:
            if event.get("Type") == "container":
                identity = str((event.get("Actor") or {}).get("ID"))
                last[identity] = event
                found |= {identity} if verb(event) in actions else set()
        return {identity: event for identity, event in last.items() if identity in found}

    def gone(self) -> dict[str, Event]:
        """Return container id -> destroy event, for the containers removed since the last poll."""
        found = {}
        for _, event in self._ring[self._begin :]:
            if event.get("Type") == "container" and verb(event) == "destroy":
                found[str((event.get("Actor") or {}).get("ID"))] = event
        return found

    def _of(self, identity: str, begin: int, end: int | None = None) -> Iterator[Event]:
        for _, event in self._ring[begin:end]:
            if event.get("Type") == "container" and str((event.get("Actor") or {}).get("ID")).startswith(
                identity
            ):
                yield event
