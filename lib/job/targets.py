"""Which containers a job works on: the field `target` names one, the field `targets` selects any number.

A selection has names (`*` allowed, or the beginning of an id), labels, images, status, health and service. All that is
given has to agree; within names, images, status, health and service one is enough, of labels all. An image is the
reference that the container was made from, with or without its tag, also where the tag has moved on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lib.config.form import Form, words
from lib.config.selection import Selection, names_match
from lib.engine import Engine, Fields
from lib.engine.errors import BadInput, NotFound
from lib.engine.text import parsed, shown

SERVICE, NODE = "com.docker.swarm.service.name", "com.docker.swarm.node.id"
RUNNING, NO_CHECK = "running", "none"
PARTS = ("names", "labels", "images", "status", "health", "service")
_SHORT = 12
_NOTE = re.compile(r"\((?:health: )?(starting|healthy|unhealthy)\)")


@dataclass(frozen=True, slots=True)
class Target:
    """A container as ContainerList tells of it, the same on every API version.

    `image` is the reference that it was made from; where its tag has moved on, a list has the id of the image instead.
    `health` is starting, healthy, unhealthy or none; below API 1.52 a list has "" for a container that does not run.
    """

    id: str
    name: str
    image: str
    image_id: str
    labels: Mapping[str, str]
    status: str
    health: str

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Target:
        """Read an entry of ContainerList."""
        health = (entry.get("Health") or {}).get("Status")
        return cls(
            id=str(entry["Id"]),
            name=own_name(entry),
            image=str(entry.get("Image") or ""),
            image_id=str(entry.get("ImageID") or ""),
            labels=dict(entry.get("Labels") or {}),
            status=str(entry.get("State") or ""),
            health=str(health).lower() if health else _noted(entry),
        )

    @classmethod
    def inspected(cls, container: Mapping[str, Any]) -> Target:
        """Read an answer of ContainerInspect."""
        state = container["State"]
        return cls(
            id=str(container["Id"]),
            name=str(container["Name"]).removeprefix("/"),
            image=str(container["Config"].get("Image") or ""),
            image_id=str(container.get("Image") or ""),
            labels=container["Config"].get("Labels") or {},
            status=str(state["Status"]),
            health=str((state.get("Health") or {}).get("Status") or NO_CHECK).lower(),
        )

    @property
    def moved(self) -> bool:
        """Whether the list no longer tells the reference that the container was made from."""
        return self.image.startswith("sha256:")

    @property
    def output(self) -> dict[str, str]:
        """Return what a message says of it: {id, name}, and the id of the node of a swarm."""
        node = self.labels.get(NODE)
        return {"id": self.id, "name": self.name} | ({"node": node} if node else {})


def own_name(entry: Mapping[str, Any]) -> str:
    """Return a container's name out of an entry of ContainerList, its short id where it has none.

    The list also has the names that links give it (/web/db), in any order.
    """
    names = [str(name).removeprefix("/") for name in entry.get("Names") or ()]
    own = [name for name in names if "/" not in name]
    return (own or names or [str(entry["Id"])[:_SHORT]])[0]


def targets_of(engine: Engine, fields: Fields) -> list[Target]:
    """Return the containers that the fields `target` or `targets` mean, in order of their names.

    Raises BadInput where both are given or none is, or an empty selection; NotFound where `target` is not there. A
    selection that fits none is an empty list.
    """
    target, selection = fields.get("target"), selection_of(fields)
    if (target is None) == (selection is None):
        raise BadInput("Give target or targets, one of both", field="target")
    if target is not None:
        return [target_of(engine, str(target))]
    if selection is None or not any(words_of(selection, part) for part in PARTS):
        hint = 'All containers are {"names": ["*"]}'
        raise BadInput(
            "targets selects by nothing, which would be all containers", field="targets", hint=hint
        )
    return selected(engine, selection)


def selection_of(fields: Fields) -> Form | None:
    """Return the field `targets`, which may come as JSON text; None where it is not given.

    Raises BadInput for what is none, also for a part that is not known: without it more would be selected.
    """
    selection = parsed(fields.get("targets"), "targets")
    if selection is not None and not isinstance(selection, Mapping):
        raise BadInput(f"targets must be an object, not {shown(selection)}", field="targets")
    for part in selection or ():
        if part not in PARTS:
            raise BadInput(
                f"targets has {shown(part)}, which selects nothing",
                field="targets",
                hint=f"It has {', '.join(PARTS)}",
            )
    return selection


def target_of(engine: Engine, name: str) -> Target:
    """Return one container by its name, its id or the beginning of it; NotFound where it is not there."""
    return engine.get("/containers/{id}/json", {"id": name}).read(Target.inspected)


def listed(engine: Engine) -> list[Target]:
    """Return all containers in order of their names."""
    reply = engine.get("/containers/json", {"all": True}, query=("all",))
    return reply.read(lambda entries: sorted(map(Target.of, entries), key=lambda one: (one.name, one.id)))


def selected(engine: Engine, selection: Form, among: Iterable[Target] | None = None) -> list[Target]:
    """Return the containers that a selection takes, of those that are given or of all; an empty one takes all."""
    names, labels = words_of(selection, "names"), words_of(selection, "labels")
    by_image = Selection(images=words_of(selection, "images"))
    others = Selection(names, labels)
    status, health = words_of(selection, "status"), words_of(selection, "health")
    found = []
    for one in listed(engine) if among is None else among:
        if not others.takes((one.name,), (one.id,), one.labels) or (status and one.status not in status):
            continue
        if not _of_service(selection, one):
            continue
        known: Target | None = one
        if (by_image.images and one.moved) or (health and not one.health):
            known = _asked(engine, one)
        if known is None or (health and known.health not in health):
            continue
        if by_image.takes((), (), {}, known.image, known.image_id):
            found.append(known)
    return found


def words_of(form: Form, name: str) -> tuple[str, ...]:
    """Return the entries of a list, of a text with commas, or of an object of labels (as key=value)."""
    value = form.get(name)
    if isinstance(value, Mapping):
        return tuple(key if one is True else f"{key}={one}" for key, one in value.items())
    return words(form, name)


def _of_service(selection: Form, one: Target) -> bool:
    services = words_of(selection, "service")
    return not services or names_match(services, [one.labels.get(SERVICE, "")])


def _asked(engine: Engine, one: Target) -> Target | None:
    """Return a container as it is inspected; None where it has gone meanwhile."""
    try:
        return target_of(engine, one.id)
    except NotFound:
        return None


def _noted(entry: Mapping[str, Any]) -> str:
    """Return the health that the Status text shows: "Up 3 minutes (healthy)"."""
    note = _NOTE.search(str(entry.get("Status") or "")[-40:])
    if note:
        return note[1]
    return NO_CHECK if entry.get("State") == RUNNING else ""
