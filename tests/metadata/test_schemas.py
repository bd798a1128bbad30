from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from lib.action.input.validation import Validator, draft7, validator
from lib.metadata.dialect import REF
from lib.metadata.facts import load
from lib.metadata.whole import references

ROOT = Path(__file__).parents[2]
FACTS = load()
MANIFEST = json.loads((Path(__file__).parents[2] / "component.json").read_text("utf-8"))
JOBS = [key for key, item in MANIFEST["actions"].items() if "/jobs/" in item["main"]]
FILES = sorted(path.name for path in (ROOT / "schemas").glob("*.json"))
TYPES = {"string", "number", "boolean", "object", "array"}


def read(name):
    return json.loads((ROOT / "schemas" / name).read_text("utf-8"))


def nodes(schema):
    """Yield every schema node; names below `properties` and `definitions` are not keywords."""
    yield schema
    for key in ("properties", "definitions"):
        for item in schema.get(key, {}).values():
            yield from nodes(item)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from nodes(schema[key])


def test_there_is_an_in_and_an_out_schema_for_every_operation():
    keys = [*FACTS.operations, *JOBS]
    assert set(FILES) == {f"{key}.{way}.json" for key in keys for way in ("in", "out")}


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_in_the_dialect_of_the_platform(name):
    schema = read(name)
    assert schema["type"] == "object"
    assert isinstance(schema["properties"], dict)
    for node in nodes(schema):
        assert not {"allOf", "anyOf", "oneOf", "patternProperties"} & set(node)
        assert node.get("type", "string") in TYPES
        assert node.get("required", True) is True
        assert node.get("additionalProperties") is not False


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_whole_and_holds_nothing_that_it_does_not_reach(name):
    schema = read(name)
    definitions = schema.get("definitions", {})
    reached, waiting = set(), list(references({k: v for k, v in schema.items() if k != "definitions"}))
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting += references(definitions[one])
    assert reached == set(definitions)
    assert all(node["$ref"].startswith(REF) for node in nodes(schema) if "$ref" in node)


@pytest.mark.parametrize("name", FILES)
def test_a_schema_means_valid_json_schema(name):
    Draft7Validator.check_schema(draft7(read(name)))
    validator(ROOT / "schemas" / name)


@pytest.mark.parametrize("key", FACTS.operations)
def test_an_in_schema_carries_operation_and_versions(key):
    schema, operation = read(f"{key}.in.json"), FACTS.operations[key]
    marks = (schema["x-operation"], schema["x-method"], schema["x-path"], schema["x-since"])
    assert marks == (key, operation["method"], operation["path"], operation["since"])
    for parameter in operation["parameters"]:
        node = schema["properties"][parameter.get("field", parameter["name"])]
        assert node["x-since"] == parameter["since"]
        assert node.get("x-until") == parameter.get("until")


@pytest.mark.parametrize("key", FACTS.operations)
def test_the_example_of_an_operation_is_a_message_that_it_accepts(key):
    checker = validator(ROOT / f"schemas/{key}.in.json")
    example = FACTS.examples[key]
    assert checker.settled(example) == (example, [])


@pytest.mark.parametrize("key", FACTS.operations)
def test_every_field_of_the_mapper_has_title_description_and_order(key):
    properties = read(f"{key}.in.json")["properties"]
    assert all(node["title"] and node["description"] for node in properties.values())
    assert sorted(node["order"] for node in properties.values()) == list(range(1, len(properties) + 1))


@pytest.mark.parametrize("key", FACTS.operations)
def test_an_answer_requires_nothing_and_takes_null_everywhere(key):
    schema = read(f"{key}.out.json")
    assert not any("required" in node for node in nodes(schema))
    nothing = dict.fromkeys(schema["properties"])
    assert validator(ROOT / f"schemas/{key}.out.json").errors(nothing) == []


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("ContainerResize", ["id", "h", "w"]),
        ("ExecResize", ["id", "h", "w"]),
        ("ImageTag", ["name", "repo"]),
        ("ImageCommit", ["container"]),
        ("ServiceUpdate", ["id"]),
        ("SwarmUpdate", ["requestBody"]),
        ("ImagePush", ["name"]),
    ],
)
def test_required_is_what_the_engine_needs_and_the_step_cannot_find_out(key, fields):
    properties = read(f"{key}.in.json")["properties"]
    assert sorted(name for name, node in properties.items() if node.get("required")) == sorted(fields)


@pytest.mark.parametrize(
    ("key", "extras"),
    [
        ("PutContainerArchive", {"attachment", "url", "file"}),
        (
            "ImageBuild",
            {"attachment", "url", "dockerfileText", "files", "secrets", "ssh", "inlineCache", "cacheTo"},
        ),
        ("ImageLoad", {"attachment", "url"}),
        ("PluginCreate", {"attachment", "url"}),
        ("ImageCreate", {"attachment", "url"}),
        ("ExecStart", {"stdin", "stdinAttachment"}),
        ("ContainerAttach", {"stdinText", "stdinAttachment"}),
    ],
)
def test_inputs_of_our_own_have_no_version(key, extras):
    properties = read(f"{key}.in.json")["properties"]
    assert {name for name, node in properties.items() if "x-since" not in node} == extras


@pytest.mark.parametrize(
    "path", sorted((ROOT / "lib/metadata/outputs").glob("*.json")), ids=lambda path: path.stem
)
def test_the_output_of_a_trigger_is_a_schema_too(path):
    schema = json.loads(path.read_text("utf-8"))
    Draft7Validator.check_schema(draft7(schema))
    assert not list(references(schema)) or "definitions" in schema
    assert all(node.get("type", "string") in TYPES for node in nodes(schema))
    assert not Validator(schema).errors(schema.get("example", {}))


def test_response_keys_are_those_on_the_wire():
    assert "ID" in read("SecretCreate.out.json")["properties"]
    assert "ID" in read("ConfigCreate.out.json")["properties"]
    assert "Id" in read("ContainerExec.out.json")["properties"]
    assert "Warnings" in read("ServiceCreate.out.json")["properties"]
    assert read("PluginDelete.out.json")["properties"] == {}
    assert "layers" in read("PluginPull.out.json")["properties"]
