"""Where a build by BuildKit takes its cache from and brings it: `cachefrom` and `cacheTo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.text import parsed

REGISTRY = "registry"
_FORM = 'Write [{"type": "registry", "ref": "registry.example.org/shop/web:cache"}]'


@dataclass(frozen=True)
class CachePlace:
    """One place of a cache: its type and further attributes, all of them texts."""

    type: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def cache_places(value: Any, name: str) -> list[CachePlace]:
    """Read a list of objects {type, further attributes} or texts, or its JSON text. Raises BadInput.

    A text is the name of an image, or `type=registry,ref=...` as on the command line.
    """
    if value in (None, "", []):
        return []
    tree = parsed(value, name) if isinstance(value, str) and value.lstrip().startswith(("[", "{")) else value
    entries = tree if isinstance(tree, list) else [tree]
    return [_place(entry, name) for entry in entries]


def is_plain(places: list[CachePlace]) -> bool:
    """Whether all of them are images of registries alone, as POST /build takes them."""
    return all(place.type == REGISTRY and set(place.attributes) == {"ref"} for place in places)


def _place(entry: Any, name: str) -> CachePlace:
    if isinstance(entry, str) and entry and "=" not in entry:
        return CachePlace(REGISTRY, {"ref": entry})
    if isinstance(entry, str) and all("=" in part for part in entry.split(",")):
        entry = dict(part.split("=", 1) for part in entry.split(","))
    if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str) or not entry["type"]:
        raise BadInput(f"{name} has an entry without a type", field=name, hint=_FORM)
    attributes = {key: _text(item, name) for key, item in entry.items() if key != "type" and item is not None}
    if entry["type"] == REGISTRY and not attributes.get("ref"):
        raise BadInput(f"{name} has an entry of the type registry without ref", field=name, hint=_FORM)
    return CachePlace(entry["type"], attributes)


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise BadInput(f"{name} has a value that is no text", field=name, hint=_FORM)
