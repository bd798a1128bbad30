"""Whether an answer holds nothing but what the operation's out-schema declares."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lib.action.input.validation import Validator

SCHEMAS = Path(__file__).parents[3] / "schemas"
Tree = dict[str, Any]


def undeclared(key: str, body: Any, *, item: bool = False, more: bool = False) -> list[str]:
    """What the schema does not know, or knows as something else.

    `item`: the body is one of `results`. `more`: an engine of another house may say more.
    """
    schema = _schema(key, item=item)
    wrong = [str(problem) for problem in _validator(key, item=item).errors(body)]
    if more:
        return wrong
    return wrong + [f"{path} is not declared" for path in _unknown(schema, schema, body, "")]


@cache
def _schema(key: str, *, item: bool) -> Tree:
    schema: Tree = json.loads((SCHEMAS / f"{key}.out.json").read_text("utf-8"))
    if item:
        items = schema["properties"]["results"]["items"]
        schema = {"definitions": schema.get("definitions", {}), "x-answer": "object", **items}
    return schema


@cache
def _validator(key: str, *, item: bool) -> Validator:
    return Validator(_schema(key, item=item))


def _unknown(root: Tree, node: Tree, value: Any, path: str) -> Iterator[str]:
    if "$ref" in node:
        node = root["definitions"][node["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _unknown(root, node.get("items", {}), item, f"{path}[{place}]")
    elif isinstance(value, dict):
        known, more = node.get("properties", {}), node.get("additionalProperties")
        free = not known and not isinstance(more, dict)
        for name, item in value.items():
            below = known.get(name, more)
            if isinstance(below, dict):
                yield from _unknown(root, below, item, f"{path}.{name}".removeprefix("."))
            elif not free:
                yield f"{path}.{name}".removeprefix(".")
