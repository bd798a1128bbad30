"""Containers as triggers see them: listed, selected, named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Engine
from lib.polling.clock import SECOND
from lib.polling.compact import digits, number
from lib.polling.matching import Selection

# The first ten hexadecimal digits of an id fit exactly into the 42 bits of seven digits of a cursor.
SHORT = 10
DIGITS = 7
_HEX = 16


@dataclass(frozen=True)
class Container:
    """One entry of ContainerList; `created` in Unix nanoseconds."""

    id: str
    name: str
    image: str
    labels: Mapping[str, str]
    status: str
    created: int

    @property
    def short(self) -> str:
        """The part of the id that cursors keep."""
        return self.id[:SHORT]

    def body(self) -> dict[str, Any]:
        """Return what messages say of it."""
        return {"id": self.id, "name": self.name, "image": self.image, "labels": dict(self.labels)}


def listed(engine: Engine, *, running: bool = False) -> list[Container]:
    """Return all containers (or the running ones) in order of their names: ContainerList."""
    entries = engine.get("/containers/json", {"all": not running}, query=("all",)).json()
    found = [
        Container(
            entry["Id"],
            str((entry.get("Names") or [entry["Id"][:12]])[0]).removeprefix("/"),
            entry.get("Image") or "",
            entry.get("Labels") or {},
            entry.get("State") or "",
            int(entry.get("Created") or 0) * SECOND,
        )
        for entry in entries
    ]
    return sorted(found, key=lambda container: (container.name, container.id))


def selected(containers: list[Container], selection: Selection) -> list[Container]:
    """Return those that a selection takes."""
    return [one for one in containers if selection.takes((one.name,), (one.id,), one.labels, one.image)]


def pack_id(short: str) -> str:
    """Write the kept part of an id in digits of a cursor."""
    return digits(int(short, _HEX), DIGITS)


def unpack_id(packed: str) -> str:
    """Read what `pack_id` wrote."""
    return f"{number(packed):0{SHORT}x}"
