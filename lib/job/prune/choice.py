"""What may be removed, kind by kind, from lists of the engine: what prune calls take differs by version.

`gone` are ids of containers that count as removed already: in a dry run those that a real run would have removed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from lib.engine.errors import BadInput, NotFound
from lib.engine.request.times import instant
from lib.job.files.helper_container import IMAGE as HELPER_IMAGE
from lib.job.prune.rules import Rules, Thing, is_over
from lib.job.users import is_in
from lib.job.work import Work

CONTAINERS, IMAGES, NETWORKS, VOLUMES, CACHE, LEFTOVERS = (
    "containers",
    "images",
    "networks",
    "volumes",
    "buildCache",
    "jobLeftovers",
)
_ENDED = ("created", "exited", "dead")
_OWN_NETWORKS = frozenset({"bridge", "host", "none", "ingress", "docker_gwbridge", "nat", "podman"})
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_ANONYMOUS_LABEL = "com.docker.volume.anonymous"
_NONE = "<none>"
Object = Mapping[str, Any]


@dataclass
class Choice:
    """What is to be removed, in order, and what stays although nothing uses it, with the reason."""

    chosen: list[Thing] = field(default_factory=list)
    kept: list[Thing] = field(default_factory=list)

    def judge(self, thing: Thing, rules: Rules, spared: str = "") -> None:
        """Enter an object that nothing uses."""
        if reason := spared or rules.spared(thing):
            self.kept.append(replace(thing, reason=reason))
        else:
            self.chosen.append(thing)


@dataclass
class Chooser:
    """One look at the engine for each kind; `sizes` of volumes by name.

    What a container's first look gave at the cost of a call, or of a walk through its files, is kept for the second:
    its size, and its end unless `olderThan` decides by it.
    """

    work: Work
    rules: Rules
    sizes: Mapping[str, int]
    _ends: dict[str, float] = field(default_factory=dict)
    _bytes: dict[str, int] = field(default_factory=dict)
    _measured: set[str] = field(default_factory=set)

    def choose(self, kind: str, gone: set[str]) -> Choice:
        """Return what is to become of the objects of a kind; containers are measured by the first call of a kind."""
        choice = Choice()
        ways: dict[str, Callable[[Choice, list[Object]], None]] = {
            CONTAINERS: self._containers,
            LEFTOVERS: self._leftovers,
            IMAGES: self._images,
            NETWORKS: self._networks,
            VOLUMES: self._volumes,
        }
        measured = kind in (CONTAINERS, LEFTOVERS) and kind not in self._measured
        self._measured.add(kind)
        containers = self._listed("/containers/json", {"all": True, **({"size": True} if measured else {})})
        ways[kind](choice, [one for one in containers if one["Id"] not in gone])
        return choice

    def _listed(self, path: str, fields: Mapping[str, Any] | None = None) -> list[Object]:
        fields = fields or {}
        reply = self.work.engine.get(path, fields, query=tuple(fields), timeout="slow")
        return list(
            reply.read(lambda told: (told.get("Volumes") or []) if isinstance(told, dict) else told or [])
        )

    def _containers(self, choice: Choice, containers: list[Object]) -> None:
        for container in self._ended(containers):
            over = is_over(container.labels)
            choice.judge(container, self.rules, "" if over is None else "a job has made it: see jobLeftovers")

    def _leftovers(self, choice: Choice, containers: list[Object]) -> None:
        for container in self._ended(containers):
            if (over := is_over(container.labels)) is not None:
                left = replace(container, reason="the job that made it is over")
                choice.judge(left, self.rules, "" if over else "its job is not over")
        used = {str(one.get("ImageID")) for one in containers} - {""}
        for image in self._listed("/images/json"):
            if HELPER_IMAGE in (image.get("RepoTags") or ()) and image["Id"] not in used:
                choice.judge(_image(image, "no helper container is left"), self.rules)

    def _ended(self, containers: list[Object]) -> Iterator[Thing]:
        for one in containers:
            if one.get("State") not in _ENDED:
                continue
            with suppress(NotFound):  # removed since
                identity = str(one["Id"])
                names = tuple(str(name).removeprefix("/") for name in one.get("Names") or ())
                size = self._bytes.setdefault(identity, int(one.get("SizeRw") or 0))
                yield Thing(
                    CONTAINERS[:-1],
                    identity,
                    (names or (identity[:12],))[0],
                    f"it is {one['State']}",
                    self._end(identity),
                    size,
                    one.get("Labels"),
                    names,
                )

    def _end(self, identity: str) -> float:
        """Return when a container ended, or was made; it may have run again since, which matters to `olderThan`."""
        if identity not in self._ends or self.rules.before is not None:
            inspected = self.work.engine.get("/containers/{id}/json", {"id": identity})
            self._ends[identity] = inspected.read(
                lambda told: _seconds(told["State"].get("FinishedAt")) or _seconds(told["Created"])
            )
        return self._ends[identity]

    def _images(self, choice: Choice, containers: list[Object]) -> None:
        used = {str(one.get("ImageID")) for one in containers}
        # The engine's order changes from call to call, and images of one build have one second.
        images = sorted(
            self._listed("/images/json"), key=lambda one: (-int(one.get("Created") or 0), str(one["Id"]))
        )
        last = int(self.work.fields.get("keepLast") or 0)
        counts: defaultdict[str, int] = defaultdict(int)
        dangling_only = self.work.fields.get("images", "dangling") == "dangling"
        for one in images:
            thing = _image(one, "no container uses it")
            repositories = {tag.rpartition(":")[0] for tag in thing.names} or _digested(one)
            newest = any(counts[name] < last for name in repositories)
            for name in repositories:
                counts[name] += 1
            if one["Id"] in used or HELPER_IMAGE in thing.names or (thing.names and dangling_only):
                continue
            choice.judge(
                thing, self.rules, f"it is one of the last {last} of its repository" if newest else ""
            )

    def _networks(self, choice: Choice, containers: list[Object]) -> None:
        spares = self.work.fields.get("networksOfStopped", "spare") == "spare"
        holders = [one for one in containers if spares or one.get("State") not in _ENDED]
        for one in self._listed("/networks"):
            identity, name = str(one["Id"]), str(one["Name"])
            if name in _OWN_NETWORKS or one.get("Ingress") or one.get("Scope") == "swarm":
                continue
            if not any(is_in(holder, identity, name) for holder in holders):
                made = _seconds(one.get("Created"))
                thing = Thing("network", identity, name, "no container has it", made, 0, one.get("Labels"))
                choice.judge(thing, self.rules)

    def _volumes(self, choice: Choice, containers: list[Object]) -> None:
        used = {mount.get("Name") for one in containers for mount in one.get("Mounts") or ()}
        every = self.work.fields.get("volumes", "anonymous") == "all"
        for one in self._listed("/volumes"):
            name, labels = str(one["Name"]), one.get("Labels") or {}
            anonymous = _ANONYMOUS_LABEL in labels or _ANONYMOUS.fullmatch(name)
            if name in used or one.get("ClusterVolume") or not (every or anonymous):
                continue
            made, size = _seconds(one.get("CreatedAt")), max(self.sizes.get(name, 0), 0)
            choice.judge(
                Thing("volume", name, name, "no container mounts it", made, size, labels), self.rules
            )


def _image(one: Object, reason: str) -> Thing:
    tags = tuple(str(tag) for tag in one.get("RepoTags") or () if not str(tag).startswith(_NONE))
    identity, made, size = str(one["Id"]), float(one.get("Created") or 0), int(one.get("Size") or 0)
    return Thing("image", identity, (tags or (identity,))[0], reason, made, size, one.get("Labels"), tags)


def _digested(one: Object) -> set[str]:
    digests = (str(digest).partition("@")[0] for digest in one.get("RepoDigests") or ())
    return {name for name in digests if name != _NONE}


def _seconds(text: Any) -> float:
    """Return a time of the engine as Unix seconds, 0 for none: the year 1 stands for never."""
    if not text or str(text).startswith("0001-"):
        return 0.0
    try:
        return instant(str(text), "time") / 10**9
    except BadInput:
        return 0.0
