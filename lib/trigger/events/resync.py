"""Reconstructs container events that the ring has lost, from the times that the containers themselves carry.

docs/triggers.md#engineevents says what can be reconstructed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lib.engine import Engine
from lib.engine.errors import EngineError, NotFound, Unreachable
from lib.trigger.clock import SECOND, nanoseconds
from lib.trigger.events.fingerprints import Event
from lib.trigger.faults import MISSHAPEN
from lib.trigger.parallel import parallel

NEVER = "0001-01-01T00:00:00Z"


AT_ONCE = 8
CALL_SECONDS = 10.0


def lost_events(
    engine: Engine, since: int, before: int, stopped: Callable[[], bool] = lambda: False
) -> tuple[list[Event], int]:
    """Return create, start and die events in order of time, and how many containers were not inspected.

    The events have times in [since, before), in nanoseconds. Calls: ContainerList, then one ContainerInspect for each
    container, AT_ONCE at once, CALL_SECONDS each. A container counts as not inspected if its call failed, or
    `stopped` was true before it. Removed containers are missing; of several starts or ends only the last is known.
    Raises Unreachable, and EngineError if the list fails.
    """
    listed = [entry["Id"] for entry in engine.get("/containers/json", {"all": True}, query=("all",)).json()]
    patient = engine.limited(CALL_SECONDS)
    events: list[tuple[int, Event]] = []
    missed = len(listed)

    def life(identity: str) -> list[tuple[int, Event]]:
        return list(_life(patient.get("/containers/{id}/json", {"id": identity}).json()))

    for _, outcome in parallel(listed, life, AT_ONCE, stopped):
        try:
            events.extend(pair for pair in outcome() if since <= pair[1]["timeNano"] < before)
        except NotFound:  # removed between the two calls
            pass
        except Unreachable:
            raise
        except (EngineError, *MISSHAPEN):
            continue
        missed -= 1
    return [event for _, event in sorted(events, key=lambda pair: pair[0])], missed


def _life(container: Mapping[str, Any]) -> Iterator[tuple[int, Event]]:
    """Yield (time in nanoseconds to sort by, event) for the creation, the last start and the last end."""
    state = container["State"]
    running = bool(state.get("Running"))
    created = _event(container, "create", container["Created"], {})
    yield created["timeNano"], created
    if started := nanoseconds(state.get("StartedAt") or NEVER):
        yield started, _event(container, "start", state["StartedAt"], {})
    if finished := nanoseconds(state.get("FinishedAt") or NEVER):
        # Two clocks write these times: by them, a container that ends at once can end before it starts. If the
        # container runs again, the exit code of its end is gone.
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
