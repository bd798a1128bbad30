"""What the platform's own `cmp:validate` checks of a component.json, and what it leaves unchecked.

Items 16-20 of its list presuppose JavaScript; loading the Python files is the matter of the structural tests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VIEWS = {
    "TextFieldView",
    "TextAreaView",
    "PasswordFieldView",
    "CheckBoxView",
    "SelectView",
    "MultiSelectView",
}
KEY = re.compile(r"^[A-Za-z]+[\w_]*$")
FIELD_KEYS = {
    "label",
    "viewClass",
    "required",
    "order",
    "placeholder",
    "note",
    "help",
    "prompt",
    "model",
    "require",
}


def problems(root: Path) -> list[str]:
    """Return what is wrong with the component in a folder."""
    component = json.loads((root / "component.json").read_text("utf-8"))
    return [*_component(component, root), *_functions(component, root)]


def _component(component: dict[str, Any], root: Path) -> Iterator[str]:
    for key in ("title", "description", "credentials", "triggers", "actions"):
        if not component.get(key):
            yield f"{key} is missing"
    if component.get("buildType") != "docker":
        yield "buildType is not docker"
    if not re.fullmatch(r"\d+\.\d+\.\d+", component.get("version", "")):
        yield "version is no semantic version"
    if (root / "logo.png").read_bytes()[16:24] != bytes([0, 0, 0, 128, 0, 0, 0, 128]):
        yield "logo.png is not 128 x 128"
    for name, variable in component.get("envVars", {}).items():
        if not variable.get("description"):
            yield f"envVars.{name} has no description"
    yield from _credentials(component)


def _credentials(component: dict[str, Any]) -> Iterator[str]:
    fields = component["credentials"].get("fields", {})
    if not fields:
        yield "credentials have no fields"
    yield from _fields("credentials", fields)
    for kind in ("triggers", "actions"):
        for key, function in component[kind].items():
            for name in set(fields) & set(function.get("fields", {})):
                yield f"{name} is a field of the credential and of {key}"


def _functions(component: dict[str, Any], root: Path) -> Iterator[str]:
    for key in set(component["triggers"]) & set(component["actions"]):
        yield f"{key} is both trigger and action"
    for kind in ("triggers", "actions"):
        for key, function in component[kind].items():
            where = f"{kind}.{key}"
            if not KEY.match(key):
                yield f"{where} is no good key"
            for part in ("title", "description", "main", "metadata", "order"):
                if not function.get(part):
                    yield f"{where} has no {part}"
            if not (root / function.get("main", "")).is_file():
                yield f"{where}: main names no file"
            yield from _help(where, function.get("help", {}))
            if kind == "triggers" and function.get("type") not in {"polling", "webhook"}:
                yield f"{where} has no type"
            yield from _fields(where, function.get("fields", {}))
            yield from _metadata(where, function.get("metadata", {}), root, needs_in=kind == "actions")


def _help(where: str, told: dict[str, Any]) -> Iterator[str]:
    if not told.get("description"):
        yield f"{where} has no help"
    if not told.get("link", "https://").startswith(("https://", "http://")):
        yield f"{where}: the link of its help leads nowhere on a platform"


def _fields(where: str, fields: dict[str, Any]) -> Iterator[str]:
    orders = [field.get("order") for field in fields.values()]
    if len(orders) != len(set(orders)):
        yield f"{where} has fields of equal order"
    for name, field in fields.items():
        yield from _field(f"{where}.{name}", field)
        for other in field.get("require", ()):
            if other not in fields:
                yield f"{where}.{name} requires {other}, which is not there"


def _field(where: str, field: dict[str, Any]) -> Iterator[str]:
    if not field.get("label"):
        yield f"{where} has no label"
    if field.get("viewClass") not in VIEWS:
        yield f"{where} has no known viewClass"
    if field.get("viewClass", "").endswith("SelectView") and not isinstance(field.get("model"), dict | str):
        yield f"{where} has no model"
    if set(field) - FIELD_KEYS:
        yield f"{where} has keys the platform does not know: {set(field) - FIELD_KEYS}"
    if not field.get("help", {}).get("description"):
        yield f"{where} has no help"


def _metadata(where: str, metadata: dict[str, Any], root: Path, *, needs_in: bool) -> Iterator[str]:
    for direction in ("in", "out") if needs_in else ("out",):
        schema = metadata.get(direction)
        if isinstance(schema, str):
            path = root / schema
            schema = json.loads(path.read_text("utf-8")) if path.is_file() else None
        if not schema:
            yield f"{where} has no {direction} metadata"
        elif schema.get("type") != "object" or "properties" not in schema:
            yield f"{where}: the {direction} metadata is no object with properties"
