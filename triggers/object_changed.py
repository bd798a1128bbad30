"""Trigger objectChanged (docs/triggers.md#objectchanged): new or changed objects of the chosen kinds.

Each poll lists all objects of each kind. Images, volumes and networks are compared by marks of their identity and
detail (`_by_mark`); services, secrets, configs and nodes by their version indexes (`_by_version`).
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from lib.config.form import Form, among, words
from lib.config.selection import labels_match, names_match
from lib.engine import Engine
from lib.trigger import Fault, Finding, Found, Poll, trigger
from lib.trigger.clock import iso
from lib.trigger.cursor import CursorTooLarge
from lib.trigger.dropdowns import images, networks, nodes, services
from lib.trigger.marks.markset import packed
from lib.trigger.objects.lists import Listed, read_list
from lib.trigger.objects.objects import ELSEWHERE, Named
from lib.trigger.objects.seen import DETAILED, LOCAL, SWARM, Marks, Seen, Versions
from lib.trigger.tasks.swarm import cluster_mark

__all__ = ["images", "networks", "nodes", "object_changed", "services"]

PATHS = {**LOCAL, **SWARM, "swarm": "/swarm"}
DEFAULT = ("images", "volumes", "networks")
LIST_SECONDS = 45.0
"""Upper bound of one list; for the list of images the engine counts the containers of each image."""
SAMPLE = {
    "kind": "object",
    "type": "volume",
    "change": "created",
    "id": "orders-data",
    "name": "orders-data",
    "labels": {"team": "shop"},
    "object": {
        "Name": "orders-data",
        "Driver": "local",
        "CreatedAt": "2026-01-01T12:00:00Z",
        "Scope": "local",
    },
    "timestamp": "2026-01-01T12:00:00Z",
}


@trigger("objectChanged", read=Seen.from_state, sample=SAMPLE)
def object_changed(poll: Poll[Seen]) -> Found[Seen]:
    """List each chosen kind and compare it with the last poll: ImageList, VolumeList, NetworkList, ServiceList, ..."""
    kinds = _kinds(poll.form)
    before = (poll.state or Seen()).only(kinds)
    answers = _asked(poll, kinds, before.old.keys())
    findings: list[Finding] = []
    cluster = before.cluster
    if "swarm" in answers:
        cluster = cluster_mark(answers["swarm"])
        if before.cluster not in ("", cluster):
            text = "This engine belongs to another swarm than before; changes in between may be missing. Started anew"
            findings.append(poll.gap("otherCluster", text, f"{before.cluster} {cluster}"))
            before = replace(before, versions={})
    after, changed = before, False
    for kind, answer in answers.items():
        if kind == "swarm":
            continue
        listed = read_list(poll, kind, answer)
        changes = (
            _by_mark(poll, kind, listed, before) if kind in LOCAL else _by_version(poll, kind, listed, before)
        )
        changed = changed or bool(changes)
        findings += [
            _finding(one, change, before.changes) for change, one in changes if _wanted(poll.form, one)
        ]
        after = _noted(poll, kind, listed, after)
    after = replace(after, cluster=cluster, changes=before.changes + changed)
    _check_room(poll, after)
    return Found(findings, after)


def _kinds(form: Form) -> Sequence[str]:
    kinds = tuple(dict.fromkeys(words(form, "kinds"))) or DEFAULT
    among(form, "kinds", kinds, (*LOCAL, *SWARM))
    return kinds


def _asked(poll: Poll[Seen], kinds: Sequence[str], needed: AbstractSet[str]) -> dict[str, Any]:
    """Return kind -> answer, and "swarm" -> answer of SwarmInspect; a kind that fails is missing and keeps its state.

    Raises the first error if all kinds fail, or one of `needed`, whose state cannot be stored again as it was.
    """
    swarm = ["swarm"] if set(kinds) & SWARM.keys() else []
    errors: list[Exception] = []

    def fault(kind: str, error: Exception) -> Fault:
        errors.append(error)
        return Fault.of(f"The list of {kind}" if kind != "swarm" else "The swarm", error)

    def ask(engine: Engine, kind: str) -> Any:
        return engine.get(PATHS[kind]).json()

    asked = poll.each([*swarm, *kinds], ask, key=str, name=str, fault=fault, seconds=LIST_SECONDS)
    answers = dict(asked)
    usable = [kind for kind in kinds if kind in answers and (kind in LOCAL or "swarm" in answers)]
    if errors and (not usable or needed - set(usable)):
        raise errors[0]
    return {kind: answers[kind] for kind in [*swarm, *usable] if kind in answers}


def _by_mark(poll: Poll[Seen], kind: str, listed: Listed, before: Seen) -> list[tuple[str, Named]]:
    """Return (change, object) by comparing sets of marks; creation dates do not help, reproducible images fix them."""
    if not before.knows(kind):
        return [("created", one) for one in _first(poll, listed)]
    version = poll.engine.version
    changes = [(before.change(one, one.detail(version)), one) for one in listed.objects]
    return [(change, one) for change, one in changes if change and not _late(kind, one, before)]


def _late(kind: str, one: Named, before: Seen) -> bool:
    """Return whether a volume may have existed at the first poll, when its driver did not answer."""
    return kind == "volumes" and before.partial and one.thing.get("Driver") != "local"


def _first(poll: Poll[Seen], listed: Listed) -> Sequence[Named]:
    """Return the objects to emit of a kind that no poll has listed before."""
    start = None if poll.state else poll.start
    return () if start is None else [one for one in listed.objects if one.time >= start]


def _by_version(poll: Poll[Seen], kind: str, listed: Listed, before: Seen) -> list[tuple[str, Named]]:
    """Return (change, object) by comparing version indexes, which only grow.

    An object is new if it was created after the youngest one of the last poll. Equal times of creation and change are
    no condition: the swarm itself may change a new service before the poll.
    """
    known = before.versions.get(kind)
    if known is None:
        return [("created", one) for one in _first(poll, listed)]
    fresh = sorted((one for one in listed.objects if one.index > known.index), key=lambda one: one.index)
    return [("created" if _is_new(one, known) else "changed", one) for one in fresh]


def _is_new(one: Named, known: Versions) -> bool:
    untouched = one.thing.get("CreatedAt") == one.thing.get("UpdatedAt")
    return untouched or (known.youngest is not None and one.created > known.youngest)


def _noted(poll: Poll[Seen], kind: str, listed: Listed, seen: Seen) -> Seen:
    """Return the state after this list; if the list is not whole, volumes that may be missing in it stay known."""
    if kind in SWARM:
        known = seen.versions.get(kind) or Versions(0)
        index = max([known.index, *(one.index for one in listed.objects)])
        youngest = max([known.youngest or 0, *(one.created for one in listed.objects)])
        return replace(seen, versions={**seen.versions, kind: Versions(index, youngest)})
    version = poll.engine.version
    marks: Marks = {one.mark: one.detail(version) for one in listed.objects}
    if not listed.whole:
        known_marks = seen.marks.get(kind, {})
        marks = {**{one: detail for one, detail in known_marks.items() if detail == ELSEWHERE}, **marks}
    old = {name: old_marks for name, old_marks in seen.old.items() if name != kind}
    partial = seen.partial
    if kind == "volumes":
        partial = not listed.whole and (partial or not seen.knows(kind))
    return replace(seen, marks={**seen.marks, kind: marks}, old=old, partial=partial)


def _check_room(poll: Poll[Seen], seen: Seen) -> None:
    size = sum(len(packed(marks, details=kind in DETAILED)) for kind, marks in seen.marks.items())
    if size > poll.room:
        raise CursorTooLarge(
            f"To remember all images, volumes and networks, objectChanged needs {size} bytes; a snapshot has room for "
            f"{poll.room}. Choose fewer kinds: each may have a flow of its own. The other filters do not help, since "
            "all objects of a kind are remembered"
        )


def _wanted(form: Form, one: Named) -> bool:
    lists = ("names", "images", "networks", "services", "nodes")
    chosen = tuple(name for field_name in lists for name in words(form, field_name))
    if chosen and not names_match(chosen, one.names, (one.id,)):
        return False
    return labels_match(words(form, "labels"), one.labels)


def _finding(one: Named, change: str, changes: int) -> Finding:
    thing = dict(one.thing)
    if one.kind == "configs" and "Data" in (thing.get("Spec") or {}):  # content, often with passwords
        thing["Spec"] = {key: value for key, value in thing["Spec"].items() if key != "Data"}
    body = {
        "kind": "object",
        "type": one.kind.removesuffix("s"),
        "change": change,
        "id": one.id,
        "name": one.name,
        "labels": dict(one.labels),
        "object": thing,
        "timestamp": iso(one.time) if one.time else None,
    }
    what = one.index if one.kind in SWARM else [changes, *sorted(one.thing.get("RepoTags") or ())]
    return Finding(body, f"{one.kind} {change} {one.id} {what}")
