"""The bodies of the messages of containerStateChanged, and the identities of their events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.trigger.clock import iso
from lib.trigger.containers.ended import End
from lib.trigger.containers.lifecycle import Condition
from lib.trigger.containers.looks import Look
from lib.trigger.events.filter import verb
from lib.trigger.events.fingerprints import Event, nanos

_OF_THE_EVENT = ("name", "image", "exitCode", "execDuration", "signal")


def change_body(change: str, look: Look, old: Condition | None, moment: int) -> dict[str, Any]:
    """Return the body for a change; `moment` is its time in nanoseconds, `old` the condition before it."""
    state, now = look.inspected["State"], look.condition
    to = now.body()
    return {
        "kind": "change",
        "change": change,
        "container": look.body(),
        "from": old.body() if old else None,
        "to": to,
        "exitCode": to["exitCode"],
        "oomKilled": bool(state.get("OOMKilled")),
        "restarts": max(now.restarts - old.restarts, 0) if old else now.restarts,
        "error": state.get("Error") or "",
        "startedAt": iso(now.started) if now.started else None,
        "finishedAt": iso(now.finished) if now.finished else None,
        "timestamp": iso(moment),
    }


def end_body(change: str, event: Event, old: Condition | None, end: End) -> dict[str, Any]:
    """Return the body for the end of a container that is gone; `event` is any of its events."""
    restarts = old.restarts if old else 0
    return {
        "kind": "change",
        "change": change,
        "container": _container(event),
        "from": old.body() if old else None,
        "to": {"status": "exited", "health": None, "exitCode": end.code, "restartCount": restarts},
        "exitCode": end.code,
        "oomKilled": end.oom,
        "restarts": 0,
        "error": "",
        "startedAt": iso(old.started) if old and old.started else None,
        "finishedAt": iso(end.time),
        "timestamp": iso(end.time),
    }


def removed_body(key: str, events: Sequence[Event], old: Condition | None, now: int) -> dict[str, Any]:
    """Return the body for a removal.

    `key`: the stored part of the id. `events`: the container's events; only they have its name, image and full id.
    `now`: the engine's time in nanoseconds, used if the removal has no event.
    """
    destroyed = next((event for event in reversed(events) if verb(event) == "destroy"), None)
    lacking: dict[str, Any] = {"id": key, "name": None, "image": None, "labels": {}}
    return {
        "kind": "change",
        "change": "removed",
        "container": _container(events[-1]) if events else lacking,
        "from": old.body() if old else None,
        "to": None,
        "timestamp": iso(nanos(destroyed) if destroyed else now),
    }


def moment_of(change: str, look: Look) -> int:
    """Return the time of a change as the inspect shows it, in nanoseconds; 0 if it shows none."""
    now = look.condition
    times = {
        "crashed": now.finished,
        "exited": now.finished,
        "started": now.started,
        "restarted": now.started,
    }
    return look.container.created if change == "created" else times.get(change, 0)


def event_of(change: str, old: Condition | None, now: Condition) -> str:
    """Return the identity of a change: only its own event counts, so that a repeated poll gives the same id."""
    if change in ("started", "restarted"):
        return f"start {now.started}"
    if change == "created":
        return change
    stopped = old is not None and old.status == "restarting" and old.finished == now.finished
    return f"end {now.finished}" + (" stopped" if stopped else "")


def attributes(event: Event) -> Mapping[str, Any]:
    """Return the attributes of an event's object."""
    return (event.get("Actor") or {}).get("Attributes") or {}


def _container(event: Event) -> dict[str, Any]:
    found = attributes(event)
    labels = {name: value for name, value in found.items() if name not in _OF_THE_EVENT}
    identity = (event.get("Actor") or {}).get("ID")
    return {"id": identity, "name": found.get("name"), "image": found.get("image"), "labels": labels}
