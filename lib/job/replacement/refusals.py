"""What is refused before a replacement begins: containers that have no way back, or belong to somebody else."""

from __future__ import annotations

import socket
from typing import Any

from lib.engine.errors import BadInput, Conflict, NotFound
from lib.job.image import look_for
from lib.job.replacement.names import Names, Part, base_of, is_evidence
from lib.job.targets import listed
from lib.job.work import Work

TASK, PROJECT = "com.docker.swarm.task.id", "com.docker.compose.project"
_OWN_ID = 12


def image_of(work: Work, old: Part) -> dict[str, Any]:
    """Return the image that a container was made of; NotFound where it is gone: then nothing tells its values apart."""
    found = look_for(work, str(old.told.get("Image") or ""))
    if found is None or found.inspected is None:
        raise NotFound(
            f"The image of {old.name} is not there any more, so its own values cannot be told from those given",
            hint="Make the container anew with all that it needs",
        )
    return dict(found.inspected)


def check(work: Work, names: Names, old: Part, field: str = "target") -> None:
    """Raise BadInput, which names the field, or Conflict for a container that a job must not replace."""
    if old.told["HostConfig"].get("AutoRemove"):
        raise _refused(
            field, f"{names.name} is removed as soon as it stops (AutoRemove), so there is no way back"
        )
    if TASK in old.labels:
        raise _refused(field, f"{names.name} is a task of a swarm service", "Change the service")
    if PROJECT in old.labels and not work.fields.get("evenIfManaged"):
        hint = "Set evenIfManaged if it may differ from what Compose knows of it"
        raise _refused(field, f"{names.name} belongs to the Compose project {old.labels[PROJECT]}", hint)
    if is_own(old):
        raise _refused(field, f"{names.name} is the container of this step itself")
    alone(work, names)


def alone(work: Work, names: Names) -> None:
    """Raise Conflict where another run is replacing the container."""
    for other in listed(work.engine):
        ours = (names.name, names.next, names.previous, names.failed)
        if other.name in ours or is_evidence(other.name):
            continue
        if base_of(other.name) == names.name:
            raise Conflict(
                f"{names.name} is being replaced by another run: there is {other.name}",
                hint="Wait for it; if nothing works on it any more, remove it or give it its name back",
            )


def is_own(part: Part) -> bool:
    """Whether it is the container that this step runs in."""
    return part.id.startswith(_own_id())


def _own_id() -> str:
    """Return the short id of the container that this step runs in, its host name; "-" where that is none."""
    name = socket.gethostname()
    return name if len(name) == _OWN_ID and all(one in "0123456789abcdef" for one in name) else "-"


def _refused(field: str, problem: str, hint: str = "") -> BadInput:
    return BadInput(problem, field=field, hint=hint or None)
