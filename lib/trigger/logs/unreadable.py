"""Decides what to emit and to store for a container whose log cannot be read."""

from __future__ import annotations

from dataclasses import replace

from lib.engine.errors import Conflict, EngineFault, NoSuchOperation, NotFound, NotSupported, Unauthorized
from lib.trigger.containers.container import Container
from lib.trigger.faults import Fault
from lib.trigger.logs.places import MUTE, OPEN

REMOVAL = ("removing", "dead")


def unreadable(container: Container, error: Exception) -> tuple[str, Fault | None]:
    """Return the flag to store (lib/trigger/logs/places.py), and the fault to emit, None for no fault.

    Raises `error` again if it is Unauthorized: a proxy refuses all logs, and the poll fails.
    """
    if isinstance(error, Unauthorized):
        raise error
    if isinstance(error, NotFound) and not isinstance(error, NoSuchOperation):
        return OPEN, None  # removed since the list was made: the next poll reports the gap
    details = {"container": container.body()}
    if isinstance(error, NotSupported):
        text = f"The log driver of {container.name} cannot be read, so its lines are not seen. Use json-file or local"
        return MUTE, Fault("unreadable", text, details)
    if isinstance(error, Conflict) and container.status not in REMOVAL:
        return OPEN, None  # its removal has just begun: the next poll reports the gap
    told = Fault.of(container.name, error)
    if isinstance(error, Conflict | EngineFault):
        said = error.message
        text = f"The log of {container.name} cannot be read: {said}. Its place is kept, and the others go on"
        return OPEN, Fault("unreadable", text, details, told.kind)
    return OPEN, replace(told, details={**told.details, **details})
