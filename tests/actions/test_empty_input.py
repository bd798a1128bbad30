"""Fault 8.2: an input that is there but empty must not make a call delete or change more than was meant."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.actions.inputs import FACTS, given
from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step

OPERATIONS, FILLED = FACTS.operations, FACTS.extras["filled"]
READS = ("GET", "HEAD")
PRUNES = [key for key in FACTS.filters if OPERATIONS[key]["method"] not in READS]
LISTS = [key for key in FACTS.filters if OPERATIONS[key]["method"] in READS]
EMPTY: list[Any] = [None, "", " ", {}, []]
EMPTY_TAR = bytes(10_240)
HOLLOW: list[Any] = [
    *EMPTY,
    "{}",
    "null",
    {"label": None},
    {"label": []},
    {"label": {}},
    {"label": ""},
    {"label": [""]},
    {"label": ["a=b", None]},
    {"label": {"env": None}},
    {"label!": ["env="]},
    '{"label": []}',
]


def required(key: str) -> dict[str, Any]:
    body = {
        p.get("field", p["name"]): given(key, p) for p in OPERATIONS[key]["parameters"] if p.get("required")
    }
    return body | ({"requestBody": {"Labels": {"a": "b"}}} if "body" in OPERATIONS[key] else {})


def refused(key: str, body: dict[str, Any], folder: Path) -> str:
    with Recorder(folder) as recorder:
        outcome = run_step(key, body, {"server": recorder.url, "errorPolicy": "rebound"})
    assert recorder.asked == []
    assert outcome.messages == []
    (error,) = outcome.errors
    assert error["name"] == "BadInput"
    return str(error["message"])


@pytest.mark.parametrize("key", PRUNES)
@pytest.mark.parametrize("value", HOLLOW, ids=json.dumps)
def test_empty_filters_of_a_prune_are_refused(key: str, value: Any, tmp_path: Path) -> None:
    """Fault 8.2: a flow whose mapping found nothing deleted four volumes."""
    assert "filters" in refused(key, {"filters": value}, tmp_path)


@pytest.mark.parametrize("key", PRUNES)
def test_a_prune_without_filters_takes_all(key: str, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        outcome = run_step(key, {}, {"server": recorder.url})
    assert not outcome.errors
    assert [asked.query for asked in recorder.asked] == [[]]


@pytest.mark.parametrize(("key", "name"), [(key, name) for key, names in FILLED.items() for name in names])
@pytest.mark.parametrize("value", [*EMPTY, [""], [None]], ids=json.dumps)
def test_an_input_that_would_mean_more_is_refused_when_empty(
    key: str, name: str, value: Any, tmp_path: Path
) -> None:
    """Fault 8.2: no signal kills, no tag pushes all tags, no platforms deletes all, no bytes to keep keeps none."""
    assert refused(key, required(key) | {name: value}, tmp_path).startswith(name)


def test_the_filters_of_every_call_that_changes_something_are_marked() -> None:
    assert {key for key, names in FILLED.items() if "filters" in names} == set(PRUNES)
    known = {
        (key, parameter.get("field", parameter["name"]))
        for key, operation in OPERATIONS.items()
        for parameter in operation["parameters"]
        if operation["method"] not in READS
    }
    assert {(key, name) for key, names in FILLED.items() for name in names} <= known


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("value", [None, "", {}, {"label": None}, {"label": []}], ids=json.dumps)
def test_empty_filters_of_a_list_are_told_in_the_log(key: str, value: Any, tmp_path: Path) -> None:
    """Fault 8.2: for reads it is a warning."""
    with Recorder(tmp_path) as recorder:
        outcome = run_step(key, required(key) | {"filters": value}, {"server": recorder.url})
    assert recorder.asked
    place = "filters.label" if value and "label" in value else "filters"
    assert any(f"{place} is empty" in line and '"level":40' in line for line in outcome.log), outcome.log


@pytest.mark.parametrize(
    "key", ["ConfigUpdate", "NodeUpdate", "SecretUpdate", "ServiceUpdate", "SwarmUpdate"]
)
@pytest.mark.parametrize(
    "body", [{"requestBody": {}}, {"requestBody": "{}"}, {"requestBody": None}, {}], ids=json.dumps
)
def test_an_update_that_would_empty_the_spec_is_refused(
    key: str, body: dict[str, Any], tmp_path: Path
) -> None:
    """Fault 8.2: engines set every setting of a swarm to zero for {} with a version."""
    named = {"id": "x"} if "{id}" in OPERATIONS[key]["path"] else {}
    assert "requestBody" in refused(key, {**named, "version": 7, **body}, tmp_path)


SAID_TO_MAY_BE_EMPTY = [
    ("ConfigUpdate", "version"),
    ("ImageLoad", "platform"),
    ("ImagePush", "platform"),
    ("NodeUpdate", "version"),
    ("SecretUpdate", "version"),
    ("ServiceUpdate", "version"),
    ("SwarmUpdate", "version"),
    ("VolumeUpdate", "version"),
]


@pytest.mark.parametrize(("key", "name"), SAID_TO_MAY_BE_EMPTY)
@pytest.mark.parametrize("value", [None, ""], ids=json.dumps)
def test_an_input_that_may_be_empty_is_as_if_left_out(
    key: str, name: str, value: Any, tmp_path: Path
) -> None:
    """Fault 8.2: what the form said to be fine when empty stays so, where nothing is lost by it."""
    body = required(key) | {"VolumeUpdate": {"requestBody": {"Spec": {"Group": "x"}}}}.get(key, {})
    body |= {"requestBody": base64.b64encode(EMPTY_TAR).decode()} if key == "ImageLoad" else {}
    with Recorder(tmp_path) as recorder:
        assert not run_step(key, body, {"server": recorder.url}).errors
        left_out = [(one.method, one.path, one.query, one.body) for one in recorder.asked]
        recorder.asked.clear()
        assert not run_step(key, body | {name: value}, {"server": recorder.url}).errors
        assert left_out
        assert [(one.method, one.path, one.query, one.body) for one in recorder.asked] == left_out
