"""Marks lists of out-schemas with the columns in which people see them: `x-columns`, from words/columns.toml.

| Key | Content |
|---|---|
| title | what stands above the column |
| path | where its value is in an item: names joined by dots; of a list within, the values of all its items |
| form | how the value is shown, a name of lib/local/output/forms.py; text where it is left out |
| values | texts for the numbers 0, 1 and so on |
| wide | true: only where people ask for everything |

The table of a function has one list of columns for each list of its messages, under the name of its property; that of
a trigger has one under `message`, for the message as a whole.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.metadata.dialect import REF
from lib.metadata.facts import Tree

MARK = "x-columns"
MESSAGE = "message"
_KEYS = {"title", "path", "form", "values", "wide"}


def load(folder: Path) -> dict[str, Tree]:
    """Return key of a function -> name of a list -> its columns."""
    path = folder / "columns.toml"
    return tomllib.loads(path.read_text("utf-8")) if path.exists() else {}


def mark(columns: Mapping[str, Tree], schemas: Mapping[str, Tree]) -> None:
    """Write the columns into out-schemas (by key); raises ValueError for a function, list or path that is not there."""
    for key, lists in columns.items():
        if key not in schemas:
            raise ValueError(f"words/columns.toml: there is no trigger or action {key}")
        schema = schemas[key]
        for name, wanted in lists.items():
            where = f"words/columns.toml: {key}.{name}"
            node = schema if name == MESSAGE else schema.get("properties", {}).get(name, {})
            item = node if name == MESSAGE else node.get("items")
            if not isinstance(item, dict):
                raise ValueError(f"{where} is no list of the out-schema")  # noqa: TRY004 - wrong words
            for column in wanted:
                _check(where, column, item, schema)
            node[MARK] = wanted


def _check(where: str, column: Tree, item: Tree, root: Tree) -> None:
    if not {"title", "path"} <= column.keys() or column.keys() - _KEYS:
        raise ValueError(f"{where}: a column has title and path, and of the rest {', '.join(sorted(_KEYS))}")
    if not reaches(item, str(column["path"]).split("."), root):
        raise ValueError(f"{where}: the out-schema has no {column['path']}")


def reaches(node: Any, names: list[str], root: Tree) -> bool:
    """Return whether a schema has a value at a path; below an object without declared names everything is there."""
    while "$ref" in node:
        node = root["definitions"][node["$ref"].removeprefix(REF)]
    if not names:
        return True
    if node.get("type") == "array":
        return reaches(node.get("items", {}), names, root)
    if names[0] in node.get("properties", {}):
        return reaches(node["properties"][names[0]], names[1:], root)
    return "properties" not in node and node.get("type") == "object"
