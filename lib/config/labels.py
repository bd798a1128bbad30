"""Adds labels to errors: an error names a field by its key, but forms and the mapper show its label or title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput

_DEEPEST = 20


def add_label(error: BadInput, label: str | None) -> None:
    """Insert a label after the field's key in an error's message: `apiVersion ("API version"): ...`.

    The message is unchanged if it does not begin with the key, or has a label already.
    """
    key = error.field
    if not key or not label or not error.message.startswith(key):
        return
    rest = error.message[len(key) :]
    if not rest.startswith(' ("'):
        error.message = f'{key} ("{label}"){rest}'


def title_of(schema: Mapping[str, Any], field: str) -> str | None:
    """Return the titles on the path to a field: "Host settings > Published ports", None if there are none.

    `schema` is an in-schema, `field` a path such as `requestBody.HostConfig.Binds[2]`. Keys of maps have no titles.
    """
    titles: list[str] = []
    node: Mapping[str, Any] = schema
    for part in field.split(".")[:_DEEPEST]:
        name, bracket, _ = part.partition("[")
        below = node.get("properties", {}).get(name)
        node = _resolved(schema, below if below is not None else node.get("additionalProperties"))
        if below is not None and (title := below.get("title") or node.get("title")):
            titles.append(str(title))
        if bracket:
            node = _resolved(schema, node.get("items"))
    return " > ".join(titles) or None


def _resolved(schema: Mapping[str, Any], node: Any) -> Mapping[str, Any]:
    if not isinstance(node, Mapping):
        return {}
    name = str(node.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = schema.get("definitions", {}).get(name, {}) if name else node
    return found
