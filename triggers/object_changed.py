"""Trigger objectChanged: new or changed images, volumes, networks, services, secrets, configs, nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import BadInput
from lib.form import Form, words
from lib.polling.clock import SECOND, iso, nanoseconds
from lib.polling.compact import mark, pieces
from lib.polling.matching import labels_match, names_match
from lib.polling.swarm import cluster_mark
from lib.selection import images, networks, nodes, services
from lib.trigger import Finding, Found, Poll, trigger

__all__ = ["images", "networks", "nodes", "object_changed", "services"]

Thing = Mapping[str, Any]
LOCAL = {"images": "/images/json", "volumes": "/volumes", "networks": "/networks"}
SWARM = {"services": "/services", "secrets": "/secrets", "configs": "/configs", "nodes": "/nodes"}
DEFAULT = ("images", "volumes", "networks")
# Of an object with an identity of its own the cursor keeps five digits, of what may change about it two.
IDENTITY, DETAIL = 5, 2
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


@dataclass(frozen=True)
class Seen:
    """Marks of all images, volumes and networks (7 characters each); of swarm objects the largest version index."""

    at: int
    marks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    index: Mapping[str, int] = field(default_factory=dict)
    cluster: str = ""

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        marks = {name: "".join(found) for name, found in self.marks.items()}
        return {"at": self.at, "seen": marks, "index": dict(self.index), "cluster": self.cluster}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Seen:
        """Read `to_state`."""
        marks = {name: pieces(packed, IDENTITY + DETAIL) for name, packed in state["seen"].items()}
        index = {name: int(value) for name, value in state["index"].items()}
        if not (marks.keys() <= LOCAL.keys() and index.keys() <= SWARM.keys()):
            raise ValueError("no kinds of objects")
        return cls(int(state["at"]), marks, index, str(state["cluster"]))


@dataclass(frozen=True)
class Named:
    """What the kinds of objects have in common."""

    kind: str
    thing: Thing
    id: str
    name: str
    labels: Mapping[str, str]
    time: int

    @classmethod
    def of(cls, kind: str, thing: Thing) -> Named:
        """Read an entry of a list."""
        spec = thing.get("Spec") or {}
        identity = str(thing.get("Id") or thing.get("ID") or thing.get("Name") or "")
        tags = [tag for tag in thing.get("RepoTags") or () if tag != "<none>:<none>"]
        host = (thing.get("Description") or {}).get("Hostname")
        name = host or spec.get("Name") or thing.get("Name") or (tags[0] if tags else identity)
        made = thing.get("UpdatedAt") or thing.get("CreatedAt") or thing.get("Created") or 0
        time = made * SECOND if isinstance(made, int) else nanoseconds(str(made))
        return cls(kind, thing, identity, str(name), thing.get("Labels") or spec.get("Labels") or {}, time)

    @property
    def mark(self) -> str:
        """Five digits for what it is, two for what may change about it."""
        born = self.thing.get("CreatedAt") if self.kind == "volumes" else None
        detail = sorted(self.thing.get("RepoTags") or ())
        return mark([self.id, born], IDENTITY) + mark(detail, DETAIL)

    @property
    def names(self) -> tuple[str, ...]:
        """All names it goes by."""
        return (self.name, self.id, *(self.thing.get("RepoTags") or ()))


@trigger("objectChanged", read=Seen.from_state, sample=SAMPLE)
def object_changed(poll: Poll[Seen]) -> Found[Seen]:
    """List every wanted kind and compare with the last poll: ImageList, VolumeList, NetworkList, ServiceList, ..."""
    kinds = _kinds(poll.form)
    before = poll.state or Seen(0)
    findings: list[Finding] = []
    cluster = cluster_mark(poll.engine) if set(kinds) & SWARM.keys() else before.cluster
    moved = bool(before.cluster) and cluster != before.cluster
    if moved:
        text = "This engine belongs to another swarm than before; changes in between may be missing. Started anew"
        findings.append(poll.gap("otherCluster", text, f"{before.cluster} {cluster}"))
    marks: dict[str, tuple[str, ...]] = {}
    index: dict[str, int] = {}
    for kind in kinds:
        listed = _listed(poll, kind)
        if kind in LOCAL:
            marks[kind] = tuple(sorted(one.mark for one in listed))
            changes = _by_mark(poll, listed, before.marks.get(kind))
        else:
            highest = None if moved else before.index.get(kind)
            index[kind] = max([highest or 0, *(_index(one) for one in listed)])
            changes = _by_index(poll, listed, highest)
        findings += [_finding(one, change) for change, one in changes if _wanted(poll.form, one)]
    return Found(findings, Seen(poll.now, marks, index, cluster))


def _kinds(form: Form) -> tuple[str, ...]:
    kinds = words(form, "kinds") or DEFAULT
    for kind in kinds:
        if kind not in LOCAL and kind not in SWARM:
            raise BadInput(f"kinds: {kind!r} is not possible. Choose among: {', '.join((*LOCAL, *SWARM))}")
    return kinds


def _listed(poll: Poll[Seen], kind: str) -> list[Named]:
    answer = poll.engine.get({**LOCAL, **SWARM}[kind]).json()
    things = (answer.get("Volumes") or []) if kind == "volumes" else answer
    return sorted((Named.of(kind, thing) for thing in things), key=lambda one: (one.time, one.id))


def _by_mark(poll: Poll[Seen], listed: list[Named], known: tuple[str, ...] | None) -> list[tuple[str, Named]]:
    """Compare sets: creation dates tell nothing (reproducible images have a fixed one)."""
    if known is None:
        fresh = [] if poll.state or poll.start is None else [one for one in listed if one.time >= poll.start]
        return [("created", one) for one in fresh]
    marks, identities = set(known), {one[:IDENTITY] for one in known}
    return [
        ("changed" if one.mark[:IDENTITY] in identities else "created", one)
        for one in listed
        if one.mark not in marks
    ]


def _by_index(poll: Poll[Seen], listed: list[Named], highest: int | None) -> list[tuple[str, Named]]:
    """Compare versions, which only ever grow."""
    if highest is None:
        fresh = [] if poll.state or poll.start is None else [one for one in listed if one.time >= poll.start]
    else:
        fresh = sorted((one for one in listed if _index(one) > highest), key=_index)
    return [
        ("created" if one.thing["CreatedAt"] == one.thing["UpdatedAt"] else "changed", one) for one in fresh
    ]


def _index(one: Named) -> int:
    return int(one.thing["Version"]["Index"])


def _wanted(form: Form, one: Named) -> bool:
    lists = ("names", "images", "networks", "services", "nodes")
    chosen = tuple(name for field_name in lists for name in words(form, field_name))
    if chosen and not names_match(chosen, one.names, (one.id,)):
        return False
    return labels_match(words(form, "labels"), one.labels)


def _finding(one: Named, change: str) -> Finding:
    thing = dict(one.thing)
    if one.kind == "configs" and "Data" in (thing.get("Spec") or {}):  # a file, often with passwords in it
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
    version = (one.thing.get("Version") or {}).get("Index")
    return Finding(
        body, f"{one.kind} {change} {one.id} {version if version is not None else one.mark} {one.time}"
    )
