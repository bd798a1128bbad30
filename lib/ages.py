"""Which API versions know a field: too new is refused, what the engine would overlook is left out and told.

The versions are the marks `x-since` and `x-until` of an in-schema, those of a request body on every level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine import Engine, Version
from lib.engine.errors import VersionMismatch
from lib.engine.request.text import parsed

_BASELINE = Version(1, 25)
_BODY = "requestBody"
_FILTERS = "filters"


@dataclass(frozen=True)
class Age:
    """First and last version of one field (None: the oldest, the newest), and the ages of the fields in it."""

    since: Version | None = None
    until: Version | None = None
    within: Mapping[str, Age] = field(default_factory=dict)
    each: bool = False
    """Whether `within` holds for each value of a list or map instead of for the keys of an object."""

    @property
    def matters(self) -> bool:
        return bool(self.since or self.until or self.within)

    def outside(self, version: Version) -> str | None:
        """Return why a version does not know the field, None if it does."""
        if self.since and version < self.since:
            return f"it needs API {self.since}"
        if self.until and version > self.until:
            return f"it ended with API {self.until}"
        return None


class Ages:
    """The ages of one operation and of its inputs."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._key = str(schema.get("x-operation"))
        self._since = _version(schema.get("x-since"))
        self._inputs = _within(schema, schema.get("definitions", {}))
        self._changes = schema.get("x-method", "GET") not in ("GET", "HEAD")

    def checked(self, engine: Engine, fields: dict[str, Any], warn: Callable[[str], None]) -> dict[str, Any]:
        """Return the fields that the engine's version knows.

        Raises VersionMismatch for an operation, an input or a filter that is too new, since without it the call
        would mean something else, and for one that has ended where the operation changes something. What the
        engine would silently overlook in a body is left out with a warning.
        """
        if self._since:
            engine.require(self._since, self._key)
        for name in self._inputs.keys() & fields.keys():
            age = self._inputs[name]
            if age.since:
                engine.require(age.since, f"{name} of {self._key}", field=name)
            reason = age.outside(engine.version)
            if name == _FILTERS:
                _require_filters(engine, fields[name], age, self._key)
            elif reason and self._changes:
                raise VersionMismatch(
                    f"{name} of {self._key} cannot be used: {reason}, and {engine.version} is spoken",
                    field=name,
                    hint="Without it the call would change more; look up what took its place",
                )
            elif reason:
                warn(f"{name} of {self._key} is left out: {reason}")
                del fields[name]
            elif age.within:
                fields[name], left_out = _known(fields[name], age, engine.version, name)
                for path, why in left_out:
                    warn(f"{path} of {self._key} is left out: {why}, and {engine.version} is spoken")
        return fields


def _require_filters(engine: Engine, value: Any, age: Age, key: str) -> None:
    """Raise VersionMismatch for a filter that is too new: without it the call would select more."""
    tree = parsed(value, _FILTERS)
    for name in tree if isinstance(tree, dict) else ():
        since = age.within[name].since if name in age.within else None
        if since and engine.version < since:
            raise VersionMismatch(
                f"{_FILTERS}.{name} of {key} needs API {since}, and {engine.version} is spoken",
                field=f"{_FILTERS}.{name}",
                hint="Use a newer engine; without this filter the call would select more",
            )


def _known(value: Any, age: Age, version: Version, path: str) -> tuple[Any, list[tuple[str, str]]]:
    """Return a value without the fields that a version does not know, and (path, reason) of each."""
    left_out: list[tuple[str, str]] = []
    if isinstance(value, list):
        pairs = [_known(item, age, version, f"{path}[{index}]") for index, item in enumerate(value)]
        return [item for item, _ in pairs], [one for _, found in pairs for one in found]
    if not isinstance(value, dict):
        return value, left_out
    kept = {}
    for name, item in value.items():
        below = Age(within=age.within) if age.each else age.within.get(name)
        where = f"{path}.{name}"
        reason = below.outside(version) if below else None
        if reason:
            if item is not None:  # null says nothing: engines write it for what is not set
                left_out.append((where, reason))
            continue
        if below and below.within:
            item, found = _known(item, below, version, where)  # noqa: PLW2901
            left_out += found
        kept[name] = item
    return kept, left_out


def _within(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Age]:
    """Return the ages that matter of an object's properties."""
    found = {name: _age(item, definitions) for name, item in node.get("properties", {}).items()}
    return {name: age for name, age in found.items() if age.matters}


def _age(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Age:
    since, until = _version(node.get("x-since")), node.get("x-until")
    target = next(_targets(node, definitions), None)
    within = _within(target, definitions) if target else {}
    each = bool(target) and node.get("additionalProperties") is not None
    return Age(since, Version.parse(until) if until else None, within, each)


def _targets(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the object that a property is, or that its items or values are."""
    reference = node.get("$ref")
    if reference:
        yield from _targets(definitions[reference.rpartition("/")[2]], definitions)
    elif "properties" in node:
        yield node
    for key in ("items", "additionalProperties"):
        below = node.get(key)
        if isinstance(below, Mapping):
            yield from _targets(below, definitions)


def _version(text: str | None) -> Version | None:
    version = Version.parse(text) if text else None
    return version if version and version > _BASELINE else None
