"""One container as the last poll left it and as it is now, and the events of the time between: what happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.trigger.containers.ended import End, own_end
from lib.trigger.containers.lifecycle import UP, Condition, changes, seen
from lib.trigger.containers.looks import Look
from lib.trigger.containers.turns import Turn, Walk, compared, walk
from lib.trigger.events.fingerprints import Event
from lib.trigger.events.recent import RecentEvents, last_start, place_of


@dataclass(frozen=True)
class Between:
    """`old` is None where the last poll kept nothing of it. The end of a new container is news if later than `since`.

    `normal`: the exit codes that are no crash.
    """

    look: Look
    old: Condition | None
    recent: RecentEvents
    since: int
    normal: frozenset[str]

    def found(self) -> tuple[tuple[str, ...], End | None]:
        """Return what happened, and its end where the events know that nobody asked for it: a crash, no restart."""
        found = self._changes()
        end = own_end(self._untold(), self.look.condition.started) if "restarted" in found else None
        if end is None or (str(end.code) in self.normal and not end.oom):
            return found, None
        return ("crashed", "started", *(one for one in found if one != "restarted")), end

    def walk(self) -> Walk:
        """Follow the events that tell turns.

        All of a container that is news, and that no poll has looked at; all since the end of one that was not up: the
        last poll may have read of a run that began after it had looked.
        """
        identity, known = self.look.container.id, seen(self.old)
        events = self.recent.fresh(identity)
        if self.old and not known:
            events = self.recent.untold(identity, 0)
        elif known and known.status not in UP:
            since = self.recent.untold(identity, known.finished)
            # What stands before that end has a later time only where the clock was set back.
            end = place_of("die", since, known.finished) or 0
            events = since[min(end, len(since) - len(events)) :]
        return walk(events, known, self.look.condition)

    def turns(
        self, now: Condition, found: Sequence[str], *, late: bool
    ) -> tuple[tuple[Turn, ...], Condition]:
        """Return the turns, and the condition to be kept; `late`: the look is newer than the events."""
        if not self.recent.complete:
            return compared(found, self.recent.remembered(self.look.container.id), now), now
        # What the inspect shows beyond the events was reason to read them again: now they are the newer ones.
        walked = self.walk()
        if late:
            return walked.turns, walked.left(now)
        return walked.settled(now) if self.recent.deep else (walked.turns, walked.kept(now))

    def lacks(self) -> bool:
        """Whether an event is missing that must be there: it is too young to have been read."""
        now, found = self.look.condition, self._changes()
        if not self.recent.complete:
            remembered = self.recent.remembered(self.look.container.id)
            return any(not turn.time for turn in compared(found, remembered, now))
        known = seen(self.old)
        told = max(known.started if known else 0, last_start(self._untold()))
        if (self.old or "restarted" in found) and now.started > told:
            return True  # why it ended is not there yet either
        walked = self.walk()
        return bool(walked.lacks(now)) or self._lacks_end(known, walked)

    def _lacks_end(self, known: Condition | None, walked: Walk) -> bool:
        """Whether the end of what had a health or was paused is too young: then its last turns may be, too."""
        now = self.look.condition
        turned = now.health != "none" or walked.paused
        fresh = now.status not in UP and now.finished != (known.finished if known else 0)
        return turned and fresh and place_of("die", self._untold(), now.finished) is None

    def _changes(self) -> tuple[str, ...]:
        state = self.look.inspected["State"]
        crash = bool(state.get("OOMKilled")) or str(state.get("ExitCode", 0)) not in self.normal
        return changes(seen(self.old), self.look.condition, crash=crash, since=self.since)

    def _untold(self) -> list[Event]:
        """Return its events after the moment in which it was as it is known."""
        known = seen(self.old)
        return self.recent.untold(self.look.container.id, max(known.started, known.finished) if known else 0)
