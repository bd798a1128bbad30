"""A look at one container: its entry in the list, what an inspect shows of it, its condition."""

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
    """One container now."""

    container: Container
    inspected: Mapping[str, Any]
    condition: Condition

    def body(self) -> dict[str, Any]:
        """Return what messages say of the container, with the image that it was made from."""
        image = (self.inspected.get("Config") or {}).get("Image")
        return self.container.body() | ({"image": image} if image else {})


def look_at(engine: Engine, one: Container) -> Look:
    """Inspect a container: ContainerInspect."""
    inspected = engine.get("/containers/{id}/json", {"id": one.id}).json()
    return Look(one, inspected, Condition.of(inspected))


def key(one: Container) -> str:
    """Return what tells it from others in a poll."""
    return one.id


def name(one: Container) -> str:
    """Return what a warning calls it."""
    return f"Container {one.name}"


def fault(one: Container, error: Exception) -> Fault | None:
    """Return what is told of a container that cannot be inspected; one that was removed since the list is no fault."""
    return None if isinstance(error, NotFound) else Fault.of(name(one), error)
