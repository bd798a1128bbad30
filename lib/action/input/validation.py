"""Checks message bodies against the component's schemas.

The schema files are in the platform's dialect; `draft7` translates it to JSON Schema. Each is compiled on first use, in
two forms: `_closed` refuses unknown names, so a valid body needs one fast check; `_open` allows them and gives errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from lib.action.input.field_names import FieldNames, Problem, has_more_than, is_closed, shown, unwritable

Tree = dict[str, Any]

_SHORT = 20  # upper bound of the characters of a text that an error repeats; a longer one may be a secret
_TEXTS = {"integer": r"^-?\d+$", "boolean": r"^(true|True|TRUE|false|False|FALSE|1|0)$"}
_PATTERNS = {_TEXTS["integer"]: "must be a whole number", _TEXTS["boolean"]: "must be true or false"}
_KEPT = (
    "$ref",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
)


MOST_PROBLEMS = 1_000
"""Upper bound of the problems that are collected for one message."""
LARGE = 5_000
"""Values in a message above which only one error is described: to describe 5,000 takes half a second."""


class _Compiled(Protocol):
    """The part of a jsonschema-rs validator that is used here."""

    def is_valid(self, instance: Any) -> bool: ...
    def iter_errors(self, instance: Any) -> Iterator[Any]: ...
    def validate(self, instance: Any) -> None: ...


class Validator:
    """One schema file, ready to check values."""

    def __init__(self, schema: Tree) -> None:
        self.schema = schema
        self._fields: Tree = schema.get("properties", {})

    def ready(self) -> None:
        """Compile what `settled` needs, so that the first message does not wait for it."""
        self._closed  # noqa: B018

    def settled(self, value: Any, *, unknown: bool = False) -> tuple[Any, list[Problem]]:
        """Return a message's value as it has to be sent, and the problems in it, an empty list if there are none.

        Names that differ in upper and lower case only get the schema's spelling. Unknown names are problems; with
        `unknown` they pass below the top level.
        """
        try:
            if self._closed.is_valid(value):
                return value, self._bad_json(value)
            value, problems = self._names.settle(value, unknown=unknown)
            return value, problems or self.errors(value)
        except ValueError:  # the checker cannot read a text, or the value is nested too deeply
            return value, unwritable(value) or [Problem("", "cannot be checked")]

    def errors(self, value: Any) -> list[Problem]:
        """Return the problems in the value, an empty list if there are none; unknown names are no problem.

        An empty text in an optional top-level field counts as no value: the mapper writes it where it finds nothing.
        """
        if not self._open.is_valid(value):
            filled = self._filled(value)
            found = [_problem(error) for error in self._errors(filled)]
            if found:
                return list(dict.fromkeys(found))
        return self._bad_json(value)

    def _errors(self, value: Any) -> Iterable[Any]:
        """Return the checker's errors; for a large value only one: the checker makes all before it yields one."""
        if not has_more_than(LARGE, value):
            return islice(self._open.iter_errors(value), MOST_PROBLEMS)
        from jsonschema_rs import ValidationError

        try:
            self._open.validate(value)
        except ValidationError as error:
            return (error,)
        return ()

    def _filled(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        required = {name for name, node in self._fields.items() if node.get("required")}
        return {name: item for name, item in value.items() if item != "" or name in required}

    @cached_property
    def _closed(self) -> _Compiled:
        return _compiled(draft7(self.schema, closed=True))

    @cached_property
    def _open(self) -> _Compiled:
        return _compiled(draft7(self.schema))

    @cached_property
    def _names(self) -> FieldNames:
        return FieldNames(self.schema)

    def _bad_json(self, value: Any) -> list[Problem]:
        """Return a problem for each field whose text must be JSON (`x-text`) and is not."""
        found = []
        for name, node in self._fields.items() if isinstance(value, Mapping) else ():
            text = value.get(name)
            if node.get("x-text") != "json" or not isinstance(text, str) or not text.strip():
                continue
            try:
                json.loads(text)
            except ValueError as fault:
                found.append(Problem(name, f"must be {_ARTICLES[node['type']]} or a text of JSON ({fault})"))
        return found


def _compiled(schema: Tree) -> _Compiled:
    # Imported late: most processes check no messages.
    from jsonschema_rs import Draft7Validator

    compiled: _Compiled = Draft7Validator(schema, validate_formats=False)
    return compiled


def validator(path: str | Path) -> Validator:
    """Return the validator of a schema file; the file is read once per process."""
    return _validator(str(path))


@cache
def _validator(path: str) -> Validator:
    return Validator(json.loads(Path(path).read_text("utf-8")))


def marks(schema: Tree) -> dict[str, tuple[str | None, str | None]]:
    """Return name -> (first, last API version) of each top-level field; inputs of the component have (None, None)."""
    return {
        name: (node.get("x-since"), node.get("x-until"))
        for name, node in schema.get("properties", {}).items()
    }


def draft7(schema: Tree, *, closed: bool = False) -> Tree:
    """Return the JSON Schema (draft 7) of a file in the platform's dialect.

    - `required: true` on properties becomes the list on their object, `multipleOf: 1` a type `integer`.
    - `x-nullable` allows null. An optional property may always be null, and an optional enum also "": the engine
      writes these for what is not set, and users can send them back.
    - In an answer (`x-answer` at the root) null is allowed everywhere and `enum` is ignored: engines of many versions
      answer.
    - `x-accepts` allows further types; `x-text` gives the pattern of a text in place of a number or boolean.
    - Additional properties are allowed. With `closed` they are not, except those in `x-also`, and any beside `x-open`.
    - Titles, descriptions and other marks are left out.
    """
    form = _Form(answer="x-answer" in schema, closed=closed)
    definitions = schema.get("definitions", {})
    tree = form.node({key: item for key, item in schema.items() if key != "definitions"})
    tree["definitions"] = {name: form.node(item) for name, item in definitions.items()}
    tree["definitions"] |= {
        f"{name}.null": form.node(item | {"x-nullable": True}) for name, item in definitions.items()
    }
    return tree


@dataclass(frozen=True, slots=True)
class _Form:
    """Translates the nodes of one schema for `draft7`."""

    answer: bool
    closed: bool

    def node(self, node: Tree, *, optional: bool = False) -> Tree:
        nullable = self.answer or optional or bool(node.get("x-nullable"))
        if "$ref" in node:
            # Draft 7 ignores the siblings of `$ref`, so a nullable reference needs its own definition.
            return {"$ref": f"{node['$ref']}.null" if nullable else node["$ref"]}
        tree: Tree = {key: node[key] for key in _KEPT if key in node}
        if "type" in node:
            tree["type"] = _types(node) + (["null"] if nullable else [])
        if node.get("enum") and not self.answer:
            tree["enum"] = node["enum"] + ([None] if nullable else []) + ([""] if optional else [])
        if node.get("x-text") in _TEXTS:
            tree["pattern"] = _TEXTS[node["x-text"]]
        return tree | self._below(node)

    def _below(self, node: Tree) -> Tree:
        """Return the keywords for the properties, items and values of a node."""
        tree: Tree = {}
        properties = node.get("properties", {})
        required = [name for name, item in properties.items() if item.get("required") is True]
        if properties:
            tree["properties"] = {
                name: self.node(item, optional=name not in required) for name, item in properties.items()
            }
        if required:
            tree["required"] = required
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), dict):
                # A map may have null values: in an update they remove the key, elsewhere engines ignore them.
                tree[key] = self.node(node[key], optional=key == "additionalProperties")
        if self.closed and is_closed(node):
            tree.setdefault("properties", {}).update((name, True) for name in node.get("x-also", ()))
            tree["additionalProperties"] = False
        return tree


