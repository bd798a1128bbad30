"""Messages that cannot become a request: the error names the field and what it should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step

CASES: list[tuple[str, Any, tuple[str, ...]]] = [
    ("ContainerInspect", {}, ("id", "required")),
    ("ContainerInspect", {"id": ""}, ("id",)),
    ("ContainerInspect", {"id": None}, ("id",)),
    ("ContainerInspect", {"id": ["a"]}, ("id", "text")),
    ("ContainerInspect", {"Id": "a", "id": "a"}, ("Id", "did you mean id")),
    ("ContainerInspect", [], ("object",)),
    ("ContainerInspect", "web", ("object",)),
    ("ContainerList", {"limit": "many"}, ("limit", "whole number")),
    ("ContainerList", {"limit": 1.5}, ("limit", "whole number")),
    ("ContainerList", {"all": "perhaps"}, ("all", "true or false")),
    ("ContainerList", {"filters": "{bad"}, ("filters", "JSON")),
    ("ContainerList", {"filters": ["a"]}, ("filters", "object")),
    ("ContainerList", {"filters": {"label": {"a": {"b": 1}}}}, ("filters.label.a", "key=value")),
    ("ContainerList", {"filters": {"exited": {"0": True}}}, ()),
    ("ContainerCreate", {"requestBody": {"Image": 5}}, ("requestBody.Image", "text")),
    (
        "ContainerCreate",
        {"requestBody": {"HostConfig": {"Binds": "a"}}},
        ("requestBody.HostConfig.Binds", "list"),
    ),
    ("ContainerCreate", {}, ("requestBody", "required")),
    ("ContainerLogs", {"id": "a", "since": "yesterday"}, ("since", "no time")),
    ("ContainerLogs", {"id": "a", "until": 1700000000000}, ("until", "milliseconds")),
    ("ContainerLogs", {"id": "a", "tail": "ten"}, ("tail", "all")),
    ("ContainerLogs", {"id": "a", "tail": -5}, ("tail", "from 0 up")),
    ("ContainerResize", {"id": "a", "h": -1, "w": 5}, ("h", "from 0 up")),
    (
        "NodeUpdate",
        {"id": "a", "version": "9" * 30, "requestBody": {"Role": "manager"}},
        ("version", "from 0 up"),
    ),
    ("SystemEvents", {"since": -1}, ("since", "before 1970")),
    ("ContainerPrune", {"filters": {"until": 1700000000000}}, ("filters.until", "milliseconds")),
    ("ContainerInspect", {"id": "a\ud800"}, ("id", "surrogate")),
    ("ContainerTop", {"id": "a", "ps_args": "\udfff"}, ("ps_args", "surrogate")),
    ("VolumeCreate", {"requestBody": {"Labels": {"a": "\ud800"}}}, ("requestBody", "surrogate")),
    ("ImageBuild", {"dockerfileText": "FROM \ud800"}, ("dockerfileText", "surrogate")),
    ("BuildPrune", {"reserved_space": -1}, ("reserved_space", "from 0 up")),
    ("ContainerWait", {"id": "a", "condition": "never"}, ("condition", "not-running")),
    ("PutContainerArchive", {"id": "a", "path": "/", "file": {"name": "x"}}, ("file.content", "required")),
    ("ImageBuild", {"requestBody": "not base64!"}, ("requestBody", "base64")),
    ("ImageBuild", {"url": "file:///etc/passwd"}, ("url", "http")),
    ("ImageBuild", {}, ("attachment",)),
    ("ImageLoad", {"attachment": "missing"}, ("attachment", "missing")),
    ("ImageBuild", {"dockerfileText": "FROM x", "buildargs": "{"}, ("buildargs", "JSON")),
    ("DistributionInspect", {"name": "a", "X_Registry_Auth": "{bad"}, ("X_Registry_Auth",)),
    ("DistributionInspect", {"name": "a", "X_Registry_Auth": {"user": "x"}}, ("X_Registry_Auth", "user")),
]


@pytest.mark.parametrize(("key", "body", "told"), CASES)
def test_the_error_names_the_field(key: str, body: Any, told: tuple[str, ...], tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        outcome = run_step(key, body, {"server": recorder.url, "errorPolicy": "rebound"})
    if not told:  # an old form that is still taken
        assert recorder.asked
        return
    assert recorder.asked == []
    assert outcome.rebounds == []
    (error,) = outcome.errors
    assert error["name"] in ("BadInput", "VersionMismatch")
    assert all(part in error["message"] for part in told), error["message"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"server": "2"}, "otherServer"),
        ({"server": "ftp://x"}, "server"),
        ({"maxItems": "-1"}, "maxItems"),
        ({"maxSeconds": "soon"}, "maxSeconds"),
        ({"emitBehavior": "sometimes"}, "emitBehavior"),
        ({"errorPolicy": "hope"}, "errorPolicy"),
        ({"accessMode": "half"}, "accessMode"),
        ({"apiVersion": "new"}, "apiVersion"),
        ({"apiVersion": 1.4}, "apiVersion"),
        ({"server": "http://a..b"}, "server"),
        ({"tlsServerName": "a..b"}, "tlsServerName"),
        ({"tlsKeyPassword": 5}, "tlsKeyPassword"),
        ({"proxy": "https://proxy:3129"}, "proxy"),
        ({"proxyPassword": "hush-hush"}, "proxyPassword"),
        ({"registries": "{"}, "registries"),
        ({"registries": '["a"]'}, "registries"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], told: str, tmp_path: Path) -> None:
    with Recorder(tmp_path) as recorder:
        outcome = run_step("ContainerList", {}, {"server": recorder.url, **settings})
    assert [error["name"] for error in outcome.errors] == ["BadInput"]
    assert told in outcome.errors[0]["message"]
    assert recorder.asked == []


def test_secrets_of_a_message_are_in_no_error(tmp_path: Path) -> None:
    secret = "canary-5f2a9e"
    body = {"requestBody": {"username": "me", "password": secret, "serveraddress": [secret]}}
    with Recorder(tmp_path) as recorder:
        outcome = run_step("SystemAuth", body, {"server": recorder.url})
    assert len(outcome.errors) == 1
    assert secret not in str(outcome.errors)


def test_inputs_of_a_mapper_that_found_nothing_are_left_out(tmp_path: Path) -> None:
    body: dict[str, Any] = {"all": "", "limit": None, "filters": {}}
    with Recorder(tmp_path) as recorder:
        outcome = run_step("ContainerList", body, {"server": recorder.url})
    assert not outcome.errors
    assert all(value == "{}" for _, value in recorder.asked[0].query)
