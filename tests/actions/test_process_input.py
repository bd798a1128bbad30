"""Input for processes that cannot hear it is refused before it is sent (fault 8.9)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStorage
from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step
from tests.engine.scripted import Scripted, answer, say

CONTAINER = {"Config": {"Tty": False, "OpenStdin": False}, "State": {"Status": "running", "Running": True}}
ENDED = {"Config": {"Tty": False, "OpenStdin": True}, "State": {"Status": "exited", "Running": False}}
EXEC = {"ProcessConfig": {"tty": False}, "OpenStdin": False, "Running": False}
FILE = {"data": {"url": "http://nowhere.invalid/never-opened"}}


@pytest.mark.parametrize(
    ("key", "told", "body", "field", "remedy"),
    [
        ("ExecStart", EXEC, {"stdin": "x"}, "stdin", "AttachStdin: true"),
        ("ExecStart", EXEC, {"stdinAttachment": "data"}, "stdinAttachment", "AttachStdin: true"),
        ("ContainerAttach", CONTAINER, {"stdinText": "x"}, "stdinText", "OpenStdin: true"),
        ("ContainerAttach", CONTAINER, {"stdinAttachment": "data"}, "stdinAttachment", "OpenStdin: true"),
        ("ContainerAttachWebsocket", CONTAINER, {"stdinText": "x"}, "stdinText", "OpenStdin: true"),
        ("ContainerAttach", ENDED, {"stdinText": "x"}, "stdinText", "ContainerStart"),
        ("ContainerAttachWebsocket", ENDED, {"stdinText": "x"}, "stdinText", "ContainerStart"),
    ],
)
def test_input_that_would_vanish_is_refused(
    key: str, told: dict[str, Any], body: dict[str, Any], field: str, remedy: str, tmp_path: Path
) -> None:
    """Fault 8.9: only the look at the object is sent."""
    storage = FolderStorage(str(tmp_path))
    with Scripted(tmp_path, say(answer(json.dumps(told).encode()))) as engine:
        config = {"server": engine.url, "errorPolicy": "rebound"}
        outcome = run_step(key, {"id": "web", **body}, config, attachments=FILE, storage=storage)
        assert len(engine.requests) == 1
        assert engine.requests[0].startswith(b"GET ")
    assert (outcome.messages, outcome.rebounds) == ([], [])
    (error,) = outcome.errors
    assert error["name"] == "BadInput"
    assert error["message"].startswith(f'{field} ("')
    assert remedy in error["message"]


@pytest.mark.parametrize(
    ("key", "body", "parts"),
    [
        ("ExecStart", {"stdin": "x", "requestBody": {"Detach": True}}, ("stdin", "Detach")),
        ("ExecStart", {"stdin": "x", "stdinAttachment": "data"}, ("stdin", "stdinAttachment", "give one")),
        ("ContainerAttach", {"stdinText": "x", "stdinAttachment": "data"}, ("stdinText", "give one")),
        ("ContainerAttach", {"stdinAttachment": "other"}, ("stdinAttachment", "the message has no 'other'")),
    ],
)
def test_input_that_contradicts_other_fields_is_refused(
    key: str, body: dict[str, Any], parts: tuple[str, ...], tmp_path: Path
) -> None:
    """Fault 8.9."""
    storage = FolderStorage(str(tmp_path))
    with Recorder(tmp_path) as recorder:
        outcome = run_step(
            key, {"id": "web", **body}, {"server": recorder.url}, attachments=FILE, storage=storage
        )
    assert recorder.asked == []
    assert [error["name"] for error in outcome.errors] == ["BadInput"]
    assert all(part in outcome.errors[0]["message"] for part in parts), outcome.errors


def test_a_switch_that_came_as_text_is_no_input(tmp_path: Path) -> None:
    """Fault 8.9, the other way round: `stdin: "true"` of ContainerAttach was sent to the process as its input."""
    told = say(answer(json.dumps(CONTAINER).encode()))
    refused = say(answer(b'{"message":"no"}', "409 Conflict"))
    with Scripted(tmp_path, told, refused) as engine:
        outcome = run_step("ContainerAttach", {"id": "web", "stdin": "true"}, {"server": engine.url})
    assert [error["name"] for error in outcome.errors] == ["Conflict"]
