"""Finds the turns of one container between two polls: healthy, unhealthy, paused, unpaused.

A state that changed and changed back is visible in the events only. So `walk` follows the events from the condition
`before` to the end and notes each turn, and the health and pause that they leave (`Walk`). The inspect can be older or
newer than the events, and engines differ in which events they publish; three methods settle this:

- `kept`: the events end before the inspect. What the inspect shows beyond them is a turn of the next poll.
- `settled`: the events were read after the inspect, so they are right. Turns without an event are added.
- `left`: the inspect was repeated after that second read. What it shows beyond the events is a turn of the next poll.

Without complete events, `compared` takes the turns that two conditions show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lib.trigger.containers.lifecycle import HEALTHS, UP, Condition
from lib.trigger.events.filter import verb
from lib.trigger.events.fingerprints import Event, nanos
from lib.trigger.events.recent import place_of

_KNOWN = ("healthy", "unhealthy")
TURNS = (*_KNOWN, "paused", "unpaused")


@dataclass(frozen=True)
class Turn:
    """A turn, and the time of its event in nanoseconds; 0 if the engine no longer has that event."""

    change: str
    time: int


@dataclass(frozen=True)
class Walk:
    """The turns that events show, and the health and pause that they leave.

    `over`: the run that the inspect shows has ended since. Then `health` and `paused` are those at its end, and `turns`
    includes later ones.
    """

    turns: tuple[Turn, ...]
    health: str
    paused: bool
    over: bool = False

    def lacks(self, now: Condition) -> tuple[str, ...]:
        """Return the turns that lead from what the events leave to the inspected condition `now`.

        Health counts only while the container runs: engines report unhealthy without a probe, and without an event,
        when they pause or end a container.
        """
        known = now.status == "running" and now.health in _KNOWN
        health = (now.health,) if known and now.health != self.health else ()
        if now.status not in UP or self.paused == (now.status == "paused"):
            return health
        return ("paused" if now.status == "paused" else "unpaused", *health)

    def settled(self, now: Condition) -> tuple[tuple[Turn, ...], Condition]:
        """Return all turns and the condition to store, if the events were read after the inspect.

        The events are newer, so they decide. If they have no turn of a kind (health, pause), the inspect decides: some
        engines do not publish events of that kind.
        """
        kinds = {turn.change in _KNOWN for turn in self.turns}
        silent = tuple(Turn(change, 0) for change in self.lacks(now) if (change in _KNOWN) not in kinds)
        if True in kinds:
            now = replace(now, health=self.health)
        if False in kinds and now.status in UP:
            now = replace(now, status="paused" if self.paused else "running")
        return (*self.turns, *silent), now

    def kept(self, now: Condition) -> Condition:
        """Return the condition to store if the events end before the inspect.

        The health is the one that the events leave: a newer one is a turn of the next poll.
        """
        untold = now.health in _KNOWN and self.health != "none"
        return replace(now, health=self.health) if untold else now

    def left(self, now: Condition) -> Condition:
        """Return the condition to store if the inspect is newer than the events: later events show the rest."""
        health = now.health if self.health == "none" else self.health
        status = ("paused" if self.paused else "running") if now.status in UP else now.status
        return replace(now, health=health, status=status)


def walk(events: Sequence[Event], before: Condition | None, now: Condition) -> Walk:
    """Follow the events of a container from `before` (None: it is new) to the inspected condition `now`.

    An event that `before` already shows is no turn. A start without an event resets health and pause as its event
    would. If the inspect shows no run, a run that began after it is left to the next poll.
    """
    events, last = _until_next_run(events, before, now)
    left = None
    starts = [nanos(event) for event in events if verb(event) == "start"]
    untold = before is not None and now.started != before.started and max(starts, default=0) < now.started
    health, paused = (before.health, before.status == "paused") if before else ("none", False)
    found: list[Turn] = []
    for place, event in enumerate(events):
        if place == last:
            left = (health, paused)
        if untold and nanos(event) >= now.started:
            health, paused, untold = "none" if health == "none" else "starting", False, False
        action, told = verb(event), str(event.get("Action") or "").partition(":")[2].strip()
        if action == "start":
            health, paused = "none" if health == "none" else "starting", False
        elif action == "die":
            paused = False
        elif action in ("pause", "unpause") and paused != (action == "pause"):
            paused = action == "pause"
            found.append(Turn("paused" if paused else "unpaused", nanos(event)))
        elif action == "health_status" and told in HEALTHS and told != health:
            health = told
            if told in _KNOWN:
                found.append(Turn(told, nanos(event)))
    if untold:
        health, paused = "none" if health == "none" else "starting", False
    return Walk(tuple(found), *(left or (health, paused)), over=left is not None)


def _until_next_run(
    events: Sequence[Event], before: Condition | None, now: Condition
) -> tuple[Sequence[Event], int | None]:
    """Return the events to follow, and the index of an end after the inspect (None: none).

    If the inspect shows no run, the events of a run that began after it are left out.
    """
    place = _after_look(events, before, now)
    return (events, place) if now.status in UP else (events[:place], None)


def _after_look(events: Sequence[Event], before: Condition | None, now: Condition) -> int | None:
    """Return the index of the first event after the inspect that ends its run or, if it shows no run, begins one.

    None if there is no such event.
    """
    up = now.status in UP
    moment = now.started if up else now.finished
    begin = 0
    if before is None or moment != (before.started if up else before.finished):
        begin = place_of("start" if up else "die", events, moment) or 0
    wanted = "die" if up else "start"
    later = (place for place in range(begin, len(events)) if verb(events[place]) == wanted)
    return next((place for place in later if nanos(events[place]) >= moment), None)


def compared(changes: Sequence[str], remembered: Sequence[Event], now: Condition) -> tuple[Turn, ...]:
    """Return the turns among `changes`, which two conditions show; their times are 0 if their event is missing.

    For events that may be incomplete: `remembered` are those of the container that are in the ring.
    """
    return tuple(
        Turn(change, _last(change, remembered, now.started)) for change in changes if change in TURNS
    )


def _last(change: str, remembered: Sequence[Event], started: int) -> int:
    wanted = f"health_status:{change}" if change in _KNOWN else change.removesuffix("d")
    times = [
        nanos(event) for event in remembered if str(event.get("Action") or "").replace(": ", ":") == wanted
    ]
    return max((time for time in times if time >= started), default=0)
