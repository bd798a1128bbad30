"""Which containers use a volume, a network or an image, running or not.

The engine's filters find more than that, so all is compared here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lib.engine import Engine
from lib.engine.errors import NoSuchOperation, NotFound
from lib.engine.expected import expected_form
from lib.engine.request.query import filters
from lib.trigger.images.reference import split

User = dict[str, str]
"""A container as {id, name, state}."""
_NAMED = 5  # containers that an error names


def users_of_volume(engine: Engine, name: str) -> list[User]:
    """Return the containers that mount a volume."""

    def uses(container: Mapping[str, Any]) -> bool:
        mounts = container.get("Mounts") or ()
        return any(mount.get("Type") == "volume" and mount.get("Name") == name for mount in mounts)

    return _users(engine, {"volume": [name]}, uses)


def users_of_network(engine: Engine, identity: str, name: str) -> list[User]:
    """Return the containers that are connected to a network, or will be once they start."""

    def uses(container: Mapping[str, Any]) -> bool:
        return is_in(container, identity, name)

    return _users(engine, {"network": list(dict.fromkeys((identity, name)))}, uses)


def users_of_image(engine: Engine, identity: str) -> list[User]:
    """Return the containers that were made from the image with an id."""
    return _users(engine, {"ancestor": [identity]}, lambda container: container.get("ImageID") == identity)


def outdated(engine: Engine, reference: str, identity: str) -> list[User]:
    """Return the containers that were made from a reference when it meant another image than that with the id.

    A list shows the reference only while it means the container's image, so all others are inspected.
    """
    name = tagged(reference)

    def old(container: Mapping[str, Any]) -> bool:
        shows = str(container.get("Image") or "")
        if container.get("ImageID") == identity or not (tagged(shows) == name or shows.startswith("sha256:")):
            return False
        try:
            inspected = engine.get("/containers/{id}/json", {"id": container["Id"]})
        except NoSuchOperation:
            raise
        except NotFound:
            return False
        return inspected.read(lambda told: tagged(str(told["Config"]["Image"])) == name)

    return _users(engine, {}, old)


@expected_form()
def is_in(container: Mapping[str, Any], identity: str, name: str) -> bool:
    """Whether an answer of ContainerInspect or ContainerList has a network; before its start by name alone."""
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    return any(
        (end.get("NetworkID") or "") == identity or (key in (name, identity) and not end.get("NetworkID"))
        for key, end in ((key, end or {}) for key, end in networks.items())
    )


def named(users: Iterable[Mapping[str, str]]) -> str:
    """Return the names of containers for a sentence: the first ones, and how many more there are."""
    names = [user["name"] for user in users]
    more = len(names) - _NAMED
    return f"{', '.join(names[:_NAMED])} and {more} more" if more > 0 else ", ".join(names)


def tagged(reference: str) -> str:
    """Return a reference with the tag that it means."""
    return reference if "@" in reference or split(reference)[1] else f"{reference}:latest"


def _users(
    engine: Engine, wanted: Mapping[str, Any], uses: Callable[[Mapping[str, Any]], bool]
) -> list[User]:
    fields = {"all": True, "filters": dict(wanted) or None}
    reply = engine.get("/containers/json", fields, query=("all", filters()))
    return reply.read(lambda listed: [_user(one) for one in listed if uses(one)])


def _user(container: Mapping[str, Any]) -> User:
    names = [str(name).removeprefix("/") for name in container.get("Names") or ()]
    own = [name for name in names if "/" not in name]  # the others are names by which links call it
    identity = str(container["Id"])
    return {"id": identity, "name": (own or [identity[:12]])[0], "state": str(container.get("State") or "")}
