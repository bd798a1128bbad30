"""Completes a schema with the definitions that it refers to; a definition that is used once is written in place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from lib.metadata.dialect import REF
from lib.metadata.facts import Tree


def whole(root: Tree, definition: Callable[[str], Tree]) -> Tree:
    """Return `root` with all definitions that it reaches; `definition` returns a definition by its name.

    A definition that is used in one place only replaces its `$ref`: the platform's mapper may not show a title and
    description beside a `$ref`.
    """
    reached: dict[str, Tree] = {}
    uses = Counter(references(root))
    waiting = list(uses)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached[name] = definition(name)
        found = list(references(reached[name]))
        uses.update(found)
        waiting += found
    alone = {name for name, count in uses.items() if count == 1}
    finished: Tree = _placed(root, reached, alone)
    rest = {name: _placed(reached[name], reached, alone) for name in sorted(reached) if name not in alone}
    return finished | ({"definitions": rest} if rest else {})


def references(node: Any) -> Iterator[str]:
    """Yield the name of each definition that a schema refers to, once for each place."""
    if isinstance(node, list):
        for item in node:
            yield from references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(REF)
        for item in node.values():
            yield from references(item)


def _placed(node: Any, reached: dict[str, Tree], alone: set[str]) -> Any:
    if isinstance(node, list):
        return [_placed(item, reached, alone) for item in node]
    if not isinstance(node, dict):
        return node
    name = node["$ref"].removeprefix(REF) if isinstance(node.get("$ref"), str) else ""
    if name in alone:
        beside = {key: item for key, item in node.items() if key != "$ref"}
        words = {key: beside.pop(key) for key in ("title", "description") if key in beside}
        node = words | reached[name] | beside
    return {key: _placed(item, reached, alone) for key, item in node.items()}
