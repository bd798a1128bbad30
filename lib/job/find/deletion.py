"""DeleteObject: one object goes; one that is gone already, or is going, is what was wanted."""

from __future__ import annotations

import re
from typing import Any

from lib.engine.errors import BadInput, Conflict, NoSuchOperation, NotFound, OutcomeUnknown
from lib.engine.expected import expected_form
from lib.engine.request.query import is_true
from lib.job.find.candidates import NAME, Candidate, directly
from lib.job.find.kinds import Kind, kind_of
from lib.job.find.lookup import criterion, one_of
from lib.job.find.terms import Term
from lib.job.work import Work

_ALIVE = ("running", "paused", "restarting")
_GOING = "already in progress"
_ANONYMOUS = re.compile("[0-9a-f]{64}")


def deleted(work: Work) -> dict[str, Any]:
    """Return the output of DeleteObject: {id, name} of what went, or {} where there was nothing to delete."""
    kind = kind_of(work.config)
    if not kind.delete:
        raise BadInput(
            f"objectType: {kind.plural} cannot be deleted",
            field="objectType",
            hint="Change or delete their service",
        )
    with_volumes = is_true(work.fields.get("withVolumes"))
    if with_volumes and kind.name != "container":
        raise BadInput("withVolumes is for containers", field="withVolumes")
    term = criterion(work, kind)
    if term is None:
        return {}
    work.permit(("DELETE", kind.delete))
    found = one_of(work, kind, term)
    whole = found.whole if found else None
    if found is None or whole is None:
        return {}
    if not _delete(work, kind, term, found, whole, with_volumes=with_volumes):
        return {}
    return {"id": found.id, "name": found.name}


def _delete(
    work: Work, kind: Kind, term: Term, found: Candidate, whole: dict[str, Any], *, with_volumes: bool
) -> bool:
    """Delete, or say what would be deleted; whether it was there until now."""
    force = is_true(work.fields.get("force"))
    if kind.name == "container" and whole.get("state") in _ALIVE and not force and work.settings.dry_run:
        work.warn(f"{found.name} is {whole['state']}: without force the engine will refuse to delete it")
    # A tag of an image goes by its name: by the id all tags would have to go.
    by_name = kind.name == "image" and term.field == NAME
    fields: dict[str, Any] = {
        "value": str(term.value) if by_name else found.id,
        "force": force,
        "v": with_volumes,
    }
    now = work.will("delete", kind.name, found.name, f"it matches {term}")
    for volume in _volumes(whole) if with_volumes else ():
        work.will("delete", "volume", volume, f"anonymous volume of {found.name}, if nobody else uses it")
    if not now:
        return True
    try:
        work.engine.delete(kind.delete, fields, query=kind.query, timeout="slow")
    except NoSuchOperation:
        raise
    except NotFound:
        work.plan.clear()
        return False
    except Conflict as refusal:
        work.plan.clear()
        if _GOING in refusal.message.lower():
            return False
        raise
    except OutcomeUnknown:
        if directly(work, kind, fields["value"]) is not None:
            raise
    return True


def _volumes(whole: dict[str, Any]) -> list[str]:
    """Return the anonymous volumes of a container."""
    with expected_form():
        mounts = whole["object"].get("Mounts") or ()
        names = [str(mount.get("Name") or "") for mount in mounts if mount.get("Type") == "volume"]
        return sorted(name for name in names if _ANONYMOUS.fullmatch(name))
