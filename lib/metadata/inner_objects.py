"""Fields of objects within inputs and outputs: each object once at the end of its page, folded, with links to it.

Objects are told apart by their fields, not by the names of their definitions: a schema has a definition that is used
once in place, without its name. The heading is the name of the property, with a number where several objects have it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from lib.metadata.dialect import REF
from lib.metadata.facts import Tree
from lib.metadata.pages import name_of, table, type_name

TITLE = "Objects"


@dataclass(frozen=True)
class Inner:
    """One object: its heading, its fields, and the schema that has the definitions which they refer to."""

    heading: str
    properties: Tree
    schema: Tree


class InnerObjects:
    """The objects of one page, in the order in which something first refers to them."""

    def __init__(self) -> None:
        self._found: dict[str, Inner] = {}
        self._names: Counter[str] = Counter()

    def table(self, head: str, properties: Tree, schema: Tree, expanded: tuple[str, ...] = ()) -> list[str]:
        """Return a table whose objects are links; `expanded` are those whose fields are rows of the same table."""
        kinds = {
            path: type_name(node) if path in expanded else self._type(path, node, schema)
            for path, node in properties.items()
        }
        return table(head, properties, kinds)

    def section(self) -> list[str]:
        """Return the lines of all objects that something of the page refers to; nothing if there are none."""
        lines: list[str] = []
        written = 0
        while written < len(self._found):  # a table may refer to further ones
            inner = list(self._found.values())[written]
            written += 1
            count = len(inner.properties)
            lines += [f"#### {inner.heading}", ""]
            lines += [f"<details><summary>{count} {'field' if count == 1 else 'fields'}</summary>", ""]
            lines += [*self.table("Field", inner.properties, inner.schema), "</details>", ""]
        return [f"## {TITLE}", "", *lines] if lines else []

    def _type(self, path: str, node: Tree, schema: Tree) -> str:
        node = resolved(node, schema)
        name = path.rpartition(".")[2].removesuffix("[]")
        inner = resolved(node.get("items", {}), schema) if node.get("type") == "array" else node
        each = resolved(inner.get("additionalProperties"), schema)
        if inner.get("properties"):
            link = f"[object](#{name_of(self._heading(name, inner['properties'], schema))})"
        elif each.get("properties"):
            link = f"object of [objects](#{name_of(self._heading(name, each['properties'], schema))})"
        else:
            return type_name(node)
        return type_name(node).replace("object", link, 1)

    def _heading(self, name: str, properties: Tree, schema: Tree) -> str:
        key = json.dumps(
            [
                (field, one.get("title"), one.get("description"), one.get("type"))
                for field, one in properties.items()
            ]
        )
        if key not in self._found:
            self._names[name.lower()] += 1
            number = self._names[name.lower()]
            heading = f"Object {name}" + (f" {number}" if number > 1 else "")
            self._found[key] = Inner(heading, properties, schema)
        return self._found[key].heading


def resolved(node: object, schema: Tree) -> Tree:
    """Return a node, or the definition that it refers to with what stands beside the reference."""
    if not isinstance(node, dict):
        return {}
    if "$ref" not in node:
        return node
    found: Tree = schema["definitions"][node["$ref"].removeprefix(REF)]
    return found | {name: value for name, value in node.items() if name != "$ref"}
