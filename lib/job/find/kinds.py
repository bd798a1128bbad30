"""The types of objects: where the engine lists, shows and deletes them, and what a list tells of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib.config.form import Form, choice, text, wrong
from lib.job.targets import own_name

Thing = Mapping[str, Any]
NO_TAG = "<none>:<none>"
HASH = "sha256:"
_SHORT = 12


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of objects.

    `one` and `delete` are paths with the field `value`. `by_name` and `by_id` say whether `one` takes a name that only
    one object can have, and an id. `whole` says that the list has all that `one` answers. `labels` says that the list
    takes the filter `label`, `image` that there is an image to look up by, `query` are the parameters of a deletion.
    """

    name: str
    list: str
    one: str
    delete: str = ""
    query: tuple[str, ...] = ()
    by_name: bool = True
    by_id: bool = True
    whole: bool = True
    labels: bool = True
    image: bool = False

    @property
    def plural(self) -> str:
        return f"{self.name}s"


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "container",
            "/containers/json",
            "/containers/{value}/json",
            "/containers/{value}",
            ("force", "v"),
            whole=False,
            image=True,
        ),
        Kind(
            "image",
            "/images/json",
            "/images/{+value}/json",
            "/images/{+value}",
            ("force",),
            whole=False,
            image=True,
        ),
        # Two networks may have one name, and engines say so in more than one way.
        Kind("network", "/networks", "/networks/{value}", "/networks/{value}", by_name=False, whole=False),
        Kind("volume", "/volumes", "/volumes/{value}", "/volumes/{value}", ("force",)),
        Kind("service", "/services", "/services/{value}", "/services/{value}", image=True),
        Kind("task", "/tasks", "/tasks/{value}", by_name=False, labels=False, image=True),
        Kind("node", "/nodes", "/nodes/{value}", "/nodes/{value}", ("force",), by_name=False, labels=False),
        Kind("secret", "/secrets", "/secrets/{value}", "/secrets/{value}"),
        Kind("config", "/configs", "/configs/{value}", "/configs/{value}"),
        Kind(
            "plugin",
            "/plugins",
            "/plugins/{+value}/json",
            "/plugins/{+value}",
            ("force",),
            by_id=False,
            labels=False,
        ),
    )
}


def kind_of(form: Form) -> Kind:
    """Read the setting objectType; raises BadInput where none is chosen."""
    if not text(form, "objectType"):
        raise wrong(form, "objectType", f"is needed. Choose one of: {', '.join(KINDS)}")
    return KINDS[choice(form, "objectType", tuple(KINDS))]


def entries(kind: Kind, answer: Any) -> list[Thing]:
    """Return the entries of a list's answer."""
    found = answer.get("Volumes") if kind.name == "volume" else answer
    return list(found or ())


def id_of(kind: Kind, thing: Thing) -> str:
    """Return what tells an object from all others of its type; TypeError, LookupError for what is none."""
    return str(thing["Name"] if kind.name == "volume" else thing.get("Id") or thing["ID"])


def short(identity: str) -> str:
    """Return an id as people see it. Names of volumes stay as they are."""
    bare = identity.removeprefix(HASH)
    return bare[:_SHORT] if bare.isalnum() else identity


def names_of(kind: Kind, thing: Thing, services: Mapping[str, str]) -> Sequence[str]:
    """Return all names of an object, the usual one first; of an image its tags and digests.

    `services` are names of services by their ids; a task is called SERVICE.SLOT.ID, as its container is.
    """
    if kind.name == "image":
        tags = [str(tag) for tag in thing.get("RepoTags") or () if tag != NO_TAG]
        return [*tags, *(str(one) for one in thing.get("RepoDigests") or ())]
    if kind.name == "task":
        service = str(thing.get("ServiceID") or "")
        slot = thing.get("Slot") or thing.get("NodeID") or ""
        return [f"{services.get(service, service)}.{slot}.{thing['ID']}"]
    if kind.name == "node":
        return [str((thing.get("Description") or {}).get("Hostname") or "")]
    if kind.name == "container" and "Names" in thing:
        return [own_name(thing)]
    name = thing.get("Name") or (thing.get("Spec") or {}).get("Name") or ""
    return [str(name).removeprefix("/") if kind.name == "container" else str(name)]


def labels_of(kind: Kind, thing: Thing) -> dict[str, str]:
    """Return the labels of an object, listed or inspected; of a task those of its containers."""
    spec = thing.get("Spec") or {}
    owner: Thing = spec or thing
    if kind.name == "task":
        owner = spec.get("ContainerSpec") or {}
    if kind.name in ("container", "image") and "Config" in thing:
        owner = thing["Config"] or {}
    return {str(key): str(value) for key, value in (owner.get("Labels") or {}).items()}


def image_of(kind: Kind, thing: Thing, names: Sequence[str]) -> str:
    """Return the image that an object was made from, of an image its name; "" where there is none."""
    if kind.name == "image":
        return names[0] if names else ""
    if kind.name == "container":
        return str((thing.get("Config") or thing).get("Image") or "")
    spec = thing.get("Spec") or {}
    template = spec.get("TaskTemplate") or {} if kind.name == "service" else spec
    return str((template.get("ContainerSpec") or {}).get("Image") or "")
