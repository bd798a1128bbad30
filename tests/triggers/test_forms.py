"""Every trigger: its file, its form, its output, its example flow and its page agree."""

from __future__ import annotations

import ast
import json
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lib.local.flow.flowfile import read_flow

ROOT = Path(__file__).parents[2]
WORDS: dict[str, Any] = tomllib.loads((ROOT / "lib/metadata/words/triggers.toml").read_text("utf-8"))
FLOWS = {path.stem: path for path in (ROOT / "examples/flows").glob("*.json")}
READERS = {"text", "flag", "words", "choice", "number", "decimal", "whole", "moment", "pattern"}


def file_of(key: str) -> Path:
    return ROOT / WORDS[key]["main"]


def module_of(key: str) -> Any:
    return import_module(f"triggers.{file_of(key).stem}")


def declared(key: str) -> Any:
    found = [value.declared for value in vars(module_of(key)).values() if hasattr(value, "declared")]
    return found[0] if found else None


def schema(key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / f"lib/metadata/outputs/{key}.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("key", WORDS)
def test_the_key_is_declared_in_its_file(key: str) -> None:
    if key == "startFlow":
        assert callable(module_of(key).process)
    else:
        assert declared(key).key == key


def test_every_file_belongs_to_a_key() -> None:
    files = {path.name for path in (ROOT / "triggers").glob("*.py")} - {"__init__.py"}
    assert files == {file_of(key).name for key in WORDS}


def fields_read(key: str) -> set[str]:
    """The field names that a trigger's file hands to the readers of the form."""
    read = set()
    for node in ast.walk(ast.parse(file_of(key).read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in READERS:
            read |= {argument.value for argument in node.args[1:2] if isinstance(argument, ast.Constant)}
    return read


@pytest.mark.parametrize("key", [key for key in WORDS if key != "startFlow"])
def test_every_field_that_is_read_is_in_the_form_with_label_order_and_help(key: str) -> None:
    fields = WORDS[key]["fields"]
    assert fields_read(key) <= fields.keys()
    for name, field in fields.items():
        assert {"label", "viewClass", "order", "help"} <= field.keys(), name
        assert field["viewClass"] == "CheckBoxView" or {"prompt", "placeholder"} & field.keys(), name
    orders = [field["order"] for field in fields.values()]
    assert len(orders) == len(set(orders))
    assert {"notices", "emitBehavior"} <= fields.keys()


@pytest.mark.parametrize("key", [key for key in WORDS if key != "startFlow"])
def test_every_drop_down_is_a_function_of_the_file(key: str) -> None:
    for field in WORDS[key]["fields"].values():
        if isinstance(field.get("model"), str):
            assert callable(getattr(module_of(key), field["model"]))


@pytest.mark.parametrize("key", [key for key in WORDS if key != "startFlow"])
def test_the_sample_is_the_schemas_example_and_fits_it(key: str) -> None:
    tree = schema(key)
    sample = module_of(key).SAMPLE
    assert tree["example"] == sample
    assert sample.keys() <= tree["properties"].keys()
    jsonschema.validate(nulls_left_out(sample), {**tree, "properties": plain(tree["properties"])})
    assert all(field.get("title") for field in tree["properties"].values())


def plain(properties: dict[str, Any]) -> dict[str, Any]:
    """The platform's `required: true` on a property is no JSON Schema of today."""
    return {name: {k: v for k, v in field.items() if k != "required"} for name, field in properties.items()}


def nulls_left_out(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: nulls_left_out(item) for name, item in value.items() if item is not None}
    return value


@pytest.mark.parametrize("key", WORDS)
def test_there_is_an_example_flow_that_can_be_run(key: str) -> None:
    component = json.loads((ROOT / "component.json").read_text("utf-8"))
    name = file_of(key).stem.replace("_", "-")
    flow = read_flow(FLOWS[name], frozenset(WORDS), frozenset(component["actions"]))
    assert flow.trigger.function == key
    fields = WORDS[key].get("fields", {})
    assert flow.trigger.config.keys() <= fields.keys()


@pytest.mark.parametrize("key", WORDS)
def test_the_page_has_a_section(key: str) -> None:
    assert f"## {key}\n" in (ROOT / "docs/triggers.md").read_text("utf-8")
