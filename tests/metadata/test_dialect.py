from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lib.metadata import facts as fact_files
from lib.metadata import words as word_files
from lib.metadata.dialect import Dialect
from lib.metadata.parameter import property_of
from lib.metadata.whole import whole

FACTS = fact_files.load()
WORDS = word_files.load()
DEFINITIONS = {
    "Base": {
        "type": "object",
        "properties": {"Name": {"type": "string", "x-since": "1.25"}},
        "required": ["Name"],
    },
    "Child": {
        "allOf": [
            {"$ref": "#/definitions/Base"},
            {"type": "object", "properties": {"Size": {"type": "integer", "format": "int64", "minimum": 0}}},
        ]
    },
    "Leaf": {"type": "string", "enum": ["a", "b"], "x-nullable": True},
}


def dialect(*, answer):
    words = word_files.load()
    words.definitions = {
        "Base": {"Name": ["Name of it", "How it is called."]},
        "_any": {"Size": ["Size", "In bytes."], "Name": ["Wrong", "Not this one."]},
    }
    return Dialect(replace(FACTS, definitions=DEFINITIONS), words, answer=answer)


def test_inherited_properties_become_plain_ones_and_keep_the_words_of_their_origin():
    assert dialect(answer=False).definition("Child") == {
        "type": "object",
        "properties": {
            "Name": {
                "title": "Name of it",
                "description": "How it is called.",
                "type": "string",
                "x-since": "1.25",
                "required": True,
            },
            "Size": {
                "title": "Size",
                "description": "In bytes.",
                "type": "number",
                "multipleOf": 1,
                "minimum": 0,
            },
        },
    }


def test_an_answer_requires_nothing_and_limits_nothing():
    properties = dialect(answer=True).definition("Child")["properties"]
    assert "required" not in properties["Name"]
    assert "minimum" not in properties["Size"]


def test_a_definition_used_once_is_put_in_place_and_one_used_twice_stays_one():
    root = {
        "type": "object",
        "properties": {
            "once": {"title": "Once", "$ref": "#/definitions/Leaf", "x-since": "1.30"},
            "twice": {"$ref": "#/definitions/Child"},
            "again": {"type": "array", "items": {"$ref": "#/definitions/Child"}},
        },
    }
    made = whole(root, dialect(answer=False).definition)
    assert made["properties"]["once"] == {
        "title": "Once",
        "type": "string",
        "enum": ["a", "b"],
        "x-nullable": True,
        "x-since": "1.30",
    }
    assert made["properties"]["again"]["items"] == {"$ref": "#/definitions/Child"}
    assert list(made["definitions"]) == ["Child"]


@pytest.mark.parametrize(
    ("wire", "type_", "shown", "accepts"),
    [
        ("bool", "boolean", "boolean", ["string"]),
        ("bool", "string", "boolean", ["string"]),
        ("int", "integer", "number", ["string"]),
        ("text", "string", "string", None),
        ("repeat", "array", "array", ["string"]),
        ("repeat", "string", "string", ["array"]),
        ("json-object-of-strings", "string", "object", ["string"]),
        ("json-array-of-strings", "string", "array", ["string"]),
        ("json-platform", "string", "object", ["string"]),
        ("json-platform", "array", "object", ["string", "array"]),
        ("repeat-json-platform", "array", "array", ["string", "object"]),
        ("unix-seconds[.nanos]", "integer", "string", ["number"]),
    ],
)
def test_a_parameter_shows_the_type_that_its_wire_form_wants(wire, type_, shown, accepts):
    node = property_of({"name": "x", "wire": wire, "type": type_}, {}, WORDS)
    assert (node["type"], node.get("x-accepts")) == (shown, accepts)


def test_filters_show_their_keys_as_far_as_a_mapping_expression_can_name_them():
    node = property_of(
        {"name": "filters", "wire": "json-object-of-string-lists", "type": "string"},
        FACTS.filters["ContainerList"],
        WORDS,
    )
    assert "status" in node["properties"]
    assert "is-task" not in node["properties"]
    assert node["properties"]["status"]["items"]["enum"][0] == "created"


def test_facts_name_no_definition_that_is_not_there_and_hold_none_that_nothing_needs():
    text = json.dumps([FACTS.operations, FACTS.shapes, FACTS.definitions])
    for name in FACTS.definitions:
        assert f'"#/definitions/{name}"' in text or f'"definition": "{name}"' in text


def test_nothing_of_the_metadata_reads_a_file_outside_the_project():
    folder = Path(fact_files.__file__).parent
    assert not [path.name for path in folder.glob("*.py") if "/shared" in path.read_text("utf-8")]
