"""Fields that no schema knows, through the whole step (fault 8.31)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step

BODY: dict[str, Any] = {"requestBody": {"Image": "x", "HostConfig": {"Memry": 5}}}


@pytest.mark.parametrize("setting", [{}, {"unknownFields": ""}, {"unknownFields": "refuse"}])
def test_a_misspelt_limit_is_no_container_without_a_limit(tmp_path: Path, setting: dict[str, str]) -> None:
    """Fault 8.31: nothing is sent, and the error says what was meant and what lets it pass."""
    with Recorder(tmp_path) as recorder:
        outcome = run_step("ContainerCreate", BODY, {"server": recorder.url, **setting})
    assert recorder.asked == []
    (error,) = outcome.errors
    assert error["name"] == "BadInput"
    assert "requestBody.HostConfig.Memry" in error["message"]
    assert "did you mean Memory?" in error["message"]
    assert "unknownFields" in error["message"]


def test_a_step_can_pass_on_what_only_a_newer_engine_knows(tmp_path: Path) -> None:
    """Fault 8.31."""
    with Recorder(tmp_path) as recorder:
        run_step("ContainerCreate", BODY, {"server": recorder.url, "unknownFields": "pass"})
    assert json.loads(recorder.asked[0].body) == BODY["requestBody"]


def test_a_name_in_another_case_is_sent_as_the_engine_writes_it(tmp_path: Path) -> None:
    """Fault 8.31: so that the version's marks and all checks hold for it."""
    body = {"requestBody": {"image": "x", "hostConfig": {"memory": 5}}}
    with Recorder(tmp_path) as recorder:
        run_step("ContainerCreate", body, {"server": recorder.url})
    assert json.loads(recorder.asked[0].body) == {"Image": "x", "HostConfig": {"Memory": 5}}
