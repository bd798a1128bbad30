"""What the component offers, read from the generated files: for `list` and `describe` of the local runner."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.metadata.pages import type_name

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Field:
    """One input or output, one config field of a step."""

    name: str
    type: str
    title: str
    description: str
    required: bool
    since: str | None
    until: str | None
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One action or trigger as a list shows it."""

    key: str
    kind: str  # "action" or "trigger"
    title: str
    description: str
    group: str  # name of the file that serves it: containers, images, ...


@dataclass(frozen=True)
class Description(Entry):
    """One action or trigger in full."""

    call: str  # method and path of the Engine; "" for a trigger
    since: str | None
    until: str | None
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    settings: tuple[Field, ...]
    example: dict[str, Any]


class Catalog:
    """All actions and triggers of the component in a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._component: dict[str, Any] = json.loads((root / "component.json").read_text("utf-8"))

    @property
    def credentials(self) -> tuple[Field, ...]:
        """The fields of the credential."""
        return _settings(self._component["credentials"])

    def entries(self) -> list[Entry]:
        """Return triggers, then actions, as ordered in the manifest."""
        return [self._entry(key, kind) for kind in ("trigger", "action") for key in self._functions(kind)]

    def describe(self, key: str) -> Description:
        """Return everything about one action or trigger; a key that is in neither is a KeyError."""
        kind = next((kind for kind in ("action", "trigger") if key in self._functions(kind)), None)
        if kind is None:
            raise KeyError(key)
        function = self._functions(kind)[key]
        metadata = function.get("metadata", {})
        into, out = self._schema(metadata.get("in")), self._schema(metadata.get("out"))
        return Description(
            **vars(self._entry(key, kind)),
            call=f"{into['x-method']} {into['x-path']}" if "x-path" in into else "",
            since=into.get("x-since"),
            until=into.get("x-until"),
            inputs=_fields(into),
            outputs=_fields(out),
            settings=_settings(function),
            example=self._example(key) if kind == "action" else {},
        )

    def _functions(self, kind: str) -> dict[str, Any]:
        functions: dict[str, Any] = self._component.get(f"{kind}s", {})
        return functions

    def _entry(self, key: str, kind: str) -> Entry:
        function = self._functions(kind)[key]
        return Entry(
            key, kind, function["title"], function.get("description", ""), Path(function["main"]).stem
        )

    def _schema(self, place: Any) -> dict[str, Any]:
        """Return a schema that the manifest holds or names."""
        if isinstance(place, str):
            place = json.loads((self._root / place).read_text("utf-8"))
        return place or {}

    def _example(self, key: str) -> dict[str, Any]:
        path = self._root / "lib/metadata/facts/examples.json"
        example: dict[str, Any] = json.loads(path.read_text("utf-8")).get(key, {})
        return example


def catalog(root: Path = ROOT) -> Catalog:
    """Return the catalog of the component in a folder, this one by default."""
    return Catalog(root)


def _fields(schema: dict[str, Any]) -> tuple[Field, ...]:
    return tuple(
        Field(
            name,
            type_name(node),
            node.get("title", name),
            node.get("description", ""),
            node.get("required") is True,
            node.get("x-since"),
            node.get("x-until"),
            tuple(str(item) for item in node.get("enum", ())),
        )
        for name, node in schema.get("properties", {}).items()
    )


def _settings(function: dict[str, Any]) -> tuple[Field, ...]:
    return tuple(
        Field(
            name,
            "boolean" if item["viewClass"] == "CheckBoxView" else "string",
            item["label"],
            re.sub("<[^>]+>", "", item.get("help", {}).get("description", "")),
            item.get("required") is True,
            None,
            None,
            tuple(item["model"]) if isinstance(item.get("model"), dict) else (),
        )
        for name, item in function.get("fields", {}).items()
    )
