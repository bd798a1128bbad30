"""Which API versions know a field: what the engine would overlook without a word is refused, on every level.

A limit or a protection that is overlooked makes a call do more than was asked for: without its Subpath a whole volume
is mounted. The versions are the marks `x-since` and `x-until` of an in-schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine import Engine, Version
from lib.engine.errors import VersionMismatch
from lib.engine.text import parsed

_BASELINE = Version(1, 25)
_BODY = "requestBody"
_FILTERS = "filters"
_MOST_TOLD = 20
"""Fields that one error names."""
_OF_NO_USE = ("CheckDuplicate", "email")
"""Ended without a loss: names of networks are always checked, and no registry wants an address. They are left out."""


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

    def is_newer(self, version: Version) -> bool:
        """Whether a version is too old for the field."""
        return bool(self.since and version < self.since)

    def outside(self, version: Version) -> str | None:
        """Return why a version does not know the field, None if it does."""
        if self.is_newer(version):
            return f"it needs API {self.since}"
        if self.until and version > self.until:
            return f"it ended with API {self.until}"
        return None


class FieldVersions:
    """The ages of one operation and of its inputs."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._key = str(schema.get("x-operation"))
        self._since = _version(schema.get("x-since"))
        self._inputs = _within(schema, schema.get("definitions", {}))
        self._changes = schema.get("x-method", "GET") not in ("GET", "HEAD")

    def checked(
        self, engine: Engine, fields: dict[str, Any], warn: Callable[[str], None], *, unknown: bool = False
    ) -> dict[str, Any]:
        """Return the fields that the engine's version knows.

        Raises VersionMismatch for an operation, an input, a filter or a field of a body that is too new, and for one
        that has ended where the operation changes something. With `unknown` fields of a body go to the engine with a
        warning.
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
                body = Body(engine.version)
                fields[name] = body.known(fields[name], age, name)
                for path, why in body.useless:
                    warn(f"{path} of {self._key} is left out: {why}, and {engine.version} is spoken")
                self._settle(body, warn, unknown=unknown)
        return fields

    def _settle(self, body: Body, warn: Callable[[str], None], *, unknown: bool) -> None:
        if unknown:
            for path, why in body.overlooked:
                warn(f"{path} of {self._key} may be overlooked: {why}, and {body.version} is spoken")
        elif body.overlooked:
            more = len(body.overlooked) - _MOST_TOLD
            told = "; ".join(f"{path}: {why}" for path, why in body.overlooked[:_MOST_TOLD])
            raise VersionMismatch(
                f"{self._key} cannot be called so, API {body.version} is spoken. {told}"
                + (f"; and {more} more" if more > 0 else ""),
                field=body.overlooked[0][0],
                hint="The engine would overlook it without a word. Leave it out, use another engine, "
                'or set unknownFields to "pass"',
            )


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


class Body:
    """A request body, looked at for the fields that a version does not know: a path and a reason for each."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.overlooked: list[tuple[str, str]] = []
        self.useless: list[tuple[str, str]] = []

    def known(self, value: Any, age: Age, path: str) -> Any:
        """Return a value without what says nothing to the version, or is of no use; what it overlooks stays in."""
        if isinstance(value, list):
            return [self.known(item, age, f"{path}[{index}]") for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        kept = {}
        for name, item in value.items():
            below = Age(within=age.within) if age.each else age.within.get(name)
            where = f"{path}.{name}"
            if below and (reason := below.outside(self.version)):
                if _says_nothing(item, below, self.version):
                    continue
                if name in _OF_NO_USE:
                    self.useless.append((where, reason))
                    continue
                self.overlooked.append((where, reason))
                kept[name] = item
            else:
                kept[name] = self.known(item, below, where) if below and below.within else item
        return kept


def _says_nothing(item: Any, age: Age, version: Version) -> bool:
    """Whether a value means the same as none; engines write null for what is not set.

    Where a field has ended, so do 0, false and what is empty; where it is too new they may say a lot: an empty
    list of masked paths masks none.
    """
    return item is None or item == "" or (not item and bool(age.until) and not age.is_newer(version))


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
