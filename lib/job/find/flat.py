"""What every found object has beside itself: flat fields that are the same on every API version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.times import SECOND, instant
from lib.job.find.kinds import Kind, Thing, id_of, image_of, labels_of, names_of, short

NO_CHECK = "none"


def flat(kind: Kind, thing: Thing, services: Mapping[str, str]) -> dict[str, Any]:
    """Return {type, id, shortId, name, labels, ...} of an inspected object, and the object itself.

    `image`, `imageId`, `state`, `health`, `ports` and `created` are there where such an object has them. Raises
    what Python raises for what is no such object.
    """
    names = names_of(kind, thing, services)
    identity = id_of(kind, thing)
    told: dict[str, Any] = {
        "type": kind.name,
        "id": identity,
        "shortId": short(identity),
        "name": names[0] if names else "",
        "image": image_of(kind, thing, names),
        "imageId": _image_id(kind, thing),
        "state": _state(kind, thing),
        "health": _health(thing) if kind.name == "container" else "",
        "ports": _ports(kind, thing),
        "labels": labels_of(kind, thing),
        "created": _time(thing.get("Created") or thing.get("CreatedAt")),
    }
    always = ("type", "id", "shortId", "name", "labels")
    kept = {key: value for key, value in told.items() if key in always or value not in ("", None)}
    return kept | {"object": dict(thing)}


def _image_id(kind: Kind, thing: Thing) -> str:
    return str(thing.get({"container": "Image", "image": "Id"}.get(kind.name, "")) or "")


def _state(kind: Kind, thing: Thing) -> str:
    if kind.name == "container":
        return str(thing["State"]["Status"])
    if kind.name == "task":
        return str((thing.get("Status") or {}).get("State") or "")
    if kind.name == "node":
        return str((thing.get("Status") or {}).get("State") or "")
    if kind.name == "plugin":
        return "enabled" if thing.get("Enabled") else "disabled"
    return ""


def _health(thing: Thing) -> str:
    return str((thing["State"].get("Health") or {}).get("Status") or NO_CHECK).lower()


def _ports(kind: Kind, thing: Thing) -> list[dict[str, Any]] | None:
    """Return the ports that are published now, in order; None where an object has none to publish."""
    if kind.name == "service":
        ports: Sequence[Thing] = (thing.get("Endpoint") or {}).get("Ports") or ()
        return [
            {
                "hostIp": "",
                "hostPort": int(port.get("PublishedPort") or 0),
                "port": int(port["TargetPort"]),
                "protocol": str(port["Protocol"]),
            }
            for port in ports
        ]
    if kind.name != "container":
        return None
    found = []
    for key, bindings in ((thing.get("NetworkSettings") or {}).get("Ports") or {}).items():
        number, _, protocol = key.partition("/")
        for binding in bindings or ():
            place = {"hostIp": str(binding.get("HostIp") or ""), "hostPort": int(binding["HostPort"] or 0)}
            found.append(place | {"port": int(number), "protocol": protocol or "tcp"})
    return sorted(found, key=lambda port: (port["port"], port["protocol"], port["hostIp"], port["hostPort"]))


def _time(written: Any) -> str:
    """Return a time in UTC to the second, "" where there is none; drivers of volumes write what they like."""
    try:
        seconds = instant(written, "created") // SECOND
    except BadInput:
        return ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