def _types(node: Tree) -> list[str]:
    whole = node["type"] == "number" and node.get("multipleOf") == 1
    return ["integer" if whole else node["type"], *node.get("x-accepts", ())]


def _problem(error: Any) -> Problem:
    path = _path(error.instance_path)
    kind = error.kind
    if kind.name == "required":
        return Problem(_path([*error.instance_path, kind.property]), "is required")
    return Problem(path, _expected(kind, error.instance))


def _expected(kind: Any, value: Any) -> str:
    wanted = f"does not fit: {kind.name}"
    match kind.name:
        case "type":
            wanted = f"must be {_any_of(kind.types)}"
            # A text in place of a list or object may be a secret, such as an environment variable: do not repeat it.
            if isinstance(value, str) and not {"integer", "number", "boolean"} & set(kind.types):
                return f"{wanted}, not a text"
        case "enum":
            wanted = (
                f"must be one of {', '.join(str(item) for item in kind.options if item not in (None, ''))}"
            )
        case "pattern":
            wanted = _PATTERNS.get(kind.pattern, f"must match {kind.pattern}")
        case "minimum" | "maximum":
            wanted = f"must be at {_side(kind.name)} {kind.limit}"
        case "minLength" | "maxLength":
            wanted = f"must have at {_side(kind.name)} {kind.limit} characters"
        case "minItems" | "maxItems":
            wanted = f"must have at {_side(kind.name)} {kind.limit} items"
    return f"{wanted}, not {_shown(value)}"


def _side(name: str) -> str:
    return "least" if name.startswith("min") else "most"


_ARTICLES = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "null": "null",
}


def _any_of(types: list[str]) -> str:
    """Name the types, without null, and without the text in place of a number or boolean."""
    unsaid = {"null", "string"} if {"integer", "boolean"} & set(types) else {"null"}
    names = [text for item, text in _ARTICLES.items() if item in types and item not in unsaid] or ["null"]
    return " or ".join(", ".join(names).rsplit(", ", 1))


def _shown(value: Any) -> str:
    """Return short scalars as they are, otherwise the type and size: an error must not repeat secrets of the body."""
    match value:
        case None | bool() | int() | float():
            return json.dumps(value)
        case str():
            return f'the text "{value}"' if len(value) <= _SHORT else f"a text of {len(value)} characters"
        case list():
            return f"a list of {len(value)}"
    return "an object"


def _path(parts: list[str | int]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}"
    return text.removeprefix(".")
