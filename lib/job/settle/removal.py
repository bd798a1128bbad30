"""What was to be deleted: it is gone, or still there, or something else has its name since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.job.find.kinds import KINDS
from lib.job.settle.evidence import FORGOTTEN, Event, evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, Verdict, at, happened, not_happened, thing, unknown, when
from lib.job.work import Work
from lib.trigger.clock import SECOND

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
_ACTIONS = ("destroy", "remove", "delete", "untag")


def removed(work: Work, tried: Tried) -> Verdict:
    """Return what became of a deletion."""
    kind, field = KIND_OF[tried.operation]
    name = tried.needed(field)
    try:
        path = KINDS[kind].one.replace("value", field)
        reply = work.engine.get(path, {field: name})
    except NoSuchOperation:
        raise
    except NotFound:
        return _gone(work, tried, kind, name)
    told = reply.read(dict)
    identity = str(told.get("Id") or told.get("ID") or name)
    seen = thing(kind, identity, name)
    state = told.get("State")
    if isinstance(state, dict) and state.get("Status") in ("removing", "dead"):
        return happened(f"{name} is being removed", seen)
    # An id stays that of one object; what has a name may have got it a moment ago.
    if identity.startswith(name) and kind != "volume":
        return not_happened(f"The {kind} {name} is still there", seen)
    return _still_there(work, tried, kind, name, told, seen)


def _gone(work: Work, tried: Tried, kind: str, name: str) -> Verdict:
    events = evidence_since(work.engine, tried.since)
    # Of an image an event tells the id alone, which nothing leads to any more.
    if (found := _event(events.events, kind, "" if kind == "image" else name)) is not None:
        return happened(f"There is no {kind} {name}, and an event of {at(found.time)} tells of a removal")
    if events.complete:
        text = f"There is no {kind} {name}, and none was removed since then: it was gone before"
        return not_happened(f"{text}, or it is on another engine", then=ASK)
    return happened(f"There is no {kind} {name} any more; of its removal {FORGOTTEN}")


def _still_there(
    work: Work, tried: Tried, kind: str, name: str, told: Mapping[str, Any], seen: Mapping[str, Any]
) -> Verdict:
    """Tell what was to be deleted from what was made since then: a second deletion would hit that."""
    made = _made(kind, told)
    if made + SECOND < tried.since or not made:  # some are told to the second
        return not_happened(f"The {kind} {name} is still there", seen)
    events = evidence_since(work.engine, tried.since)
    if (found := _event(events.events, kind, name)) is not None:
        text = f"An event of {at(found.time)} tells that a {kind} {name} was removed; there is one again"
        return happened(text, seen, then=ASK)
    if kind == "image" and tried.exact and made >= tried.since:
        return unknown(f"{name} was made or tagged since then: {at(made)}", seen)
    if kind == "image" or events.complete:
        return not_happened(f"The {kind} {name} is still there", seen)
    if made < tried.since or not tried.exact:
        return not_happened(f"The {kind} {name} is still there; of a removal {FORGOTTEN}", seen)
    return unknown(f"There is a {kind} {name} that was made since then: {at(made)}", seen)


def _made(kind: str, told: Mapping[str, Any]) -> int:
    """Return when an object was made, or an image got a name last; 0 where nothing tells."""
    if kind == "image":
        data = told.get("Metadata")
        return when(data.get("LastTagTime") if isinstance(data, Mapping) else "")
    cluster = told.get("ClusterVolume")
    if isinstance(cluster, Mapping):
        return when(cluster.get("CreatedAt"))
    return when(told.get("Created") or told.get("CreatedAt") or "")


def _event(events: list[Event], kind: str, name: str) -> Event | None:
    """Return the first event of a removal; without a name that of any object of the type."""
    return next(
        (
            one
            for one in events
            if one.kind == kind and one.action in _ACTIONS and (not name or one.is_of(name))
        ),
        None,
    )
