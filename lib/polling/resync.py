"""Container events that the engine no longer remembers, put together again from the containers' own times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NotFound
from lib.polling.clock import SECOND, nanoseconds
from lib.polling.fingerprints import Event

NEVER = "0001-01-01T00:00:00Z"


def lost_events(engine: Engine, since: int, before: int) -> list[Event]:
    """Return create, start and die events with times in [since, before), in nanoseconds, in order of time.

    Needs ContainerList and ContainerInspect. Containers that were removed meanwhile cannot be recovered, and of several
    starts or ends only the last is known.
    """
    listed = engine.get("/containers/json", {"all": True}, query=("all",)).json()
    events: list[tuple[int, Event]] = []
    for entry in listed:
        try:
            container = engine.get("/containers/{id}/json", {"id": entry["Id"]}).json()
        except NotFound:  # removed between the two calls
            continue
        events.extend(pair for pair in _life(container) if since <= pair[1]["timeNano"] < before)
    return [event for _, event in sorted(events, key=lambda pair: pair[0])]


def _life(container: Mapping[str, Any]) -> Iterator[tuple[int, Event]]:
    """Yield what is known of a container's life, with the place of each event in time."""
    state = container["State"]
    running = bool(state.get("Running"))
    created = _event(container, "create", container["Created"], {})
    yield created["timeNano"], created
    if started := nanoseconds(state.get("StartedAt") or NEVER):
        yield started, _event(container, "start", state["StartedAt"], {})
    if finished := nanoseconds(state.get("FinishedAt") or NEVER):
        # Two clocks write these times: a container that ends at once can have ended before it started. And of the
        # end before the present run only the time is left.
        end = (
            {}
            if running
            else {"exitCode": str(state.get("ExitCode", "")), "oomKilled": _text(state.get("OOMKilled"))}
        )
        yield (
            finished if running else max(finished, started),
            _event(container, "die", state["FinishedAt"], end),
        )


def _text(value: Any) -> str:
    return str(bool(value)).lower()


def _event(container: Mapping[str, Any], action: str, time: str, more: Mapping[str, str]) -> Event:
    config = container.get("Config") or {}
    nanos = nanoseconds(time)
    return {
        "Type": "container",
        "Action": action,
        "Actor": {
            "ID": container["Id"],
            "Attributes": {
                **(config.get("Labels") or {}),
                "image": config.get("Image", ""),
                "name": str(container.get("Name", "")).removeprefix("/"),
                **more,
            },
        },
        "scope": "local",
        "time": nanos // SECOND,
        "timeNano": nanos,
    }
