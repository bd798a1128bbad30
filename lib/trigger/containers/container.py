"""Containers in triggers: listing, selecting and naming them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.config.selection import Selection
from lib.engine import Engine
from lib.engine.errors import EngineError, ReadOnly, Unreachable
from lib.trigger.clock import SECOND, answered_at
from lib.trigger.marks.compact import number
from lib.trigger.parallel import parallel

# Ten hexadecimal digits are 40 bits; they fit into the 42 bits of seven base64url digits.
SHORT = 10
DIGITS = 7
KEY = 12
"""Hexadecimal digits of an id in a packed state: a new id equals one of 2,000 with a chance below 1 in 10^10."""
RUNNING = ("running", "paused", "restarting")
_AT_ONCE = 8
_SECONDS = 10.0
_RECORDED_MOST = 20_000
"""Upper bound of the entries in `_recorded`; above it all are dropped."""
_recorded: dict[str, str] = {}
"""Container id -> reference of the image that it was created from; it never changes."""


@dataclass(frozen=True)
class Container:
    """One entry of ContainerList.

    `created` is in Unix nanoseconds, `shown` is the entry's Status text, `health` is "" before API 1.52. `image` is
    the id of the image (sha256:...) if the reference that the container was created from now names another image, or
    none.
    """

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    status: str
    created: int
    image_id: str = ""
    shown: str = ""
    health: str = ""

    @property
    def short(self) -> str:
        """The first SHORT digits of the id, which snapshots of version 1.0 hold."""
        return self.id[:SHORT]

    @property
    def key(self) -> str:
        """The first KEY digits of the id, which packed states hold."""
        return self.id[:KEY]

    @property
    def moved(self) -> bool:
        """Whether the list lacks the image reference that the container was created from."""
        return self.image.startswith("sha256:")

    def body(self) -> dict[str, Any]:
        """Return {id, name, image, labels} for messages."""
        image = _recorded.get(self.id, self.image) if self.moved else self.image
        return {"id": self.id, "name": self.name, "image": image, "labels": dict(self.labels)}

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Container:
        """Read an entry of ContainerList; raises KeyError, TypeError or ValueError for anything else."""
        health = entry.get("Health")
        return cls(
            entry["Id"],
            own_name(entry),
            entry.get("Image") or "",
            entry.get("Labels") or {},
            entry.get("State") or "",
            int(entry.get("Created") or 0) * SECOND,
            entry.get("ImageID") or "",
            entry.get("Status") or "",
            str(health.get("Status") or "") if isinstance(health, Mapping) else "",
        )


def own_name(entry: Mapping[str, Any]) -> str:
    """Return the name in an entry of ContainerList, the first 12 digits of the id if it has none.

    The list also has the names that links give a container (/web/db), in any order.
    """
    names = [str(name).removeprefix("/") for name in entry.get("Names") or ()]
    own = [name for name in names if "/" not in name]
    return (own or names or [entry["Id"][:12]])[0]


@dataclass(frozen=True)
class Listing:
    """All containers in order of their names.

    `made` is when the engine made the list, in Unix seconds; None if its answer has no Date header.
    """

    containers: list[Container]
    made: int | None


def listing(engine: Engine) -> Listing:
    """Return all containers, and when the list was made: ContainerList. Raises EngineError."""
    reply = engine.get("/containers/json", {"all": True}, query=("all",))
    found = [Container.of(entry) for entry in reply.json()]
    return Listing(sorted(found, key=lambda one: (one.name, one.id)), answered_at(reply.headers))


def listed(engine: Engine) -> list[Container]:
    """Return all containers in order of their names: ContainerList."""
    return listing(engine).containers


def selected(
    containers: Sequence[Container], selection: Selection, engine: Engine | None = None
) -> list[Container]:
    """Return the containers that a selection takes.

    With `engine`, also those created from a selected image whose tag now names another image: ContainerInspect, once
    for each such container. A container that cannot be inspected is taken; the trigger then emits a warning about it.
    """
    taken = {one.id for one in containers if _takes(selection, one)}
    if engine is not None and selection.images:
        by_others = Selection(selection.names, selection.labels)
        doubtful = [one for one in containers if one.id not in taken and one.moved and _takes(by_others, one)]
        unread = [one for one in doubtful if one.id not in _recorded]
        unreadable = _record(engine, unread)
        taken |= {one.id for one in doubtful if one.id in unreadable or _takes(selection, one)}
    return [one for one in containers if one.id in taken]


def _takes(selection: Selection, one: Container) -> bool:
    recorded = _recorded.get(one.id)
    return selection.takes(
        (one.name,), (one.id,), one.labels, one.image, one.image_id, *([recorded] if recorded else ())
    )


def _record(engine: Engine, containers: Sequence[Container]) -> set[str]:
    """Look up the images that containers were created from; return the ids of those that cannot be inspected."""
    if len(_recorded) + len(containers) > _RECORDED_MOST:
        _recorded.clear()
    limited, unreadable = engine.limited(_SECONDS), set()

    def ask(one: Container) -> str:
        return str(limited.get("/containers/{id}/json", {"id": one.id}).json()["Config"]["Image"])

    for one, answer in parallel(containers, ask, _AT_ONCE):
        try:
            _recorded[one.id] = answer()
        except (Unreachable, ReadOnly):
            raise
        except (EngineError, ValueError, TypeError, KeyError):
            unreadable.add(one.id)
    return unreadable


def unpack_id(packed: str) -> str:
    """Return the first SHORT hexadecimal digits of an id from the base64url digits in states of version 1.0."""
    return f"{number(packed):0{SHORT}x}"
