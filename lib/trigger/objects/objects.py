"""One form for images, volumes, networks and swarm objects, and the marks that identify them from poll to poll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import StreamFailed
from lib.engine.version import Version
from lib.trigger.clock import SECOND, nanoseconds
from lib.trigger.marks.compact import mark
from lib.trigger.marks.markset import detail_mark, identity_mark

Thing = Mapping[str, Any]
ELSEWHERE = 1
"""The detail of a volume whose driver is not `local`: it may be missing in a list that is not whole."""
# The engine creates these networks with a new id at each start, so their names identify them; the names are reserved.
_ENGINES_OWN = ("bridge", "host", "none")
# Before this version, the CreatedAt of a local volume is the time of the last change of its content.
_TIMES_STAND = Version(1, 45)
_LAST_SECOND = 253402300800
_OLD_IDENTITY, _OLD_DETAIL = 5, 2


@dataclass(frozen=True)
class Named:
    """An entry of a list.

    `kind` is a key of LOCAL or SWARM in lib/trigger/objects/seen.py, `thing` the entry itself. `time`: when it was
    updated or else created, in Unix nanoseconds; 0 if it has no readable time.
    """

    kind: str
    thing: Thing
    id: str
    name: str
    labels: Mapping[str, str]
    time: int

    @classmethod
    def of(cls, kind: str, thing: Thing) -> Named:
        """Read an entry of a list; raises TypeError, AttributeError or ValueError for anything else."""
        spec = thing.get("Spec") or {}
        identity = str(thing.get("Id") or thing.get("ID") or thing.get("Name") or "")
        if not identity:
            raise ValueError("an object without an id")
        tags = _tags(thing)
        host = (thing.get("Description") or {}).get("Hostname")
        name = host or spec.get("Name") or thing.get("Name") or (tags[0] if tags else identity)
        time = _time(thing.get("UpdatedAt") or thing.get("CreatedAt") or thing.get("Created"))
        labels = thing.get("Labels") or spec.get("Labels")
        return cls(kind, thing, identity, str(name), labels if isinstance(labels, Mapping) else {}, time)

    @property
    def mark(self) -> int:
        """The mark of its identity."""
        if self.kind == "networks" and self.name in _ENGINES_OWN:
            return identity_mark(self.name)
        return identity_mark(self.id)

    def detail(self, version: Version) -> int:
        """Return the mark of what can change: an image's tags, a local volume's creation time; 0 if there is none."""
        if self.kind == "images":
            return detail_mark(sorted(_tags(self.thing)))
        if self.kind != "volumes":
            return 0
        if self.thing.get("Driver") != "local":
            return ELSEWHERE
        born = self.thing.get("CreatedAt")
        return detail_mark(str(born)) if born and version >= _TIMES_STAND else 0

    @property
    def old_mark(self) -> tuple[str, str]:
        """The marks of identity and detail, as snapshots of version 1.0 have them."""
        born = self.thing.get("CreatedAt") if self.kind == "volumes" else None
        detail = sorted(self.thing.get("RepoTags") or ())
        return mark([self.id, born], _OLD_IDENTITY), mark(detail, _OLD_DETAIL)

    @property
    def index(self) -> int:
        """The version index of a swarm object."""
        return int(self.thing["Version"]["Index"])

    @property
    def created(self) -> int:
        """When a swarm object was created, in Unix nanoseconds of the clock of the swarm's leader."""
        return _time(self.thing.get("CreatedAt"))

    @property
    def names(self) -> tuple[str, ...]:
        """All names that can select it: its name, its id, its tags."""
        return (self.name, self.id, *_tags(self.thing))


def _tags(thing: Thing) -> list[str]:
    return [str(tag) for tag in thing.get("RepoTags") or () if tag != "<none>:<none>"]


def _time(written: Any) -> int:
    """Return a time in Unix nanoseconds, 0 if it cannot be read: volume drivers use many forms."""
    if isinstance(written, int):
        return written * SECOND if 0 < written < _LAST_SECOND else 0
    try:
        return nanoseconds(str(written)) if written else 0
    except StreamFailed:
        return 0
