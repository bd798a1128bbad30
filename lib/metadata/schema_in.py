"""Makes in-schemas: what a message must have for an operation."""

from __future__ import annotations

from typing import Any

from lib.metadata.dialect import REF, Dialect
from lib.metadata.facts import Facts, Tree
from lib.metadata.parameter import property_of
from lib.metadata.whole import whole
from lib.metadata.words import Words


def schema_in(key: str, facts: Facts, words: Words) -> Tree:
    """Return the whole in-schema of an operation, in the platform's dialect."""
    operation = facts.operations[key]
    fields = dict(_parameters(key, facts, words))
    if "body" in operation:
        fields["requestBody"] = _body(key, operation["body"], facts, words)
    for name in facts.extras["inputs"].get(key, ()):
        fields[name] = _extra(key, name, facts, words)
    # The mapper shows fields with a higher `order` first.
    first = sorted(fields, key=lambda name: not fields[name].get("required", False))
    for order, name in enumerate(reversed(first), start=1):
        fields[name]["order"] = order
    root = {"title": words.operation(key, "title"), "type": "object", "x-operation": key}
    root |= {
        f"x-{mark}": operation[mark] for mark in ("method", "path", "since", "until") if mark in operation
    }
    root["example"] = facts.examples[key]
    return whole(
        root | {"properties": {name: fields[name] for name in first}},
        Dialect(facts, words, answer=False).definition,
    )


def _parameters(key: str, facts: Facts, words: Words) -> list[tuple[str, Tree]]:
    found = []
    for parameter in facts.operations[key]["parameters"]:
        name = parameter.get("field", parameter["name"])
        node = _worded(key, name, property_of(parameter, facts.filters.get(key, {}), words), words)
        accepted = facts.extras["accepts"].get(f"{key}.{name}")
        if accepted:
            node["x-accepts"] = accepted
        node |= _secret(f"{key}.{name}", facts)
        if parameter.get("required"):
            node["required"] = True
        if name in facts.extras["filled"].get(key, ()):
            node["x-filled"] = True
            node["description"] += " It may be left out; given and empty it is refused."
        found.append((name, node | _marks(parameter)))
    return found


def _body(key: str, body: Tree, facts: Facts, words: Words) -> Tree:
    schema: Tree = {"type": "string"}
    if "definition" in body:
        definition = facts.definitions[body["definition"]]
        schema = {"$ref": REF + body["definition"]}
        if definition.get("type") == "array":
            schema = Dialect(facts, words, answer=False).node(definition, body["definition"], "")
    node = _worded(key, "requestBody", schema, words)
    if body["required"] and "definition" in body:
        node["required"] = True
    return node | _marks(body) | _secret(f"{key}.requestBody", facts)


def _extra(key: str, name: str, facts: Facts, words: Words) -> Tree:
    """Return an input of the component; it has no API version, since it is not sent to the engine as it is."""
    schema: Tree = facts.extras["fields"][name]
    node = _worded(key, name, dict(schema), words)
    if "properties" in schema:
        node["properties"] = _parts(key, name, schema, words)
    if "properties" in schema.get("items", {}):
        node["items"] = schema["items"] | {"properties": _parts(key, name, schema["items"], words)}
    return node


def _parts(key: str, name: str, schema: Tree, words: Words) -> Tree:
    return {
        part: _worded(key, f"{name}.{part}", dict(item), words) for part, item in schema["properties"].items()
    }


def _worded(key: str, name: str, schema: Tree, words: Words) -> Tree:
    title, description = words.input(key, name)
    return {"title": title, "description": description} | schema


def _secret(name: str, facts: Facts) -> Tree:
    """Return {x-secret} if a field is secret, else {}; lib/action/input/message_secrets.py has the values."""
    kind = facts.extras["secrets"].get(name)
    return {"x-secret": kind} if kind else {}


def _marks(fact: Tree) -> dict[str, Any]:
    return {f"x-{mark}": fact[mark] for mark in ("since", "until") if mark in fact}
