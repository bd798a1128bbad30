"""Makes input fields from the parameters of an operation, by the `wire` form in lib/metadata/facts/operations.json.

A field has the type that is easiest to fill in, and marks for what else it accepts: `x-accepts` lists further JSON
types, `x-text` the form of a text, `x-also` further names of properties; `x-open` allows any name.
"""

from __future__ import annotations

from typing import Any

from lib.metadata.facts import Tree
from lib.metadata.words import Words, humanised

_STRINGS: Tree = {"type": "array", "items": {"type": "string"}}

# File names, references and tags are texts only: the number 1.10 would lose its zero.
_FORMS: dict[str, Tree] = {
    "path": {"type": "string", "minLength": 1},
    "text": {"type": "string"},
    "os[/arch[/variant]]": {"type": "string"},
    "bool": {"type": "boolean", "x-accepts": ["string"], "x-text": "boolean"},
    "bool-strict": {"type": "boolean", "x-accepts": ["string"], "x-text": "boolean"},
    "int": {"type": "number", "multipleOf": 1, "x-accepts": ["string"], "x-text": "integer"},
    "unix-seconds[.nanos]": {"type": "string", "x-accepts": ["number"]},
    "json-array-of-strings": _STRINGS | {"x-accepts": ["string"], "x-text": "json"},
    "json-array-of-objects": {
        "type": "array",
        "items": {"type": "object"},
        "x-accepts": ["string"],
        "x-text": "json",
    },
    "json-object-of-strings": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "x-accepts": ["string"],
        "x-text": "json",
    },
    "json-object-of-strings-or-null": {
        "type": "object",
        "additionalProperties": {"type": "string", "x-nullable": True},
        "x-accepts": ["string"],
        "x-text": "json",
    },
}
_PLATFORM = ("os", "architecture", "variant")
_LOGIN = ("username", "password", "serveraddress", "identitytoken", "registrytoken")
# Accepted names without an input field: of Docker's config.json, and of OCI platforms.
_ALSO = {
    "login": ["auth", "email", "serveraddress", "identitytoken", "registrytoken"],
    "platform": ["os.version", "os.features"],
}


def property_of(parameter: Tree, filters: Tree, words: Words) -> Tree:
    """Return the input field for a parameter, without title and description.

    `filters`: the filters of the operation, name -> entry in lib/metadata/facts/filters.json.
    """
    node = _form(parameter, filters, words)
    if "enum" in parameter:
        (node["items"] if node["type"] == "array" else node)["enum"] = parameter["enum"]
    for key in ("pattern", "default"):
        if key in parameter:
            node[key] = parameter[key]
    return node


def _form(parameter: Tree, filters: Tree, words: Words) -> Tree:
    wire = parameter["wire"]
    if wire == "json-object-of-string-lists":
        return _filters(filters)
    if wire == "repeat":
        return _repeated(parameter)
    if wire == "base64url-json":
        return _registry_auth(parameter["field"], words)
    platform = _object(_PLATFORM, "platform", words) | {"x-accepts": ["string"]}
    if wire == "json-platform":
        return platform | ({"x-accepts": ["string", "array"]} if parameter["type"] == "array" else {})
    if wire == "repeat-json-platform":
        return {"type": "array", "items": platform, "x-accepts": ["string", "object"]}
    return dict(_FORMS[wire])


def _repeated(parameter: Tree) -> Tree:
    if parameter["type"] == "string":  # a text for flows of the older connector; a list is accepted too
        return {"type": "string", "x-accepts": ["array"]}
    return {"type": "array", "items": {"type": "string"}, "x-accepts": ["string"]}


def _filters(filters: Tree) -> Tree:
    """Return an object with a list for each filter; a name that is no identifier can only be given in JSON text."""
    properties: dict[str, Any] = {}
    for name, fact in filters.items():
        if not name.isidentifier():
            continue
        item: Tree = {"type": "string"}
        if fact["kind"] == "enum":
            item["enum"] = fact["values"]
        properties[name] = {
            "title": humanised(name),
            "type": "array",
            "items": item | {"x-accepts": ["number", "boolean"]},
            "x-accepts": ["string", "number", "boolean", "object"],
            "x-since": fact["since"],
        }
    return {
        "type": "object",
        "properties": properties,
        "x-open": True,
        "x-accepts": ["string"],
        "x-text": "json",
    }


def _registry_auth(field: str, words: Words) -> Tree:
    login = _object(_LOGIN, "login", words)
    if field == "X_Registry_Config":
        login = {"type": "object", "additionalProperties": _object(_LOGIN[:2], "login", words)}
    return login | {"x-accepts": ["string"], "x-secret": "login"}


def _object(names: tuple[str, ...], kind: str, words: Words) -> Tree:
    properties = {}
    for name in names:
        title, description = words.answer(kind, name)
        properties[name] = {"title": title, "description": description, "type": "string"}
    return {
        "type": "object",
        "properties": properties,
        "x-also": [name for name in _ALSO[kind] if name not in properties],
    }
