"""What was to be done with plugins: whether they are there, enabled, and how they are set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.text import parsed
from lib.job.settle.evidence import FORGOTTEN, evidence_since
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import ASK, Verdict, at, happened, not_happened, thing, unknown
from lib.job.work import Work

SWITCHED = ("PluginEnable", "PluginDisable")
MADE = {"PluginCreate": "create", "PluginPull": "pull"}
"""The events of what lets a plugin in."""


def switched(work: Work, tried: Tried) -> Verdict:
    """PluginEnable and PluginDisable."""
    name = tried.needed("name")
    if (told := _plugin(work, name)) is None:
        return _absent(name)
    proof = f"The plugin {name} is {'enabled' if told['Enabled'] else 'disabled'}"
    seen, wanted = _the(told, name), tried.operation == "PluginEnable"
    return happened(proof, seen) if bool(told["Enabled"]) == wanted else not_happened(proof, seen)


def configured(work: Work, tried: Tried) -> Verdict:
    """PluginSet: the values of variables; they may be secret, so no proof repeats them."""
    name = tried.needed("name")
    wanted = parsed(tried.fields.get("requestBody") or [], "fields.requestBody")
    if (told := _plugin(work, name)) is None:
        return _absent(name)
    there = told["Settings"].get("Env") or [] if isinstance(told.get("Settings"), Mapping) else []
    seen = _the(told, name)
    if not isinstance(wanted, list) or not wanted:
        return unknown("The input sets nothing", seen)
    if all(one in there for one in wanted):
        return happened(f"The plugin {name} is set as in the input", seen)
    names = [str(one).partition("=")[0] for one in there]
    if not all(str(one).partition("=")[0] in names for one in wanted):
        return unknown(f"Only variables of the plugin {name} are told, and the input sets more", seen)
    return not_happened(f"The plugin {name} is not set as in the input", seen)


def made(work: Work, tried: Tried) -> Verdict:
    """PluginCreate and PluginPull: an event, or a plugin of that name."""
    name = tried.text("name") or tried.needed("remote" if tried.operation == "PluginPull" else "name")
    name = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
    if (told := _plugin(work, name)) is None:
        return not_happened(f"There is no plugin {name}")
    seen = _the(told, name)
    action = MADE[tried.operation]
    events = evidence_since(work.engine, tried.since)
    found = events.of("plugin", action, lambda event: event.is_of(name) or event.id == seen["id"])
    if found is not None:
        return happened(f"An event of {at(found.time)} tells of it ({action})", seen)
    if events.complete:
        return not_happened(f"The plugin {name} was there before", seen, then=ASK)
    return unknown(f"The plugin {name} is there; since when, {FORGOTTEN}", seen)


def _plugin(work: Work, name: str) -> dict[str, Any] | None:
    def read(told: Mapping[str, Any]) -> dict[str, Any]:
        return {"Id": str(told["Id"]), "Enabled": bool(told["Enabled"]), "Settings": told.get("Settings")}

    try:
        return work.engine.get("/plugins/{+name}/json", {"name": name}).read(read)
    except NoSuchOperation:
        raise
    except NotFound:
        return None


def _the(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return thing("plugin", told["Id"], name)


def _absent(name: str) -> Verdict:
    return unknown(f"There is no plugin {name} any more, or it is on another engine")
