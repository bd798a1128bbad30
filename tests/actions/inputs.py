"""For every field of an operation a value that can be recognised, and what must become of it on the wire."""

from __future__ import annotations

import json
from typing import Any

from lib.metadata import facts
from lib.metadata.facts import Tree

FACTS = facts.load()
PLATFORM = {"os": "linux", "architecture": "arm64", "variant": "v8"}
LOGIN = {"username": "me", "password": "pass?~>word", "serveraddress": "registry.lab"}
SWITCHES = ("bool", "bool-strict")

# By wire form: what a message holds, and the values that the parameter has in the query.
VALUES: dict[str, tuple[Any, list[str]]] = {
    "bool": (True, ["true"]),
    "bool-strict": (True, ["true"]),
    "int": (7, ["7"]),
    "text": ("a b&c=d", ["a b&c=d"]),
    "os[/arch[/variant]]": ("linux/arm64", ["linux/arm64"]),
    "unix-seconds[.nanos]": ("1700000000.5", ["1700000000.500000000"]),
    "repeat": (["a=1", "b & c"], ["a=1", "b & c"]),
    "json-array-of-strings": (["a", "b"], ['["a","b"]']),
    "json-object-of-strings": ({"a": "ü"}, ['{"a":"ü"}']),
    "json-object-of-strings-or-null": ({"a": "1", "b": None}, ['{"a":"1","b":null}']),
    "json-array-of-objects": ([{"Name": "nofile", "Soft": 5}], ['[{"Name":"nofile","Soft":5}]']),
    "json-platform": (PLATFORM, [json.dumps(PLATFORM, separators=(",", ":"))]),
    "repeat-json-platform": (
        ["linux/amd64", PLATFORM],
        ['{"os":"linux","architecture":"amd64"}', json.dumps(PLATFORM, separators=(",", ":"))],
    ),
}


def field_of(parameter: Tree) -> str:
    return str(parameter.get("field", parameter["name"]))


def given(key: str, parameter: Tree) -> Any:
    """The value of a parameter's field in the message."""
    wire = parameter["wire"]
    if wire == "path":
        return "shop/web:1.4" if slashes(key) else "web"
    if wire == "base64url-json":
        return {"registry.lab": LOGIN} if parameter["name"] == "X-Registry-Config" else LOGIN
    if wire == "json-object-of-string-lists":
        first, *_ = FACTS.filters[key]
        values = ["24h", "1h30m"] if FACTS.filters[key][first]["kind"] == "timestamp" else ["x", "y"]
        # Engines overlook labels of the build cache, so they are refused there.
        return {first: values} if key == "BuildPrune" else {first: values, "label": "a=b"}
    if parameter["name"] == "tail":
        return 100
    if "enum" in parameter:
        return [parameter["enum"][0]] if parameter["type"] == "array" else parameter["enum"][0]
    return VALUES[wire][0]


def expected(key: str, parameter: Tree) -> list[str]:
    """The values of a query parameter on the wire."""
    value = given(key, parameter)
    if parameter["wire"] == "json-object-of-string-lists":
        lists = {name: item if isinstance(item, list) else [item] for name, item in value.items()}
        return [json.dumps(lists, separators=(",", ":"))]
    if parameter["name"] == "tail":
        return ["100"]
    if "enum" in parameter:
        return value if isinstance(value, list) else [str(value)]
    return VALUES[parameter["wire"]][1]


def slashes(key: str) -> bool:
    """Whether the name in the path may hold slashes: that of images and plugins may."""
    resource = FACTS.operations[key]["resource"]
    return resource in ("images", "plugins", "distribution") and "{name}" in FACTS.operations[key]["path"]


def full(key: str) -> dict[str, Any]:
    """A value for every parameter."""
    return {field_of(p): given(key, p) for p in FACTS.operations[key]["parameters"]}
