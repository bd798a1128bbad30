"""Mistakes that people make get the hint that helps, before anything is sent (fault 8.33)."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStorage
from tests.actions.recorder import Recorder
from tests.actions.stepping import run_step
from tests.engine.scripted import Scripted, say_and_close

SECRET = "canary plain text"
UPLOADS: list[tuple[str, dict[str, Any]]] = [
    ("PutContainerArchive", {"id": "web", "path": "/"}),
    ("ImageBuild", {}),
    ("ImageLoad", {}),
    ("ImageCreate", {"fromSrc": "-"}),
    ("PluginCreate", {"name": "x"}),
]


def refused(key: str, body: dict[str, Any], folder: Path, **options: Any) -> str:
    """The message of the step's only error; nothing was asked."""
    with Recorder(folder) as recorder:
        outcome = run_step(key, body, {"server": recorder.url, "errorPolicy": "rebound"}, **options)
    assert recorder.asked == []
    assert (outcome.messages, outcome.rebounds) == ([], [])
    assert [error["name"] for error in outcome.errors] == ["BadInput"]
    return str(outcome.errors[0]["message"])


@pytest.mark.parametrize(("key", "body"), UPLOADS)
def test_a_file_that_is_no_archive(key: str, body: dict[str, Any], tmp_path: Path) -> None:
    """Fault 8.33."""
    storage = FolderStorage(str(tmp_path / "files"))
    files = {"f": storage.store([b"PK\x03\x04 a zip"], content_type="application/zip")}
    told = refused(key, {**body, "attachment": "f"}, tmp_path, attachments=files, storage=storage)
    assert told.startswith('attachment ("')
    assert "is no tar archive but a zip archive" in told


@pytest.mark.parametrize(("key", "body"), UPLOADS)
def test_base64_of_what_is_no_archive(key: str, body: dict[str, Any], tmp_path: Path) -> None:
    """Fault 8.33."""
    inline = base64.b64encode(b"hello").decode()
    told = refused(key, {**body, "requestBody": inline}, tmp_path)
    assert told.startswith('requestBody ("')
    assert "is no tar archive but plain text" in told


@pytest.mark.parametrize("key", ["SecretCreate", "ConfigCreate"])
@pytest.mark.parametrize("data", [SECRET, "canary", "Y2FuYXJ5="])
def test_plain_text_where_base64_is_needed(key: str, data: str, tmp_path: Path) -> None:
    """Fault 8.33."""
    told = refused(key, {"requestBody": {"Name": "x", "Data": data}}, tmp_path)
    assert told.startswith("requestBody.Data")
    assert "base64encode" in told
    assert data not in told


@pytest.mark.parametrize("names", [None, "", []])
def test_no_images_to_save(names: Any, tmp_path: Path) -> None:
    """Fault 8.33: the answer was an archive with nothing in it."""
    told = refused("ImageGetAll", {"names": names}, tmp_path)
    assert told.startswith('names ("')
    assert "is missing" in told


def test_an_update_that_changes_nothing(tmp_path: Path) -> None:
    """Fault 8.33."""
    told = refused("ServiceUpdate", {"id": "web", "version": 3}, tmp_path)
    assert told.startswith('requestBody ("Service settings") is missing')
    assert 'rollback: "previous"' in told


@pytest.mark.parametrize("version", [None, 5])
def test_a_rollback_needs_no_body(version: int | None, tmp_path: Path) -> None:
    """Fault 8.33: engines want to see the specification, though they take another one."""
    with Recorder(tmp_path) as recorder:
        body: dict[str, Any] = {"id": "web", "rollback": "previous"}
        body |= {"version": version} if version else {}
        outcome = run_step("ServiceUpdate", body, {"server": recorder.url})
    assert outcome.errors == []
    read, updated = recorder.asked
    assert (read.method, read.path) == ("GET", "/services/web")
    assert dict(updated.query) == {"version": str(version or 7), "rollback": "previous"}
    assert b'"Kept":true' in updated.body


@pytest.mark.parametrize(
    ("key", "body", "path"),
    [
        ("ImagePush", {"name": "registry.lab/shop/web"}, "/images/registry.lab/shop/web/push"),
        ("ContainerStop", {"id": "web"}, "/containers/web/stop"),
        ("ExecStart", {"id": "abc"}, "/exec/abc/start"),
    ],
)
def test_the_path_of_an_error_is_the_real_one(
    key: str, body: dict[str, Any], path: str, tmp_path: Path
) -> None:
    """Fault 8.33: the template stood there."""
    with Recorder(tmp_path) as recorder:
        outcome = run_step(key, body, {"server": recorder.url, "accessMode": "readOnly"})
    assert f"{path}]" in outcome.errors[0]["message"]


def test_the_path_of_a_cut_stream_is_the_real_one(tmp_path: Path) -> None:
    """Fault 8.33."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
    with Scripted(tmp_path, say_and_close(head + b'{"status":"x"}\n')) as engine:
        outcome = run_step("ImagePush", {"name": "registry.lab/shop/web"}, {"server": engine.url})
    assert "POST /v1.41/images/registry.lab/shop/web/push]" in outcome.errors[0]["message"]
