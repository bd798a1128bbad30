"""The state of objectChanged: marks of images, volumes and networks, version indexes of swarm objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib.trigger.marks.compact import pieces
from lib.trigger.marks.markset import RESERVED, packed, unpacked
from lib.trigger.objects.objects import Named

LOCAL = {"images": "/images/json", "volumes": "/volumes", "networks": "/networks"}
SWARM = {"services": "/services", "secrets": "/secrets", "configs": "/configs", "nodes": "/nodes"}
DETAILED = ("images", "volumes")
_OLD_MARK = 7

Marks = Mapping[int, int]
OldMarks = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Versions:
    """For one kind of swarm objects: the largest version index, and when the youngest was created (nanoseconds)."""

    index: int
    youngest: int | None = None


@dataclass(frozen=True)
class Seen:
    """What the last poll saw.

    `marks`: kind -> identity mark -> detail mark. `versions`: kind -> largest versions. `cluster`: mark of the swarm.
    `partial`: the volumes of some drivers were never listed yet. `changes`: number of polls that found something; it
    makes the identities of equal changes different. `old`: marks of a snapshot of version 1.0, used once.
    """

    marks: Mapping[str, Marks] = field(default_factory=dict)
    versions: Mapping[str, Versions] = field(default_factory=dict)
    cluster: str = ""
    partial: bool = False
    changes: int = 0
    old: Mapping[str, OldMarks] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form; nanoseconds are texts, since some JSON readers would round the numbers."""
        return {
            "sets": {kind: packed(marks, details=kind in DETAILED) for kind, marks in self.marks.items()},
            "index": {kind: one.index for kind, one in self.versions.items()},
            "youngest": {
                kind: str(one.youngest) for kind, one in self.versions.items() if one.youngest is not None
            },
            "cluster": self.cluster,
            "changes": self.changes,
        } | ({"partial": True} if self.partial else {})

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Seen:
        """Read `to_state` or the form of version 1.0; raises ValueError, TypeError or KeyError for anything else."""
        youngest = {kind: int(time) for kind, time in state.get("youngest", {}).items()}
        versions = {kind: Versions(int(index), youngest.get(kind)) for kind, index in state["index"].items()}
        cluster = str(state["cluster"])
        if "sets" not in state:
            old = {kind: _old(packed_marks) for kind, packed_marks in state["seen"].items()}
            _known(old, versions)
            return cls({}, versions, cluster, old=old)
        marks = {kind: unpacked(text, details=kind in DETAILED) for kind, text in state["sets"].items()}
        _known(marks, versions)
        return cls(marks, versions, cluster, bool(state.get("partial")), int(state["changes"]))

    def change(self, one: Named, detail: int) -> str | None:
        """Return what happened to an image, volume or network since the last poll: created, changed, or None."""
        if one.kind in self.old:
            marks = self.old[one.kind]
            if one.old_mark in marks:
                return None
            return "changed" if one.old_mark[0] in {identity for identity, _ in marks} else "created"
        known = self.marks[one.kind]
        if one.mark not in known:
            return "created"
        before = known[one.mark]
        if min(before, detail) < RESERVED or before == detail:
            return None
        return "created" if one.kind == "volumes" else "changed"

    def only(self, kinds: Collection[str]) -> Seen:
        """Return the state of these kinds only."""
        return replace(
            self,
            marks={kind: marks for kind, marks in self.marks.items() if kind in kinds},
            versions={kind: one for kind, one in self.versions.items() if kind in kinds},
            old={kind: marks for kind, marks in self.old.items() if kind in kinds},
        )

    def knows(self, kind: str) -> bool:
        """Return whether a poll has listed this kind before."""
        return kind in self.marks or kind in self.old


def _old(text: Any) -> OldMarks:
    return frozenset((one[:5], one[5:]) for one in pieces(text, _OLD_MARK))


def _known(local: Mapping[str, Any], swarm: Mapping[str, Any]) -> None:
    if not (local.keys() <= LOCAL.keys() and swarm.keys() <= SWARM.keys()):
        raise ValueError("no kinds of objects")
