"""The types of objects that operations make: where they are found, and whether one is as its input wanted it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.job.container.differences import differences
from lib.job.image import look_for
from lib.job.settle.sameness import covers
from lib.job.settle.tried import Tried
from lib.job.settle.verdict import when
from lib.job.work import Work

Tree = Mapping[str, Any]
_IN_SPEC = ("service", "secret", "config")


@dataclass(frozen=True, slots=True)
class Made:
    """A type of objects. `created` and `id` are keys of an entry, `within` is that of the entries in their list.

    `equal` compares the input with the object, None where nobody can. `by_list`: several may have one name, or no path
    takes it. `taken`: a creation takes one that is there.
    """

    kind: str
    listing: str
    one: str
    created: str
    equal: Callable[[Work, Tried, Tree], bool] | None
    id: str = "ID"
    within: str = ""
    by_list: bool = False
    taken: bool = False

    def name_in(self, tried: Tried) -> str:
        """Return the name that the input gives, "" for none."""
        return tried.text("name") if self.kind == "container" else tried.in_body("Name")

    def entries(self, told: Any) -> list[Tree]:
        """Return the entries of a list's answer; TypeError and the like for what is none."""
        return [dict(one) for one in (told[self.within] or () if self.within else told)]

    def name(self, told: Tree) -> str:
        """Return the name of an object, listed or inspected."""
        names = told.get("Names")
        if isinstance(names, list):
            own = [str(one) for one in names if str(one).count("/") == 1]  # others are links to it
            return (own or [""])[0].removeprefix("/")
        spec = told.get("Spec") if self.kind in _IN_SPEC else told
        return str(spec.get("Name") or "" if isinstance(spec, Mapping) else "").removeprefix("/")

    def time(self, told: Tree) -> int:
        """Return when an object was made, 0 where it does not tell; of a volume of a swarm one part tells it."""
        cluster = told.get("ClusterVolume")
        return when((cluster if isinstance(cluster, Mapping) else told).get(self.created) or "")

    def labels(self, told: Tree) -> Tree:
        """Return the labels of a listed object."""
        place = told.get("Spec") if self.kind in _IN_SPEC else told
        labels = place.get("Labels") if isinstance(place, Mapping) else None
        return labels if isinstance(labels, Mapping) else {}


def _container(work: Work, tried: Tried, told: Tree) -> bool:
    body = tried.body
    if (told.get("Config") or {}).get("Image") != body.get("Image"):
        return False
    image = look_for(work, str(told.get("Image") or ""))
    config = (image.inspected or {}).get("Config") or {} if image else {}
    return not differences(body, told, config)


def _network(_: Work, tried: Tried, told: Tree) -> bool:
    left_out = ("CheckDuplicate",)  # no property of a network
    return covers({name: value for name, value in tried.body.items() if name not in left_out}, told)


def _volume(_: Work, tried: Tried, told: Tree) -> bool:
    body = dict(tried.body)
    options = body.pop("DriverOpts", None)
    cluster = body.pop("ClusterVolumeSpec", None)
    there = told.get("ClusterVolume")
    spec = there.get("Spec") if isinstance(there, Mapping) else None
    return covers(body, told) and covers(options or {}, told.get("Options") or {}) and covers(cluster, spec)


def _spec(_: Work, tried: Tried, told: Tree) -> bool:
    return covers(tried.body, told.get("Spec"))


MADE = {
    "ContainerCreate": Made(
        "container", "/containers/json", "/containers/{name}/json", "Created", _container, id="Id"
    ),
    "VolumeCreate": Made(
        "volume",
        "/volumes",
        "/volumes/{name}",
        "CreatedAt",
        _volume,
        id="Name",
        within="Volumes",
        by_list=True,
        taken=True,
    ),
    "NetworkCreate": Made(
        "network", "/networks", "/networks/{name}", "Created", _network, id="Id", by_list=True
    ),
    "ServiceCreate": Made("service", "/services", "/services/{name}", "CreatedAt", _spec),
    "ConfigCreate": Made("config", "/configs", "/configs/{name}", "CreatedAt", _spec, by_list=True),
    "SecretCreate": Made("secret", "/secrets", "/secrets/{name}", "CreatedAt", None, by_list=True),
}
