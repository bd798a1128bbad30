"""Which commands an engine remembers: the events `exec_create`, in the order in which they came.

The engine keeps its last 256 events of all kinds, first in, first out. So of two deliveries of one message both see the
same command as the first one, and an event that is older than the message proves that nothing newer is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine import Engine
from lib.engine.answer.limits import Limits, bounded, record_bytes
from lib.engine.errors import EngineError, Unreachable
from lib.engine.request.query import filters, seconds
from lib.job.targets import Target
from lib.trigger.clock import SECOND, engine_time

LONGEST = 1000
"""Characters that are kept of what an event says of a command, without blanks."""
_LIMITS = Limits(max_bytes=8 * 1024 * 1024, max_items=5_000, idle_seconds=5, max_seconds=20)
_FIRST = 1
"""A time (nanoseconds) before all that an engine remembers."""
_DIGITS = 10
_CREATE, _START, _DIE = "exec_create", "exec_start", "exec_die"
_NAMELESS = "exec"


@dataclass(frozen=True, slots=True)
class Entry:
    """An exec that was made: `text` is what its event says of the command (see `squeezed`), `time` Unix nanoseconds."""

    id: str
    container: str
    name: str
    text: str
    time: int


@dataclass(frozen=True, slots=True)
class Memory:
    """The execs of the engine's events. `oldest`: time of its first event, 0 where not all of them could be read."""

    entries: list[Entry] = field(default_factory=list)
    oldest: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    """Exit codes of the execs of whose end an event tells."""
    starts: dict[str, int] = field(default_factory=dict)
    """When those were started (Unix nanoseconds) of whose start an event tells."""
    nameless: int = 0
    """When the last exec was started of which an event does not say which it was, as Podman's do; 0 for none."""

    def of(self, target: Target) -> list[Entry]:
        """Return those in a container, and in one that had its name before."""
        return [one for one in self.entries if one.container == target.id or one.name == target.name]

    def entry(self, identity: str) -> Entry | None:
        """Return that of an exec."""
        return next((one for one in self.entries if one.id == identity), None)

    def tells_success(self, text: str) -> bool:
        """Whether a command with a text among its words has ended with code 0."""
        return any(text in one.text and self.codes.get(one.id) == 0 for one in self.entries)


def squeezed(text: str) -> str:
    """Return the beginning of a text without blanks: engines put blanks between words of a command as they like."""
    return "".join(text[: 4 * LONGEST].split())[:LONGEST]


def memory_up_to(engine: Engine, target: Target, identity: str) -> Memory:
    """Return the execs that a container got before one that has just been made, and itself. Raises Unreachable."""
    ours = {"container": [target.id], "event": [_CREATE, _START]}
    return _read(engine, {"since": _FIRST, "filters": ours}, identity)


def memory_until_now(engine: Engine) -> Memory:
    """Return all that the engine remembers; this takes up to two seconds, to its next whole one. Raises Unreachable."""
    try:
        now = engine_time(engine)
    except Unreachable:
        raise
    except EngineError:  # a proxy that lets nothing tell the time
        return Memory()
    return _read(engine, {"since": _FIRST, "until": (now + 1) * SECOND}, "")


def _read(engine: Engine, window: dict[str, Any], last: str) -> Memory:
    entries: list[Entry] = []
    codes: dict[str, int] = {}
    starts: dict[str, int] = {}
    oldest = nameless = 0
    try:
        lines = engine.lines("/events", window, query=(seconds("since"), seconds("until"), filters()))
        with bounded(lines, _LIMITS, record_bytes) as events:
            for event in events:
                oldest = oldest or _time(event)
                action, told = str(event.get("Action")), _attributes(event)
                if action == _DIE:
                    if str(code := told.get("exitCode")).isdecimal():
                        codes[str(told.get("execID"))] = int(str(code)[:_DIGITS])
                elif action.startswith(_START):
                    starts[str(told.get("execID"))] = _time(event)
                elif action == _NAMELESS:
                    nameless = max(nameless, _time(event))
                elif (entry := _entry(event)) is not None:
                    entries.append(entry)
                    if entry.id == last:
                        break
            whole = events.truncated is None
    except Unreachable:
        raise
    except EngineError:  # a proxy refuses events, or the stream was cut
        whole = False
    return Memory(entries, oldest if whole else 0, codes, starts, nameless)


def _entry(event: Mapping[str, Any]) -> Entry | None:
    action, told = event.get("Action"), _attributes(event)
    if not isinstance(action, str) or not action.startswith(_CREATE) or not told.get("execID"):
        return None
    text = squeezed(action[len(_CREATE) :].removeprefix(": "))
    container = str(event["Actor"].get("ID"))
    return Entry(str(told["execID"]), container, str(told.get("name")), text, _time(event))


def _attributes(event: Mapping[str, Any]) -> Mapping[str, Any]:
    actor = event.get("Actor")
    told = actor.get("Attributes") if isinstance(actor, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def _time(event: Mapping[str, Any]) -> int:
    time = event.get("timeNano")
    return time if isinstance(time, int) else 0
