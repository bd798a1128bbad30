"""What the local runner tells of this component's own functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.action.input.validation import validator
from lib.local.catalog.catalog import Catalog, properties
from lib.local.catalog.describe import example_command, whole
from lib.local.component_folder import OWN_COMPONENT
from lib.local.flow.flowfile import read_flow

CATALOG = Catalog.read(OWN_COMPONENT)
ACTIONS = sorted(CATALOG.keys("action"))


@pytest.mark.parametrize("key", ACTIONS)
def test_the_example_of_every_action_is_a_valid_input(key: str) -> None:
    described = whole(CATALOG.functions[key])

    assert validator(OWN_COMPONENT / "schemas" / f"{key}.in.json").errors(described["example"]) == []
    assert example_command(CATALOG.functions[key]).startswith(f"scripts/run action {key} --body '")


@pytest.mark.parametrize("key", sorted(CATALOG.functions))
def test_every_function_has_a_title_a_group_and_typed_outputs(key: str) -> None:
    described = whole(CATALOG.functions[key])

    assert described["title"]
    assert described["group"]
    assert described["description"]
    assert all(item.type for item in properties(described["out"]))


@pytest.mark.parametrize(
    "file", sorted((OWN_COMPONENT / "examples" / "flows").glob("*.json")), ids=lambda path: path.name
)
def test_every_example_flow_can_run(file: Path) -> None:
    assert read_flow(file, CATALOG.keys("trigger"), CATALOG.keys("action")).name
