"""The container of a name as it is there, and what of it keeps this job away."""

from __future__ import annotations

from lib.engine.errors import Conflict
from lib.job.replacement.names import Part, look
from lib.job.replacement.refusals import TASK, is_own
from lib.job.work import Work

_REMOVING = "removing"


def of_name(work: Work, name: str) -> Part | None:
    """Return the container with a name, None where there is none; one that is being removed is waited for.

    An engine also answers with a container whose id begins with the name.
    """

    def late(part: Part | None) -> tuple[str, dict[str, str]]:
        return f"{name} is still being removed", {"name": part.name if part else name}

    found = work.until(lambda: look(work, name), lambda part: not _goes(part), late)
    return found if found is not None and found.name == name else None


def guard(name: str, there: Part | None) -> None:
    """Raise Conflict where a swarm has the container, or the step itself runs in it."""
    if there is not None and TASK in there.labels:
        raise Conflict(f"{name} is a task of a swarm service", hint="Change the service")
    if there is not None and is_own(there):
        raise Conflict(f"{name} is the container of this step itself", hint="Run the step elsewhere")


def _goes(part: Part | None) -> bool:
    return part is not None and part.told["State"].get("Status") == _REMOVING
