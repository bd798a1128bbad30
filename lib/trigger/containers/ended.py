"""The end of a container that is gone: only the engine's events still know it."""

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
    """The last run's end: its time in nanoseconds and its exit code; `oom`: the kernel ended it for lack of memory."""

    time: int
    code: int
    oom: bool


def untold_end(events: Sequence[Event], before: Condition | None) -> End | None:
    """Return the end of a container that is gone, None where there is none that was not told.

    `before` is how it was last seen (None: never). One that was killed to be removed is only removed.
    """
    found: End | None = None
    up = before is None or before.status in UP
    # Of an end that is known, the event comes a little later than the time that the container carries.
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
    """Return the last end before the present start if nobody asked for it, else None.

    `started`: the time of that start in nanoseconds. None also where the events do not tell it yet: the end may be an
    earlier one. Events that were read after the look tell also what came after that start.
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
            asked, found = True, None  # an engine may publish it just after the end
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
