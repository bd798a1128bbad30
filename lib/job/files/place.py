"""Where files are copied to or from: a container, or a volume through a container that mounts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib.engine import Engine
from lib.engine.errors import BadInput, EngineError, NoAnswer, OutcomeUnknown, Refused
from lib.engine.request.query import filters
from lib.job.errors import Interrupted
from lib.job.files import helper_container
from lib.job.work import Work

T = TypeVar("T")
VOLUME = "volume:"


@dataclass(frozen=True, slots=True)
class Spot:
    """A container on an engine whose calls end with the time of the step; `root`: the folder that is the place's /."""

    engine: Engine
    container: str
    root: str
    told: str
    """The place for people: `web`, `volume:data`."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Those of a helper container, as it was made by the first delivery of the message."""

    def shown(self, path: str) -> str:
        """Return a path of the container as one of the place."""
        return (path.removeprefix(self.root) if self.root != "/" else path) or "/"


class NotLookedAt(EngineError):
    """A dry run cannot look into a volume that no container mounts."""


def at(work: Work, place: str, act: Callable[[Spot], T], *, writes: bool) -> T:
    """Return what `act` makes of a place.

    A volume gets a helper container for that time. In a dry run, and under a credential that may only read, one of the
    containers that mount it serves; NotLookedAt where there is none. NotFound where container or volume are not there.
    A helper that another delivery of the message has taken away is made again, and `act` begins anew: it finds what
    was done, and writes the same bytes where it was not.
    """
    engine = timed(work)
    if not place.startswith(VOLUME):
        identity = engine.get("/containers/{id}/json", {"id": place}).read(lambda told: str(told["Id"]))
        return act(Spot(engine, identity, "/", place))
    volume = place.removeprefix(VOLUME)
    if not volume:
        raise BadInput("place names no volume", field="place", hint="Write volume:NAME")
    engine.get("/volumes/{name}", {"name": volume})  # a create would make it
    if engine.read_only and (work.settings.dry_run or not writes):
        return act(_mounting(engine, volume, place))
    return through_helper(work, volume, act, writes=writes)


def through_helper(
    work: Work,
    volume: str,
    act: Callable[[Spot], T],
    *,
    writes: bool,
    labels: Mapping[str, str] | None = None,
) -> T:
    """Return what `act` makes of a volume that is there, through a helper container that a first delivery labels."""
    work.permit(*helper_container.CALLS)
    while True:
        container, there = helper_container.made(work, volume, labels or {}, reads=not writes)
        try:
            done = act(Spot(timed(work), container, helper_container.ROOT, f"{VOLUME}{volume}", there))
        except EngineError as error:
            # Under a call, an engine tells the removal as a fault of its own: a folder or a file is not there.
            may_be = isinstance(error, Refused | NoAnswer | OutcomeUnknown) and work.deadline.left
            if may_be and helper_container.is_gone(work, container):
                continue
            if not work.context.cancelled.is_set():
                helper_container.removed(work, container)
            raise
        helper_container.removed(work, container)
        return done


def timed(work: Work) -> Engine:
    """Return the engine with transfers that end when the time of the step does."""
    left = max(work.deadline.left, 1.0)
    return work.engine.with_timeouts(left, left)


def checked_in(work: Work) -> None:
    """Raise Interrupted where the step has to end."""
    if work.context.cancelled.is_set():
        raise Interrupted


def _mounting(engine: Engine, volume: str, place: str) -> Spot:
    fields = {"all": True, "filters": {"volume": [volume]}}
    listed = engine.get("/containers/json", fields, query=("all", filters()))
    for identity in listed.read(lambda told: [str(one["Id"]) for one in told]):
        inspected = engine.get("/containers/{id}/json", {"id": identity})
        if root := inspected.read(lambda told: _root(told, volume)):
            return Spot(engine, identity, root, place)
    raise NotLookedAt(
        f"No container mounts {volume}, and a helper container may not be made",
        hint="Use a credential with full access for this step",
    )


def _root(inspected: dict[str, Any], volume: str) -> str:
    """Return where the whole volume is mounted, "" where it is not."""
    parts = {
        mount.get("Target")
        for mount in (inspected.get("HostConfig") or {}).get("Mounts") or []
        if (mount.get("VolumeOptions") or {}).get("Subpath")
    }
    for mount in inspected.get("Mounts") or []:
        if mount.get("Name") == volume and mount["Destination"] not in parts:
            return str(mount["Destination"]).rstrip("/")
    return ""
