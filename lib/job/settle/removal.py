"""What was to be deleted: it is gone, or it is still there."""

from __future__ import annotations

from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.find.kinds import KINDS
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work

KIND_OF = {
    "ContainerDelete": ("container", "id"),
    "ImageDelete": ("image", "name"),
    "VolumeDelete": ("volume", "name"),
    "NetworkDelete": ("network", "id"),
    "ServiceDelete": ("service", "id"),
    "SecretDelete": ("secret", "id"),
    "ConfigDelete": ("config", "id"),
    "NodeDelete": ("node", "id"),
    "PluginDelete": ("plugin", "name"),
}
"""The type of what an operation deletes, and the field that names it."""


def removed(work: Work, tried: Tried) -> Verdict:
    """Return what became of a deletion."""
    kind, field = KIND_OF[tried.operation]
    name = tried.needed(field)
    try:
        reply = work.engine.get(KINDS[kind].one, {"value": name})
    except NoSuchOperation:
        raise
    except NotFound:
        return happened(f"There is no {kind} {name} any more")
    told = reply.read(dict)
    seen = thing(kind, str(told.get("Id") or told.get("ID") or name), name)
    created = when(told.get("Created") or told.get("CreatedAt") or "") if kind != "image" else 0
    if created and created > tried.since:
        return unknown(f"There is a {kind} {name} that was made since then: {at(created)}", seen)
    state = told.get("State")
    if isinstance(state, dict) and state.get("Status") in ("removing", "dead"):
        return happened(f"{name} is being removed", seen)
    return not_happened(f"The {kind} {name} is still there", seen)
