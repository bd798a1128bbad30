"""Makes an example of a message body from an in-schema."""

from __future__ import annotations

from typing import Any

from lib.local.catalog.catalog import Schema, resolved

_BY_TYPE: dict[str, Any] = {
    "string": "text",
    "integer": 1,
    "number": 1,
    "boolean": True,
    "array": [],
    "object": {},
}
_DEPTH = 4
"""Levels of nested objects that an example has."""


def sample(schema: Schema) -> dict[str, Any]:
    """Return the schema's example, else a body with the required fields, else one with the first field.

    The value of a field is its example, its default, its first choice, or a text or number of its type.
    """
    example = schema.get("example")
    if isinstance(example, dict):
        return example
    value = _object(schema, schema, _DEPTH)
    if value or not schema.get("properties"):
        return value
    key, raw = next(iter(schema["properties"].items()))
    return {key: _value(raw, schema, _DEPTH)}


def _object(schema: Schema, root: Schema, depth: int) -> dict[str, Any]:
    return {
        key: _value(raw, root, depth - 1)
        for key, raw in schema.get("properties", {}).items()
        if raw.get("required") is True
    }


def _value(raw: Schema, root: Schema, depth: int) -> Any:
    inner = resolved(raw, root)
    for source in (raw, inner):
        for key in ("example", "default"):
            if source.get(key) not in (None, ""):
                return source[key]
        if source.get("enum"):
            return source["enum"][0]
    if inner.get("type") == "object" and depth > 0:
        return _object(inner, root, depth)
    title = raw.get("title") or inner.get("title")
    if title and inner.get("type") == "string" and "pattern" not in inner:
        return f"<{title}>"
    return _BY_TYPE.get(str(inner.get("type")), "text")
