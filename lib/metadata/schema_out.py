"""Makes out-schemas: what the messages of an operation have.

Nothing is required and everything may be null: engines of many versions answer, and they send an empty list as null.
"""

from __future__ import annotations

from lib.metadata.dialect import Dialect
from lib.metadata.facts import Facts, Tree
from lib.metadata.whole import whole
from lib.metadata.words import Words

_STREAM = ("results", "truncated")


def schema_out(key: str, facts: Facts, words: Words) -> Tree:
    """Return the whole out-schema of an operation, in the platform's dialect."""
    shape = facts.shapes[key]
    dialect = Dialect(facts, words, answer=True)
    properties: Tree = {}
    ours = facts.answers[shape["answer"]]
    for name, schema in ours.items():
        properties[name] = _ours(shape["answer"], name, schema, words)
    if "definition" in shape:
        answer = dialect.definition(shape["definition"])
        if shape["answer"] == "stats":  # one sample, or a stream of them
            sample = answer["properties"] | {name: properties[name] for name in ours if name not in _STREAM}
            properties["results"]["items"] = {"type": "object", "properties": sample}
            properties = sample | {name: properties[name] for name in _STREAM}
        elif "results" in properties:
            properties["results"]["items"] = answer.get("items", answer)
        else:
            properties = answer.get("properties", {}) | properties
    root: Tree = {"title": words.operation(key, "title")}
    result = words.operation(key, "result")
    if result:
        root["description"] = result
    root |= {"type": "object", "x-operation": key, "x-answer": shape["answer"], "properties": properties}
    schema = whole(root, dialect.definition)
    return schema | ({"example": facts.samples[key]} if key in facts.samples else {})


def _ours(kind: str, path: str, schema: Tree, words: Words) -> Tree:
    title, description = words.answer(kind, path)
    node: Tree = {"title": title, "description": description, "type": schema["type"]}
    if "multipleOf" in schema:
        node["multipleOf"] = schema["multipleOf"]
    if "properties" in schema:
        node["properties"] = _inner(kind, path, schema["properties"], words)
    if "items" in schema:
        items: Tree = {"type": schema["items"]["type"]}
        if "properties" in schema["items"]:
            items["properties"] = _inner(kind, path, schema["items"]["properties"], words)
        node["items"] = items
    return node


def _inner(kind: str, path: str, properties: Tree, words: Words) -> Tree:
    return {name: _ours(kind, f"{path}.{name}", schema, words) for name, schema in properties.items()}
