from __future__ import annotations

import pytest

from lib.metadata.catalog import catalog


def test_the_catalog_lists_triggers_and_actions():
    entries = catalog().entries()
    kinds = [entry.kind for entry in entries]
    assert kinds.count("action") == 108
    assert kinds.count("trigger") >= 1
    assert kinds == sorted(kinds, reverse=True)
    inspect = next(entry for entry in entries if entry.key == "ContainerInspect")
    assert (inspect.title, inspect.group) == ("Inspect a container", "containers")


def test_an_action_is_described_with_inputs_outputs_settings_and_an_example():
    wait = catalog().describe("ContainerWait")
    assert wait.call == "POST /containers/{id}/wait"
    assert [(field.name, field.required) for field in wait.inputs] == [("id", True), ("condition", False)]
    assert wait.inputs[1].choices == ("not-running", "next-exit", "removed")
    assert wait.inputs[1].since == "1.30"
    assert [field.name for field in wait.outputs] == ["StatusCode", "Error"]
    assert [field.name for field in wait.settings] == ["errorPolicy", "verbose"]
    assert wait.example["id"] == "web"


def test_types_are_named_as_people_say_them():
    inputs = {field.name: field.type for field in catalog().describe("ContainerList").inputs}
    assert inputs == {
        "all": "boolean or string",
        "limit": "whole number or string",
        "size": "boolean or string",
        "filters": "object or string",
    }


def test_a_trigger_is_described_by_its_outputs_and_settings():
    start = catalog().describe("startFlow")
    assert (start.kind, start.call, start.inputs) == ("trigger", "", ())
    assert start.outputs


def test_an_unknown_key_is_a_key_error():
    with pytest.raises(KeyError, match="Nothing"):
        catalog().describe("Nothing")


def test_help_texts_come_without_markup():
    assert all("<" not in field.description for field in catalog().credentials)
