"""A read-only credential: every operation that writes is refused before the engine hears of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStorage
from tests.actions.inputs import FACTS
from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step
from tests.engine.scripted import Scripted, answer, say

# They tell or wait, though they are POSTs.
READS_BY_POST = {"ContainerWait", "SystemAuth"}
# GETs, but a conversation with a process, and a key that opens the swarm (fault 8.29).
WRITES_BY_GET = {"ContainerAttachWebsocket", "SwarmUnlockkey"}


def writes(key: str) -> bool:
    if FACTS.operations[key]["method"] in ("GET", "HEAD"):
        return key in WRITES_BY_GET
    return key not in READS_BY_POST


def message(key: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any], FolderStorage]:
    storage = FolderStorage(str(folder))
    body: dict[str, Any] = FACTS.examples[key]
    attachments: dict[str, Any] = {}
    if "attachment" in body:
        attachments[body["attachment"]] = storage.store([b"x"], content_type="application/x-tar")
    return body, attachments, storage


@pytest.mark.parametrize("key", [key for key in FACTS.operations if writes(key)])
def test_a_write_is_refused_before_it_is_sent(key: str, tmp_path: Path) -> None:
    body, attachments, storage = message(key, tmp_path)
    with Recorder(tmp_path) as recorder:
        config = {"server": recorder.url, "accessMode": "readOnly", "errorPolicy": "rebound"}
        outcome = run_step(key, body, config, attachments=attachments, storage=storage)
    assert [error["name"] for error in outcome.errors] == ["ReadOnly"]
    assert recorder.asked == []
    assert outcome.rebounds == []


@pytest.mark.parametrize("key", [key for key in FACTS.operations if not writes(key)])
def test_a_read_goes_through(key: str, tmp_path: Path) -> None:
    body, attachments, storage = message(key, tmp_path)
    with Recorder(tmp_path) as recorder:
        config = {"server": recorder.url, "accessMode": "readOnly"}
        outcome = run_step(key, body, config, attachments=attachments, storage=storage)
    assert [error["name"] for error in outcome.errors if error["name"] == "ReadOnly"] == []
    assert recorder.asked


@pytest.mark.parametrize("mode", ["readOnly", "full"])
def test_fault_8_29_join_tokens_are_for_those_who_may_write(mode: str, tmp_path: Path) -> None:
    swarm = {
        "ID": "s",
        "JoinTokens": {"Worker": "SWMTKN-w", "Manager": "SWMTKN-m"},
        "Spec": {"Name": "default"},
    }
    with Scripted(tmp_path, say(answer(json.dumps(swarm).encode()))) as engine:
        outcome = run_step("SwarmInspect", {}, {"server": engine.url, "accessMode": mode})
    wanted = {name: item for name, item in swarm.items() if mode == "full" or name != "JoinTokens"}
    assert outcome.bodies == [wanted]
    assert ("SWMTKN" in json.dumps(outcome.bodies)) == (mode == "full")


def test_fault_8_29_a_swarm_of_another_form_shows_nothing(tmp_path: Path) -> None:
    with Scripted(tmp_path, say(answer(b'["SWMTKN-w"]'))) as engine:
        outcome = run_step("SwarmInspect", {}, {"server": engine.url, "accessMode": "readOnly"})
    assert [error["name"] for error in outcome.errors] == ["EngineFault"]
    assert "SWMTKN" not in json.dumps([outcome.errors, outcome.bodies])
