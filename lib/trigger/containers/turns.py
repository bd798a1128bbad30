"""Health and pauses of one container between two polls: what turned and returned is in the events only."""

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
    """A change, and the time of its event in nanoseconds; 0 where the engine does not remember it."""

    change: str
    time: int


@dataclass(frozen=True)
class Walk:
    """The turns that events tell, and the health that they leave, and whether it is paused.

    `over`: the run that the inspect shows ended after it. What is left is that of its end; turns are also later ones.
    """

    turns: tuple[Turn, ...]
    health: str
    paused: bool
    over: bool = False

    def lacks(self, now: Condition) -> tuple[str, ...]:
        """Return the turns without which the container could not be as an inspect shows it `now`.

        An engine calls what it pauses, or what ends, unhealthy without a probe and without an event: no turn.
        """
        known = now.status == "running" and now.health in _KNOWN
        health = (now.health,) if known and now.health != self.health else ()
        if now.status not in UP or self.paused == (now.status == "paused"):
            return health
        return ("paused" if now.status == "paused" else "unpaused", *health)

    def settled(self, now: Condition) -> tuple[tuple[Turn, ...], Condition]:
        """Return all turns, and the condition to be kept, where the events were read after the inspect.

        Then they are newer than it. What they tell nothing of is as the inspect shows it: other engines have other
        events, or none.
        """
        kinds = {turn.change in _KNOWN for turn in self.turns}
        silent = tuple(Turn(change, 0) for change in self.lacks(now) if (change in _KNOWN) not in kinds)
        if True in kinds:
            now = replace(now, health=self.health)
        if False in kinds and now.status in UP:
            now = replace(now, status="paused" if self.paused else "running")
        return (*self.turns, *silent), now

    def kept(self, now: Condition) -> Condition:
        """Return the condition to be kept where no event is missing: a health that none tells is the next one.s."""
        untold = now.health in _KNOWN and self.health != "none"
        return replace(now, health=self.health) if untold else now

    def left(self, now: Condition) -> Condition:
        """Return the condition to be kept where the inspect is newer than the events, which tell the rest later."""
        health = now.health if self.health == "none" else self.health
        status = ("paused" if self.paused else "running") if now.status in UP else now.status
        return replace(now, health=health, status=status)


def walk(events: Sequence[Event], before: Condition | None, now: Condition) -> Walk:
    """Follow the events of a container since `before` to `now`; those that `before` already shows turn nothing.

    A start that no event tells (yet) leaves what a start leaves. Where the inspect shows no run, the next poll tells
    one that begins after it.
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
    """Return the events, without a run that began after an inspect that shows none, and the place of a later end."""
    place = _after_look(events, before, now)
    return (events, place) if now.status in UP else (events[:place], None)


def _after_look(events: Sequence[Event], before: Condition | None, now: Condition) -> int | None:
    """Return the place of the event that ended the run which the inspect shows, or began one where it shows none.

    None where all is as the inspect shows it.
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
    """Return the turns that two looks show where the events may not be all, with their times where these are there."""
    return tuple(
        Turn(change, _last(change, remembered, now.started)) for change in changes if change in TURNS
    )


def _last(change: str, remembered: Sequence[Event], started: int) -> int:
    wanted = f"health_status:{change}" if change in _KNOWN else change.removesuffix("d")
    times = [
        nanos(event) for event in remembered if str(event.get("Action") or "").replace(": ", ":") == wanted
    ]
    return max((time for time in times if time >= started), default=0)
