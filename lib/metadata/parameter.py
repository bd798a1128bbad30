"""How a parameter of an operation looks as an input field: the type a person wants to fill in, and what else is taken.

The wire form decides (facts/operations.json, `wire`). `x-accepts` names the further JSON types that the field takes,
`x-text` what a text must then be; `x-open` that names beside the properties are taken, `x-also` that these are.
"""

from __future__ import annotations

from typing import Any

from lib.metadata.facts import Tree
from lib.metadata.words import Words, humanised

_STRINGS: Tree = {"type": "array", "items": {"type": "string"}}

# File names, references and tags stay texts: 1.10 as a number would lose its zero.
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
# Names without a field in the form: config.json of Docker's own client has some, OCI platforms have the others.
_ALSO = {
    "login": ["auth", "email", "serveraddress", "identitytoken", "registrytoken"],
    "platform": ["os.version", "os.features"],
}


def property_of(parameter: Tree, filters: Tree, words: Words) -> Tree:
    """Return the input field for a parameter, without title and description.

    `filters` are the known filters of the operation: name -> kind, values (facts/filters.json).
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
    if parameter["type"] == "string":  # the older connector's form; a list is the better one
        return {"type": "string", "x-accepts": ["array"]}
    return {"type": "array", "items": {"type": "string"}, "x-accepts": ["string"]}


def _filters(filters: Tree) -> Tree:
    """Return an object with one list per filter; names that no mapping expression can hold are left to the text."""
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
