from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.metadata.columns import load, mark
from lib.metadata.words import FOLDER

ROOT = Path(__file__).parents[2]
SCHEMA = {
    "type": "object",
    "properties": {
        "results": {"type": "array", "items": {"$ref": "#/definitions/Item"}},
        "name": {"type": "string"},
    },
    "definitions": {
        "Item": {
            "type": "object",
            "properties": {
                "Spec": {"type": "object", "properties": {"Name": {}}},
                "Labels": {"type": "object"},
            },
        }
    },
}
LISTS = (
    "containers",
    "images",
    "volumes",
    "networks",
    "services",
    "nodes",
    "tasks",
    "secrets",
    "configs",
    "plugins",
)


def marked(columns: dict[str, Any]) -> Any:
    schema = json.loads(json.dumps(SCHEMA))
    mark({"List": columns}, {"List": schema})
    return schema


def test_a_column_stands_at_its_list() -> None:
    column = {"title": "NAME", "path": "Spec.Name"}
    assert marked({"results": [column]})["properties"]["results"]["x-columns"] == [column]
    assert marked({"results": [{"title": "T", "path": "Labels.team.x"}]})


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"results": [{"title": "T", "path": "Spec.Nam"}]}, "has no Spec.Nam"),
        ({"results": [{"title": "T"}]}, "a column has title and path"),
        ({"results": [{"title": "T", "path": "Spec", "color": "red"}]}, "a column has title and path"),
        ({"nosuch": []}, "List.nosuch is no list"),
        ({"name": []}, "List.name is no list"),
    ],
)
def test_columns_that_lead_nowhere_are_refused(columns: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        marked(columns)


def test_a_function_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no trigger or action Nosuch"):
        mark({"Nosuch": {}}, {})


def test_every_list_operation_has_columns() -> None:
    actions = json.loads((ROOT / "component.json").read_text("utf-8"))["actions"]
    keys = {key for key in actions if key.endswith("List")}
    assert len(keys) == len(LISTS)
    assert keys <= set(load(FOLDER))
