"""Lists of a service's spec: read from an input in short forms, and compared whatever the order of their entries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from lib.engine import Fields
from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.text import parsed
from lib.job.repeat import spec_of

Tree = dict[str, Any]
_PORT = re.compile(r"(?:([0-9]{1,5}):)?([0-9]{1,5})(?:/(tcp|udp|sctp))?")
_HIGHEST = 65535
PORT_DEFAULTS = {"Protocol": "tcp", "PublishMode": "ingress"}


def listed(fields: Fields, name: str) -> list[Any] | None:
    """Return a field that is a list, None where it is left out."""
    value = parsed(fields[name], name) if fields.get(name) is not None else None
    if value is not None and not isinstance(value, list):
        raise BadInput(f"{name} must be a list", field=name)
    return value


def texts(fields: Fields, name: str) -> list[str] | None:
    """Return a field that is a list of texts, None where it is left out."""
    value = listed(fields, name)
    return None if value is None else [scalar(one, f"{name}[{at}]") for at, one in enumerate(value)]


def entries(fields: Fields, name: str, read: Callable[[str, str], Tree]) -> list[Tree] | None:
    """Return a field whose entries are objects, or texts that `read` makes objects of; None where it is left out."""
    value = listed(fields, name)
    if value is None:
        return None
    return [
        dict(one) if isinstance(one, Mapping) else read(scalar(one, place), place)
        for at, one in enumerate(value)
        if (place := f"{name}[{at}]")
    ]


def port(text: str, field: str) -> Tree:
    """Return "8080:80/udp" as an entry of EndpointSpec.Ports; without the first number the swarm chooses one."""
    found = _PORT.fullmatch(text.strip())
    if not found or not all(0 < int(one) <= _HIGHEST for one in found.groups()[:2] if one):
        raise BadInput(
            f"{field} is no port: {text[:50]}", field=field, hint="Write it as in 8080:80, or 53:53/udp"
        )
    published = {"PublishedPort": int(found[1])} if found[1] else {}
    return {**PORT_DEFAULTS, "Protocol": found[3] or "tcp", "TargetPort": int(found[2]), **published}


def mount(text: str, field: str) -> Tree:
    """Return "data:/data:ro" as an entry of Mounts: a source that begins with / is a folder, else a volume."""
    source, target, mode, *more = [*text.split(":"), "", ""] if ":" in text else ["", text, "", ""]
    if not target.startswith("/") or mode not in ("", "ro", "rw") or any(more):
        hint = "Write it as in data:/data or /srv:/srv:ro, or give a Mount of the API"
        raise BadInput(f"{field} is no mount: {text[:50]}", field=field, hint=hint)
    found: Tree = {"Type": "bind" if source.startswith("/") else "volume", "Target": target}
    return found | ({"Source": source} if source else {}) | ({"ReadOnly": True} if mode == "ro" else {})


def kept(present: Any, wanted: list[Any], defaults: Mapping[str, Any] | None = None) -> list[Any]:
    """Return what is there where it says the same as what is wanted, whatever the order, else what is wanted."""
    there = present or []
    if not isinstance(there, list):
        raise TypeError("no list")
    same = sorted(_form(one, defaults) for one in there) == sorted(_form(one, defaults) for one in wanted)
    return there if same else wanted


def with_defaults(ports: list[Tree]) -> list[Tree]:
    """Return ports as engines tell them."""
    return [{**PORT_DEFAULTS, **one} for one in ports]


def _form(value: Any, defaults: Mapping[str, Any] | None) -> str:
    """A text that is the same for entries that mean the same."""
    filled = _filled({**(defaults or {}), **value} if isinstance(value, Mapping) else value)
    return spec_of(filled)


def _filled(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    found = {key: _filled(item) for key, item in value.items()}
    return {key: item for key, item in found.items() if item not in (None, {}, [], "", 0, False)}
