"""SettleOutcome and any JSON in `fields`, `error` and `since`, and answers that are none: an error, never a fall."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.job.settle.sameness import covers
from lib.job.settle.settled import PROOFS
from tests.actions.stepping import COMPONENT, forget_engines, run_step
from tests.engine.scripted import Act, Scripted, answer, say
from tests.local.running import ROOT

KEY = "SettleOutcome"
ODD: list[Any] = [
    5,
    -1,
    1.5,
    True,
    [],
    [5],
    {},
    {"x": 5},
    "",
    "x" * 5000,
    "../../x",
    "a\r\nb",
    "\x00",
    "\ud800",
    None,
]
DATE = b"HTTP/1.1 200 OK\r\nDate: Mon, 21 Sep 2026 14:13:20 GMT\r\nContent-Length: 0\r\n\r\n"
_ENGINES = ("EngineFault", "EngineError", "NoAnswer", "StreamCut")
NOWHERE = {"server": "2", "otherServer": "unix:///nowhere.sock", "errorPolicy": "emit"}


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def answers(*values: Any) -> list[Act]:
    return [say(answer(json.dumps(value).encode())) for value in values]


def told(folder: Path, body: Any, *acts: Act) -> Any:
    """The body that a step emits; it has to emit exactly one."""
    with Scripted(folder, *acts) as server:
        outcome = run_step(KEY, body, {**NOWHERE, "otherServer": server.url})
        (found,) = outcome.bodies
        assert not outcome.errors
        return found


@pytest.mark.parametrize("operation", sorted(PROOFS))
def test_fields_of_any_kind_are_refused_or_looked_for(tmp_path: Path, operation: str) -> None:
    """Each answer is an object, which fits no question; nothing falls over."""
    names = ("id", "name", "repo", "tag", "t", "fromImage", "requestBody", "signal", "version")
    for number, odd in enumerate(ODD):
        folder = tmp_path / str(number)
        folder.mkdir()
        for fields in (
            dict.fromkeys(names, odd),
            {"requestBody": {"Name": odd, "Container": odd, "Cmd": odd}},
        ):
            forget_engines()
            (folder / "engine.sock").unlink(missing_ok=True)
            body = {"operation": operation, "fields": fields, "since": "2026-01-01T00:00:00Z"}
            found = told(folder, body, *([say(DATE), *answers({})] * 8))
            if "error" in found:
                assert found["error"]["name"] in ("BadInput", *_ENGINES), found
            else:
                assert found["outcome"] in ("happened", "didNotHappen", "unknown")


@pytest.mark.parametrize("error", ODD, ids=lambda value: repr(value)[:20])
def test_an_error_of_any_kind_says_nothing(tmp_path: Path, error: Any) -> None:
    gone = say(answer(b'{"message": "No such container"}', "404 Not Found"))
    for number, whole in enumerate(
        (error, {"name": error, "run": error}, {"error": error}, {"error": {"name": error}})
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        forget_engines()
        body = {"operation": "ContainerDelete", "fields": {"id": "x"}, "error": whole, "since": "1"}
        found = told(folder, body, gone)
        assert found.get("outcome") == "happened" or found["error"]["name"] == "BadInput", found


@pytest.mark.parametrize(
    "operation",
    ["nowhere", "../x", "ContainerCreate.in", "RunContainer", "SettleOutcome", "containerCreate", "\u0430"],
)
def test_an_operation_that_is_none_is_refused(operation: str) -> None:
    (found,) = run_step(KEY, {"operation": operation}, NOWHERE).bodies
    assert (found["error"]["name"], found["error"]["field"]) == ("BadInput", "operation")


@pytest.mark.parametrize("since", ["yesterday", -5, "-5d", [], {}, "9" * 100, "2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused(since: Any) -> None:
    body = {"operation": "ContainerStart", "fields": {"id": "x"}, "since": since}
    (found,) = run_step(KEY, body, NOWHERE).bodies
    assert (found["error"]["name"], found["error"]["field"]) == ("BadInput", "since")


@pytest.mark.parametrize("operation", sorted(PROOFS))
@pytest.mark.parametrize(
    "odd", [5, [], {}, "text", [5], None, {"State": 5, "Spec": 5, "Version": 5}], ids=json.dumps
)
def test_answers_that_are_none_fail_as_such(tmp_path: Path, operation: str, odd: Any) -> None:
    names = ("id", "name", "repo", "t", "fromImage", "container")
    fields: dict[str, Any] = dict.fromkeys(names, "web") | {"tag": "1"}
    fields["requestBody"] = {"Name": "web", "Container": "web", "Cmd": ["true"]}
    body = {"operation": operation, "fields": fields, "since": "2026-01-01T00:00:00Z"}
    answered = answers(odd)
    for number, acts in enumerate((answered * 8, [*answered, say(DATE)] * 6, [say(DATE), *answered] * 6)):
        folder = tmp_path / str(number)
        folder.mkdir()
        forget_engines()
        found = told(folder, body, *acts)
        if "error" in found:
            assert found["error"]["name"] in _ENGINES, found
        else:
            assert found["outcome"] in ("happened", "didNotHappen", "unknown"), found


@pytest.mark.parametrize("operation", ["SecretCreate", "ContainerCreate", "ImageCreate", "ContainerExec"])
def test_secrets_of_the_input_stand_in_no_error_and_no_log(operation: str) -> None:
    login = {"username": "joe", "password": "hunter-22-x"}
    fields = {
        "id": "web",
        "name": "web",
        "requestBody": {"Name": "web", "Data": "aHVudGVyLTIyLXg=", "Env": ["PASSWORD=hunter-22-x"], "Cmd": 5},
        "fromImage": "web:1",
        "X-Registry-Auth": login,
    }
    for policy in ("throwError", "emit"):
        outcome = run_step(
            KEY, {"operation": operation, "fields": fields, "since": "1"}, {**NOWHERE, "errorPolicy": policy}
        )
        whole = json.dumps([outcome.errors, outcome.bodies, outcome.log])
        assert "Unreachable" in whole
        assert "aHVudGVyLTIyLXg" not in whole
        assert "hunter-22-x" not in whole


def test_each_operation_that_changes_something_is_settled_or_known_to_be_beyond_proof() -> None:
    beyond = {
        *(
            "ContainerAttach",
            "ContainerAttachWebsocket",
            "ContainerResize",
            "ContainerWait",
            "ExecResize",
            "Session",
        ),
        *("PluginCreate", "PluginPull", "PluginPush", "PluginSet", "PluginUpgrade"),
        *("SwarmUnlock", "SystemAuth", "VolumeUpdate"),
    }
    facts = json.loads((ROOT / "lib/metadata/facts/operations.json").read_text("utf-8"))
    changing = {key for key, one in facts.items() if one["method"] not in ("GET", "HEAD")}
    assert changing - PROOFS.keys() == beyond - {"ContainerAttachWebsocket"}
    assert PROOFS.keys() <= changing
    assert COMPONENT.function(KEY).process is not None


@pytest.mark.parametrize(
    ("given", "found", "same"),
    [
        ({}, None, True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": "1"}, {"a": 1}, True),
        ({"a": True}, {"a": 1}, False),
        ({"a": None, "b": "", "c": 0, "d": False, "e": [], "f": {}}, {}, True),
        ({"a": 0}, {"a": 5}, False),
        ({"a": [1, 2]}, {"a": [1, 2]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": []}, {"a": [1]}, False),
        ({"a": {"b": {"c": "x"}}}, {"a": {"b": {"c": "x", "d": 1}}}, True),
        ({"a": {"b": "x"}}, {"a": "x"}, False),
        ("x", {"x": 1}, False),
    ],
    ids=repr,
)
def test_what_is_given_is_there(given: Any, found: Any, same: bool) -> None:
    assert covers(given, found) is same


def test_what_is_nested_too_deeply_is_not_the_same() -> None:
    deep: Any = "x"
    for _ in range(10_000):
        deep = {"a": deep}
    assert not covers(deep, deep)
