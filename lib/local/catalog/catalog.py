"""Reads the triggers and actions of a component from component.json and the schemas that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lib.local.problems import UsageError
from lib.local.values import json_file

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Function:
    """One trigger or action of the manifest; `kind` is "trigger" or "action", `entry` its part of component.json."""

    key: str
    kind: str
    entry: Mapping[str, Any]
    folder: Path

    @property
    def title(self) -> str:
        return str(self.entry.get("title", self.key))

    @property
    def description(self) -> str:
        """What it does; the text of its help where that says the same and more, such as which job stands for it."""
        help_text = str(self.entry.get("help", {}).get("description") or "")
        said = str(self.entry.get("description") or "")
        return help_text if said in help_text else said

    @property
    def group(self) -> str:
        """The name of an action's file, which is its resource, for a job as in "jobs/run"; "triggers" for a trigger."""
        if self.kind == "trigger":
            return "triggers"
        place = PurePosixPath(self.entry["main"]).with_suffix("")
        return f"{place.parent.name}/{place.name}" if place.parent.name == "jobs" else place.name

    @property
    def commands(self) -> list[str]:
        """The commands of a command line that it stands for, such as "docker run" (`x-commands` of the manifest)."""
        listed = self.entry.get("x-commands")
        return [command for command in listed if isinstance(command, str)] if isinstance(listed, list) else []

    @property
    def settings(self) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = self.entry.get("fields", {})
        return fields

    def schema(self, direction: str) -> Schema:
        """Return the schema of a direction ("in" or "out"), inline or from its file; empty if there is none.

        Raises UsageError when the file cannot be read.
        """
        declared = self.entry.get("metadata", {}).get(direction, {})
        schema: Schema = json_file(self.folder / declared) if isinstance(declared, str) else declared
        return schema


@dataclass(frozen=True)
class Catalog:
    """All functions of a component by key, in the order of the manifest."""

    folder: Path
    functions: Mapping[str, Function]
    credential: frozenset[str] = frozenset()
    """The names of the credential's fields."""
    title: str = ""
    version: str = ""

    @classmethod
    def read(cls, folder: Path) -> Catalog:
        """Read component.json in a folder; raises UsageError when it is missing or no JSON."""
        manifest = json_file(folder / "component.json")
        functions = {
            key: Function(key, kind, entry, folder)
            for kind in ("trigger", "action")
            for key, entry in manifest.get(f"{kind}s", {}).items()
        }
        fields = frozenset(manifest.get("credentials", {}).get("fields", {}))
        return cls(
            folder, functions, fields, str(manifest.get("title", "")), str(manifest.get("version", ""))
        )

    def keys(self, kind: str) -> frozenset[str]:
        return frozenset(function.key for function in self.functions.values() if function.kind == kind)

    def find(self, key: str, kind: str | None = None) -> Function:
        """Return the function of a key, which must be of `kind`; UsageError names similar keys or the right command."""
        function = self.functions.get(key)
        if function is None:
            from difflib import get_close_matches  # late: list and describe start without it

            near = get_close_matches(key, self.functions, n=3, cutoff=0.5)
            hint = f"Did you mean {', '.join(near)}?" if near else "The command list shows all of them"
            raise UsageError(f"The component has no trigger or action {key}", hint=hint)
        if kind and function.kind != kind:
            raise UsageError(
                f"{key} is not an {kind}" if kind == "action" else f"{key} is not a {kind}",
                hint=f"Run it with: {function.kind} {key}",
            )
        return function


@dataclass(frozen=True)
class Property:
    """One property of a schema; the name of a nested one has dots, `versions` is as in `versions_of`."""

    name: str
    type: str
    title: str
    description: str
    required: bool
    versions: str


def properties(schema: Schema, depth: int = 2) -> Iterator[Property]:
    """Yield the properties of a schema in order, and those of nested objects, down to `depth` levels."""
    yield from _properties(schema, schema, "", depth)


def _properties(schema: Schema, root: Schema, prefix: str, depth: int) -> Iterator[Property]:
    for key, raw in schema.get("properties", {}).items():
        inner = resolved(raw, root)
        name = f"{prefix}{key}"
        yield Property(
            name,
            _type_name(inner, root),
            str(raw.get("title") or inner.get("title") or key),
            str(raw.get("description") or inner.get("description") or ""),
            raw.get("required") is True,
            versions_of(raw),
        )
        if depth > 1:
            item = inner.get("items") if inner.get("type") == "array" else inner
            suffix = "[]." if inner.get("type") == "array" else "."
            yield from _properties(resolved(item or {}, root), root, f"{name}{suffix}", depth - 1)


def resolved(schema: Schema, root: Schema) -> Schema:
    """Return the schema that an internal reference (`#/definitions/X`) names, or the schema itself."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    target: Any = root
    for part in reference.removeprefix("#/").split("/"):
        target = target.get(part, {})
    found: Schema = target
    return found


def versions_of(schema: Schema) -> str:
    """Return the API versions that have a property or operation: "1.41+", "1.25-1.43", or "" for all."""
    since, until = schema.get("x-since"), schema.get("x-until")
    if until:
        return f"{since or ''}-{until}"
    return f"{since}+" if since else ""


def _type_name(schema: Schema, root: Schema) -> str:
    kind = schema.get("type", "any")
    if kind == "array":
        return f"array of {_type_name(resolved(schema.get('items', {}), root), root)}"
    return str(kind)
