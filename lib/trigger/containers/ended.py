"""Finds the end of a container in its events: of one that is gone, or of the run before the present one.

Both functions read the events in order. A start event begins a new run and resets what is known of the run before it:
lack of memory (`oom`), a kill, a stop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.trigger.containers.lifecycle import UP, Condition
from lib.trigger.events.filter import verb
from lib.trigger.events.fingerprints import Event, nanos
from lib.trigger.events.recent import place_of

_KILL = "9"


@dataclass(frozen=True)
class End:
    """The end of a run: its time in nanoseconds, its exit code, and whether the kernel ended it for lack of memory."""

    time: int
    code: int
    oom: bool


def untold_end(events: Sequence[Event], before: Condition | None) -> End | None:
    """Return the end of a removed container, None if there is none or it was emitted before.

    `events`: its events in order. `before`: its condition at the last poll, None if no poll saw it. A container that
    was killed in order to be removed (`docker rm -f`) has no end of its own: None.
    """
    found: End | None = None
    up = before is None or before.status in UP
    # The event of a known end is a little later than the container's time of that end; `up` is False, so it is skipped.
    begin = 0 if before is None else before.started if up else before.finished
    killed = oom = False
    for event in events:
        if nanos(event) < begin:
            continue
        action, attributes = verb(event), _attributes(event)
        if action == "start":
            up, killed, oom = True, False, False
        elif action == "oom":
            oom = True
        elif action == "kill":
            killed = str(attributes.get("signal")) == _KILL
        elif action == "stop":
            killed = False
        elif action == "die" and up:
            found, up = End(nanos(event), _code(attributes), oom), False
    return None if killed else found


def own_end(events: Sequence[Event], started: int) -> End | None:
    """Return the last end before the present start, None if somebody asked for it (a kill event).

    `started`: the time of the present start in nanoseconds. Also None if the event of that start is missing: the end
    found could then be an earlier one. Events after that start are ignored.
    """
    present = place_of("start", events, started)
    if present is None:
        return None
    found: End | None = None
    asked = oom = False
    for event in events[:present]:
        action = verb(event)
        if action == "start":
            asked = oom = False
        elif action == "kill":
            asked, found = True, None  # an engine may publish the kill just after the end
        elif action == "oom":
            oom = True
        elif action == "die":
            found = None if asked else End(nanos(event), _code(_attributes(event)), oom)
    return found


def _attributes(event: Event) -> Mapping[str, Any]:
    return (event.get("Actor") or {}).get("Attributes") or {}


def _code(attributes: Mapping[str, Any]) -> int:
    text = str(attributes.get("exitCode") or "0")
    return int(text[:11]) if text[:11].removeprefix("-").isdecimal() and text.isascii() else 0
