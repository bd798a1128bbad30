"""Translates the JSON Schema of the facts to the platform's dialect, and adds our words.

The platform's mapper expects `required: true` on the property. It has no union types and no `allOf`, and is not sure
to know `integer`: a whole number is a `number` with `multipleOf` 1. `x-nullable` allows null. `x-also` lists further
names that an engine accepts: undocumented ones, and those of its answers, which it ignores in a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.metadata.facts import Facts, Tree
from lib.metadata.words import Words

REF = "#/definitions/"

_KEPT = ("enum", "default", "pattern", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength")
_MARKS = ("x-nullable", "x-since", "x-until")
_NUMBER_FORMATS = ("int", "uint", "float", "double")


@dataclass(frozen=True)
class Dialect:
    """Translates definitions for requests or for answers; in answers there is no `required` and no limit of values."""

    facts: Facts
    words: Words
    answer: bool

    def definition(self, name: str) -> Tree:
        """Return a definition in the platform's dialect; references are kept."""
        return self.node(self.facts.definitions[name], name, "")

    def node(self, schema: Tree, owner: str, path: str) -> Tree:
        """Return one schema node in the dialect; its words are those of `path` in the definition `owner`."""
        if "$ref" in schema:
            return {"$ref": schema["$ref"], **_kept(schema, _MARKS)}
        node = self._typed(schema)
        properties = self._properties(schema, owner, path)
        if properties:
            node["properties"] = properties
            also = self.facts.extras["also"].get(f"{owner}.{path}" if path else owner)
            if also and not self.answer:
                node["x-also"] = also
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                node[key] = self.node(schema[key], owner, path)
        return node | _kept(schema, _MARKS)

    def _typed(self, schema: Tree) -> Tree:
        kind = schema.get("type") or ("object" if {"properties", "allOf"} & set(schema) else None)
        node: Tree = {} if kind is None else {"type": "number" if kind == "integer" else kind}
        if kind == "integer":
            node["multipleOf"] = 1
        format_ = schema.get("format", "")
        if format_ and not format_.startswith(_NUMBER_FORMATS):
            node["format"] = format_
        return node | _kept(schema, ("enum",) if self.answer else _KEPT)

    def _properties(self, schema: Tree, owner: str, path: str) -> Tree:
        """Return own and inherited properties; inherited ones have the words of the definition they come from."""
        found: Tree = {}
        for part in schema.get("allOf", ()):
            if "$ref" in part:
                parent = part["$ref"].removeprefix(REF)
                found |= self._properties(self.facts.definitions[parent], parent, "")
            else:
                found |= self._properties(part, owner, path)
        required = () if self.answer else schema.get("required", ())
        for name, item in schema.get("properties", {}).items():
            found[name] = self._property(
                item, owner, f"{path}.{name}" if path else name, required=name in required
            )
        return found

    def _property(self, schema: Tree, owner: str, path: str, *, required: bool) -> Tree:
        title, description = self.words.property(owner, path, needed=not self.answer)
        node: Tree = {"title": title}
        if description:
            node["description"] = description
        node |= self.node(schema, owner, path)
        if required:
            node["required"] = True
        accepted = self.facts.extras["accepts"].get(f"{owner}.{path}")
        if accepted and not self.answer:
            node["x-accepts"] = accepted
        secret = self.facts.extras["secrets"].get(f"{owner}.{path}")
        if secret and not self.answer:
            node["x-secret"] = secret
        return node


def _kept(schema: Tree, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: schema[key] for key in keys if key in schema}
