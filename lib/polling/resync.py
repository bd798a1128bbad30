"""Container events that the engine no longer remembers, put together again from the containers' own times."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NotFound
from lib.polling.clock import SECOND, nanoseconds
from lib.polling.ring import Event


def lost_events(engine: Engine, since: int, before: int) -> list[Event]:
    """Return create, start and die events with times in [since, before), in nanoseconds, in order of time.

    Needs ContainerList and ContainerInspect. Containers that were removed meanwhile cannot be recovered, and of several
    starts or ends only the last is known.
    """
    listed = engine.get("/containers/json", {"all": True}, query=("all",)).json()
    events: list[Event] = []
    for entry in listed:
        try:
            container = engine.get("/containers/{id}/json", {"id": entry["Id"]}).json()
        except NotFound:  # removed between the two calls
            continue
        events.extend(event for event in _life(container) if since <= event["timeNano"] < before)
    return sorted(events, key=lambda event: int(event["timeNano"]))


def _life(container: Mapping[str, Any]) -> Iterator[Event]:
    state = container["State"]
    yield _event(container, "create", container["Created"], {})
    if started := nanoseconds(state.get("StartedAt") or ""):
        yield _event(container, "start", state["StartedAt"], {})
    if (finished := nanoseconds(state.get("FinishedAt") or "")) and finished >= started:
        end = {
            "exitCode": str(state.get("ExitCode", "")),
            "oomKilled": str(bool(state.get("OOMKilled"))).lower(),
        }
        yield _event(container, "die", state["FinishedAt"], end)


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
