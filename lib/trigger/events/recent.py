"""The container events since the last poll, and whether they are all: a witness of what happened, no cursor.

The engine's memory is first-in-first-out. While the last local event that a poll saw is still there, nothing that came
after it was thrown out (ring.py has the whole reasoning; here the last event is all that is kept).
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
    """Where the last poll left the events: the name of the last local one, and up to which second it saw them."""

    last: str = ""
    until: int = 0

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form, {} where no event was seen."""
        return {"last": self.last, "until": self.until} if self.last else {}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Place:
        """Read `to_state`."""
        (last,) = pieces(state.get("last", ""), WIDTH) or ("",)
        return cls(last, int(state.get("until", 0)))


def last_start(events: Iterable[Event]) -> int:
    """Return the time of the last start among events in nanoseconds, 0 for none."""
    return max((nanos(event) for event in events if verb(event) == "start"), default=0)


def place_of(action: str, events: Sequence[Event], moment: int) -> int | None:
    """Return the place of the event of a start or end, None where it is not there; `moment`: when it was (nanoseconds).

    The event comes a little later than the time that the container carries.
    """
    late = {nanos(event) - moment: place for place, event in enumerate(events) if verb(event) == action}
    return min(((after, place) for after, place in late.items() if after >= 0), default=(0, None))[1]


@dataclass
class RecentEvents:
    """`complete`: all that happened after the last poll, up to the second `until`, is in `of`.

    `deep`: up to this moment, after what was looked at.
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
        """Read what the engine remembers; nothing where a proxy does not let events through."""
        found = cls(engine, before)
        if before.until > now - EDGE_SECONDS:  # a poll soon after one that read up to its present
            found.deepen()
            found.deep = False  # a look after this may be newer than the events: then they are read again
        else:
            found._read(now - EDGE_SECONDS, now, EDGE_SECONDS)
        return found

    def deepen(self) -> bool:
        """Read again, up to this very second (which takes one or two); False where that was done."""
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
        except EngineError:  # a proxy that does not let events through
            self.readable = self.complete = False
            return
        names = [name for name, _ in self._ring]
        self.until = until
        self.complete = bool(self.before.last) and self.before.last in names
        self._begin = names.index(self.before.last) + 1 if self.complete else 0

    @property
    def place(self) -> Place:
        """Where the next poll goes on."""
        last = next((name for name, _ in reversed(self._ring) if name[0] == LOCAL), "")
        return Place(last, self.until) if last else Place()

    def touched(self, looked: int) -> frozenset[str]:
        """Return the ids of containers to which something may have happened; events of other objects name them, too.

        `looked`: the second in which the last poll began to look. Where it read the events after that, they tell also
        what came between.
        """
        border = (min(self.before.until, looked) - _DISORDER_SECONDS) * SECOND
        found = set()
        for place, (_, event) in enumerate(self._ring):
            if (place >= self._begin or nanos(event) > border) and verb(event) not in _WITHOUT_CHANGE:
                actor = event.get("Actor") or {}
                found |= {str(actor.get("ID")), str((actor.get("Attributes") or {}).get("container"))}
        return frozenset(found)

    def fresh(self, identity: str) -> list[Event]:
        """Return the events of a container since the last poll, none where they may not be all."""
        return list(self._of(identity, self._begin)) if self.complete else []

    def untold(self, identity: str, since: int) -> list[Event]:
        """Return the fresh events of a container, and those before that are not older than `since` (nanoseconds).

        The last poll may have read them without having seen what they tell: it looked before, or not at all.
        """
        if not self.complete:
            return []
        return [
            *(one for one in self._of(identity, 0, self._begin) if nanos(one) >= since),
            *self.fresh(identity),
        ]

    def remembered(self, identity: str) -> list[Event]:
        """Return all that the engine remembers of a container, by its id or the beginning of it."""
        return list(self._of(identity, 0))

    def began(self, *actions: str) -> dict[str, Event]:
        """Return the last event since the last poll by container, of those to which one of these things happened."""
        last: dict[str, Event] = {}
        found = set()
        for _, event in self._ring[self._begin :]:
            if event.get("Type") == "container":
                identity = str((event.get("Actor") or {}).get("ID"))
                last[identity] = event
                found |= {identity} if verb(event) in actions else set()
        return {identity: event for identity, event in last.items() if identity in found}

    def gone(self) -> dict[str, Event]:
        """Return the destroy events since the last poll by the ids of their containers."""
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
