"""What is told of a container whose log cannot be read, and what is kept of its place."""

from __future__ import annotations

from dataclasses import replace

from lib.engine.errors import Conflict, EngineFault, NoSuchOperation, NotFound, NotSupported, Unauthorized
from lib.trigger.containers.container import Container
from lib.trigger.faults import Fault
from lib.trigger.logs.places import MUTE, OPEN

REMOVAL = ("removing", "dead")


def unreadable(container: Container, error: Exception) -> tuple[str, Fault | None]:
    """Return the flag for a place, and what is told of a log that cannot be read now."""
    if isinstance(error, Unauthorized):  # all of them, and somebody has to act
        raise error
    if isinstance(error, NotFound) and not isinstance(error, NoSuchOperation):
        return OPEN, None  # removed since it was listed: the next poll tells what may be missing
    details = {"container": container.body()}
    if isinstance(error, NotSupported):
        text = f"The log driver of {container.name} cannot be read, so its lines are not seen. Use json-file or local"
        return MUTE, Fault("unreadable", text, details)
    if isinstance(error, Conflict) and container.status not in REMOVAL:
        return OPEN, None  # its removal has just begun: the next poll tells
    told = Fault.of(container.name, error)
    if isinstance(error, Conflict | EngineFault):
        said = error.message
        text = f"The log of {container.name} cannot be read: {said}. Its place is kept, and the others go on"
        return OPEN, Fault("unreadable", text, details, told.kind)
    return OPEN, replace(told, details={**told.details, **details})
