"""Refuses fields, on every level of a message, that the engine's API version does not know.

The engine ignores such fields without an error, and then a call can do more than the user asked for: without Subpath, a
whole volume is mounted. The versions are the marks `x-since` and `x-until` of the in-schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.action.input.field_names import listed
from lib.engine import Engine, Version
from lib.engine.errors import VersionMismatch
from lib.engine.text import parsed

_BASELINE = Version(1, 25)
_BODY = "requestBody"
_FILTERS = "filters"
_OF_NO_USE = ("CheckDuplicate", "email")
"""Ended fields that can be left out: engines always check names of networks now, and no registry reads the email."""


@dataclass(frozen=True)
class Age:
    """First and last API version of one field (None: no bound), and the ages of the fields in it."""

    since: Version | None = None
    until: Version | None = None
    within: Mapping[str, Age] = field(default_factory=dict)
    each: bool = False
    """Whether `within` is about each value of a map, instead of the object itself."""

    @property
    def matters(self) -> bool:
        return bool(self.since or self.until or self.within)

    def is_newer(self, version: Version) -> bool:
        """Return whether the field is newer than a version."""
        return bool(self.since and version < self.since)

    def outside(self, version: Version) -> str | None:
        """Return why a version does not know the field, None if it does."""
        if self.is_newer(version):
            return f"it needs API {self.since}"
        if self.until and version > self.until:
            return f"it ended with API {self.until}"
        return None


class FieldVersions:
    """The API versions of one operation and of its inputs, read from its in-schema."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._key = str(schema.get("x-operation"))
        self._since = _version(schema.get("x-since"))
        self._inputs = _within(schema, schema.get("definitions", {}))
        self._changes = schema.get("x-method", "GET") not in ("GET", "HEAD")

    def checked(
        self, engine: Engine, fields: dict[str, Any], warn: Callable[[str], None], *, unknown: bool = False
    ) -> dict[str, Any]:
        """Return the fields without those that the engine's version does not need.

        Raises VersionMismatch for an operation, an input, a filter or a field of a body that is too new. A field that
        has ended is refused too if the operation changes something; otherwise it is left out with a warning. With
        `unknown`, fields of a body are sent with a warning instead of refused. `warn` gets the texts.
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
            told = listed([f"{path}: {why}" for path, why in body.overlooked])
            raise VersionMismatch(
                f"{self._key} cannot be called so, API {body.version} is spoken. {told}",
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
    """Finds the fields of a request body that a version does not know, each as (path, reason).

    `overlooked`: the engine would ignore them, and that matters. `useless`: they do not matter and are left out.
    """

    def __init__(self, version: Version) -> None:
        self.version = version
        self.overlooked: list[tuple[str, str]] = []
        self.useless: list[tuple[str, str]] = []

    def known(self, value: Any, age: Age, path: str) -> Any:
        """Return a value without unknown fields that are empty or useless; overlooked fields stay in it."""
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
    """Return whether a value means the same as no value.

    null and "" do, since engines write null for what is not set. In a field that has ended, also 0, false and empty
    lists and objects. In a field that is too new these can matter: an empty list of masked paths masks no path.
    """
    return item is None or item == "" or (not item and bool(age.until) and not age.is_newer(version))


def _within(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Age]:
    """Return name -> age for the properties of an object that have a version, or a field with one."""
    found = {name: _age(item, definitions) for name, item in node.get("properties", {}).items()}
    return {name: age for name, age in found.items() if age.matters}


def _age(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Age:
    since, until = _version(node.get("x-since")), node.get("x-until")
    target = next(_targets(node, definitions), None)
    within = _within(target, definitions) if target else {}
    each = bool(target) and node.get("additionalProperties") is not None
    return Age(since, Version.parse(until) if until else None, within, each)


def _targets(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the object schema of a property, of its items or of its values."""
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
