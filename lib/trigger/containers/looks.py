"""Inspects one container; the functions below are the arguments of `Poll.each` for that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NotFound
from lib.trigger.containers.container import Container
from lib.trigger.containers.lifecycle import Condition
from lib.trigger.faults import Fault


@dataclass(frozen=True)
class Look:
    """One inspected container: its entry in the list, the answer of the inspect, and its condition."""

    container: Container
    inspected: Mapping[str, Any]
    condition: Condition

    def body(self) -> dict[str, Any]:
        """Return {id, name, image, labels} for messages, with the image that the container was created from."""
        image = (self.inspected.get("Config") or {}).get("Image")
        return self.container.body() | ({"image": image} if image else {})


def look_at(engine: Engine, one: Container) -> Look:
    """Inspect a container: ContainerInspect. Raises EngineError, and what `Condition.of` raises."""
    inspected = engine.get("/containers/{id}/json", {"id": one.id}).json()
    return Look(one, inspected, Condition.of(inspected))


def key(one: Container) -> str:
    """Return the key of a container among those of a poll."""
    return one.id


def name(one: Container) -> str:
    """Return the name of a container in warnings."""
    return f"Container {one.name}"


def fault(one: Container, error: Exception) -> Fault | None:
    """Return the fault of a container that cannot be inspected, None if it was removed since the list was made."""
    return None if isinstance(error, NotFound) else Fault.of(name(one), error)
