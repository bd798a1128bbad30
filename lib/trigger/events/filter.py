"""Reads the engine's events, filters them as the step asks, and writes them as messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.config.form import Form, choice, flag, words
from lib.config.selection import Selection
from lib.engine import Engine
from lib.engine.errors import EngineError, Unreachable
from lib.trigger.clock import EDGE_SECONDS, iso
from lib.trigger.events.actions import chosen_actions
from lib.trigger.events.fingerprints import Event, nanos
from lib.trigger.faults import MISSHAPEN
from lib.trigger.marks.compact import mark

EXEC = frozenset({"exec_create", "exec_start", "exec_die", "exec_detach"})
IDLE_SECONDS, MOST_SECONDS = 30, 120
RUN = 6
"""Digits of the mark of the engine's start."""


def read_ring(engine: Engine, now: int, edge: int = EDGE_SECONDS) -> list[Event]:
    """Return the events of the engine's ring in publish order: SystemEvents without filters.

    `now` is the engine's time in seconds. The read starts at 0: the engine searches backwards and stops at the first
    event that is older than `since`, and newer events can lie behind that one. The read ends `edge` seconds before
    `now`: an end in the past makes the engine end its answer, and the engine no longer adds events before it.
    Raises EngineError.
    """
    window = {"since": "0", "until": str(now - edge)}
    with engine.lines("/events", window, query=("since", "until")) as events:
        seconds = engine.timeouts.stream.total or MOST_SECONDS  # the poll's
        events.pace(min(IDLE_SECONDS, seconds), min(MOST_SECONDS, seconds))
        return list(events)


def engine_run(engine: Engine) -> str:
    """Return a mark (RUN characters) of the engine's start, "" if it cannot be read: NetworkInspect of `bridge`.

    The engine creates that network again at each start. Raises Unreachable.
    """
    try:
        return mark(str(engine.get("/networks/bridge").json()["Created"]), RUN)
    except Unreachable:
        raise
    except (EngineError, *MISSHAPEN):  # a proxy refuses the call, or the network does not exist
        return ""


def verb(event: Event) -> str:
    """Return the action without its argument: `exec_start` for `exec_start: /bin/sh`."""
    return str(event.get("Action") or "").partition(":")[0]


@dataclass(frozen=True)
class EventFilter:
    """Which events the step emits. It does not affect the cursor, so users may change it at any time.

    `probes`: events of exec processes are emitted although `actions` does not name them.
    """

    types: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()
    scope: str = "all"
    selection: Selection = field(default_factory=Selection)
    probes: bool = False

    @classmethod
    def of(cls, form: Form) -> EventFilter:
        """Read types, actions, scope, labels, images, includeExec and all lists of names; raises BadInput."""
        return cls(
            frozenset(words(form, "types")),
            chosen_actions(form),
            choice(form, "scope", ("all", "local", "swarm")),
            Selection.of(form, "networks", "services", "nodes"),
            flag(form, "includeExec"),
        )

    def takes(self, event: Event) -> bool:
        """Return whether the step emits this event."""
        short = verb(event)
        if self.types and event.get("Type") not in self.types:
            return False
        if self.actions and not self.actions & {short, str(event.get("Action"))}:
            return False
        if short in EXEC and not (self.probes or short in self.actions):
            return False
        if self.scope != "all" and (event.get("scope") or "local") != self.scope:
            return False
        return self._selects(event)

    def _selects(self, event: Event) -> bool:
        actor: Mapping[str, Any] = event.get("Actor") or {}
        attributes: Mapping[str, str] = actor.get("Attributes") or {}
        identity = str(actor.get("ID") or "")
        names = {identity, attributes.get("name", "")} - {""}
        ids = {identity, attributes.get("container", "")} - {""}
        image = attributes.get("image") or (
            attributes.get("name", identity) if event.get("Type") == "image" else ""
        )
        return self.selection.takes(names, ids, attributes, image)


def body(event: Event, **more: Any) -> dict[str, Any]:
    """Return the body of an event's message; `more` replaces or adds fields.

    The engine's fields keep their names. `timeNano` is a text: the number is too large for the mapper.
    """
    actor = event.get("Actor") or {}
    attributes = actor.get("Attributes") or {}
    time = nanos(event)
    return {
        "kind": "event",
        "Type": event.get("Type"),
        "Action": event.get("Action"),
        "Actor": {"ID": actor.get("ID"), "Attributes": attributes},
        "scope": event.get("scope") or "local",
        "time": event.get("time"),
        "timeNano": str(time),
        "timestamp": iso(time),
        "name": attributes.get("name"),
        "ordering": "publish",
        "synthetic": False,
        **more,
    }
