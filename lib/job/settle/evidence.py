"""The engine's events as evidence: it keeps the last 256, so an older one than the call proves that none is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine import Engine
from lib.engine.answer.limits import Limits, bounded, record_bytes
from lib.engine.errors import EngineError, NoAnswer, Unreachable
from lib.engine.request.query import seconds
from lib.trigger.clock import SECOND, engine_time

_LIMITS = Limits(max_bytes=8 * 1024 * 1024, max_items=5_000, idle_seconds=10, max_seconds=20)
_FIRST = 1
"""A time (Unix seconds) before all that an engine remembers."""
_OTHERS = "podman"
"""Engines that have other events under other names: what they do not tell may have happened."""
_SHORTEST_ID = 12
FORGOTTEN = "the engine does not remember so far back"


@dataclass(frozen=True, slots=True)
class Event:
    """`time` in Unix nanoseconds; `attributes` are those of its actor."""

    kind: str
    action: str
    id: str
    time: int
    attributes: Mapping[str, Any]

    def says(self, name: str) -> str:
        """Return an attribute as text, "" for none."""
        return str(self.attributes.get(name) or "")

    def is_of(self, target: str) -> bool:
        """Whether it is of the object with this name, id, or beginning of an id."""
        is_id = len(target) >= _SHORTEST_ID and self.id.startswith(target)
        return bool(target) and (is_id or target in (self.id, self.says("name")))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Events since a time; `complete`: the engine has forgotten none of them."""

    events: list[Event] = field(default_factory=list)
    complete: bool = False

    def of(self, kind: str, action: str, fits: Callable[[Event], bool] = lambda _: True) -> Event | None:
        """Return the first event of a kind and an action (what is behind a colon does not count) that fits."""
        return next(
            (
                one
                for one in self.events
                if one.kind == kind and one.action.partition(":")[0] == action and fits(one)
            ),
            None,
        )


def evidence_since(engine: Engine, since: int) -> Evidence:
    """Return the events from a time (Unix nanoseconds) to now, none where a proxy refuses them.

    This takes up to two seconds: the engine's clock is told in whole ones. Raises Unreachable, NoAnswer.
    """
    found: list[Event] = []
    oldest = 0
    try:
        window = {"since": _FIRST, "until": (engine_time(engine) + 1) * SECOND}
        lines = engine.lines("/events", window, query=(seconds("since"), seconds("until")))
        with bounded(lines, _LIMITS, record_bytes) as told:
            for one in told:
                event = _event(one)
                oldest = oldest or event.time
                if event.time >= since:
                    found.append(event)
            cut = told.truncated is not None
    except (Unreachable, NoAnswer):
        raise
    except EngineError:
        return Evidence()
    return Evidence(found, complete=0 < oldest < since and not cut and _tells_all(engine))


def _tells_all(engine: Engine) -> bool:
    """Whether the events of this engine are those of Docker, as far as a proxy lets it tell."""

    def names(told: Mapping[str, Any]) -> list[str]:
        return [str(one["Name"]).lower() for one in told.get("Components") or ()]

    try:
        return not any(_OTHERS in name for name in engine.get("/version").read(names))
    except (Unreachable, NoAnswer):
        raise
    except EngineError:
        return False


def _event(told: Mapping[str, Any]) -> Event:
    actor = told.get("Actor")
    actor = actor if isinstance(actor, Mapping) else {}
    attributes = actor.get("Attributes")
    time = told.get("timeNano")
    return Event(
        kind=str(told.get("Type") or ""),
        action=str(told.get("Action") or ""),
        id=str(actor.get("ID") or ""),
        time=time if isinstance(time, int) and not isinstance(time, bool) else 0,
        attributes=attributes if isinstance(attributes, Mapping) else {},
    )
