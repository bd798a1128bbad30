"""Finds what happened to one container between two polls.

Three sources are combined:

1. The condition that the last poll stored (`old`) and the one that the inspect shows now (`look`). Their difference
   gives its creation, start and end (`_changes`, by lib/trigger/containers/lifecycle.py).
2. The events since the last poll (`recent`), if they are complete. They add what two conditions cannot show: whether
   somebody asked for an end (`found`), and changes of health or pauses that were reversed (`turns`, by
   lib/trigger/containers/turns.py).
3. If an event must exist but is too young to have been read (`lacks`), the caller reads the events again and asks
   once more.
"""

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
    """One container and the evidence about it.

    `look`: its inspect. `old`: its condition at the last poll, None if it is new. `recent`: the events since then.
    `since`: an end of a new container counts if it is later than this, in nanoseconds. `normal`: exit codes that are
    no crash.
    """

    look: Look
    old: Condition | None
    recent: RecentEvents
    since: int
    normal: frozenset[str]

    def found(self) -> tuple[tuple[str, ...], End | None]:
        """Return the changes in order, and the end that turned a `restarted` into a crash, else None.

        A container that runs again lost its exit code. If the events show that nobody asked for its end, `restarted`
        becomes `crashed` and `started`.
        """
        found = self._changes()
        end = own_end(self._untold(), self.look.condition.started) if "restarted" in found else None
        if end is None or (str(end.code) in self.normal and not end.oom):
            return found, None
        return ("crashed", "started", *(one for one in found if one != "restarted")), end

    def walk(self) -> Walk:
        """Follow the events for turns: changes of health, pauses.

        Normally these are the events since the last poll. Two cases need older ones: the last poll could not inspect
        the container, or it was not up. Then that poll may have read events of a run that began after its inspect.
        """
        identity, known = self.look.container.id, seen(self.old)
        events = self.recent.fresh(identity)
        if self.old and not known:
            events = self.recent.untold(identity, 0)
        elif known and known.status not in UP:
            since = self.recent.untold(identity, known.finished)
            # Events before that end have later times only if the clock was set back.
            end = place_of("die", since, known.finished) or 0
            events = since[min(end, len(since) - len(events)) :]
        return walk(events, known, self.look.condition)

    def turns(
        self, now: Condition, found: Sequence[str], *, late: bool
    ) -> tuple[tuple[Turn, ...], Condition]:
        """Return the turns and the condition to store, given the inspected condition and `found`.

        `late`: the container was inspected after the events were read.
        """
        if not self.recent.complete:
            return compared(found, self.recent.remembered(self.look.container.id), now), now
        walked = self.walk()
        if late:
            return walked.turns, walked.left(now)
        # `deep`: the events were read again after the inspect, so they are newer.
        return walked.settled(now) if self.recent.deep else (walked.turns, walked.kept(now))

    def lacks(self) -> bool:
        """Return whether an event is missing that must exist: it is too young to have been read."""
        now, found = self.look.condition, self._changes()
        if not self.recent.complete:
            remembered = self.recent.remembered(self.look.container.id)
            return any(not turn.time for turn in compared(found, remembered, now))
        known = seen(self.old)
        told = max(known.started if known else 0, last_start(self._untold()))
        if (self.old or "restarted" in found) and now.started > told:
            return True  # the events that explain the end before this start are missing too
        walked = self.walk()
        return bool(walked.lacks(now)) or self._lacks_end(known, walked)

    def _lacks_end(self, known: Condition | None, walked: Walk) -> bool:
        """Return whether the event of its end is missing: then the last turns before it may be missing too."""
        now = self.look.condition
        turned = now.health != "none" or walked.paused
        fresh = now.status not in UP and now.finished != (known.finished if known else 0)
        return turned and fresh and place_of("die", self._untold(), now.finished) is None

    def _changes(self) -> tuple[str, ...]:
        state = self.look.inspected["State"]
        crash = bool(state.get("OOMKilled")) or str(state.get("ExitCode", 0)) not in self.normal
        return changes(seen(self.old), self.look.condition, crash=crash, since=self.since)

    def _untold(self) -> list[Event]:
        """Return its events since the last start or end that the last poll knew."""
        known = seen(self.old)
        return self.recent.untold(self.look.container.id, max(known.started, known.finished) if known else 0)
