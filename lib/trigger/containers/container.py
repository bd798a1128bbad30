"""Containers as triggers see them: listed, selected, named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.config.selection import Selection
from lib.engine import Engine
from lib.engine.errors import EngineError, ReadOnly, Unreachable
from lib.trigger.clock import SECOND, answered_at
from lib.trigger.marks.compact import digits, number
from lib.trigger.parallel import parallel

# The first ten hexadecimal digits of an id fit exactly into the 42 bits of seven digits of a cursor.
SHORT = 10
DIGITS = 7
KEY = 12
"""Digits of an id that dense cursors keep: a chance below 1 in 10^10 that a new one meets one of 2,000."""
RUNNING = ("running", "paused", "restarting")
_HEX = 16
_AT_ONCE = 8
_SECONDS = 10.0
_RECORDED_MOST = 20_000
_recorded: dict[str, str] = {}
"""The image that each container was made from, by its id: it never changes."""


@dataclass(frozen=True)
class Container:
    """One entry of ContainerList; `created` in Unix nanoseconds, `shown` its Status text, `health` from API 1.52 on.

    `image` is the id of the image (sha256:...) where the reference that the container was made from names another
    image now, or none.
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
        """The part of the id that cursors keep."""
        return self.id[:SHORT]

    @property
    def key(self) -> str:
        """The part of the id that dense cursors keep."""
        return self.id[:KEY]

    @property
    def moved(self) -> bool:
        """Whether the list no longer tells the reference that the container was made from."""
        return self.image.startswith("sha256:")

    def body(self) -> dict[str, Any]:
        """Return what messages say of it."""
        image = _recorded.get(self.id, self.image) if self.moved else self.image
        return {"id": self.id, "name": self.name, "image": image, "labels": dict(self.labels)}

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Container:
        """Read an entry of ContainerList."""
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
    """Return a container's name out of an entry of ContainerList, its short id where it has none.

    The list also has the names that links give it (/web/db), in any order.
    """
    names = [str(name).removeprefix("/") for name in entry.get("Names") or ()]
    own = [name for name in names if "/" not in name]
    return (own or names or [entry["Id"][:12]])[0]


@dataclass(frozen=True)
class Listing:
    """All containers in order of their names; `made`: the engine's time in Unix seconds, None where it is not told."""

    containers: list[Container]
    made: int | None


def listing(engine: Engine) -> Listing:
    """Return all containers, and when the list was made: ContainerList."""
    reply = engine.get("/containers/json", {"all": True}, query=("all",))
    found = [Container.of(entry) for entry in reply.json()]
    return Listing(sorted(found, key=lambda one: (one.name, one.id)), answered_at(reply.headers))


def listed(engine: Engine) -> list[Container]:
    """Return all containers in order of their names: ContainerList."""
    return listing(engine).containers


def selected(
    containers: Sequence[Container], selection: Selection, engine: Engine | None = None
) -> list[Container]:
    """Return those that a selection takes.

    With an engine, also those that were made from a selected image whose tag has moved on: ContainerInspect, once for
    each such container. One that cannot be inspected is taken: the trigger will tell of it.
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
    """Note the images that containers were made from; return the ids of those that cannot be inspected."""
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


def pack_id(short: str) -> str:
    """Write the kept part of an id in digits of a cursor."""
    return digits(int(short, _HEX), DIGITS)


def unpack_id(packed: str) -> str:
    """Read what `pack_id` wrote."""
    return f"{number(packed):0{SHORT}x}"
