"""The stand-in for the platform, asked by the runtime's own clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib.local.broker.platform_server import USER, PlatformServer
from lib.sailor.errors import RequestError, StorageError
from lib.sailor.platform.api import Platform
from lib.sailor.platform.attachments import Attachments
from lib.sailor.settings import Settings


@pytest.fixture
def platform_server(tmp_path: Path) -> Iterator[PlatformServer]:
    step = {"config": {"a": 1}, "snapshot": {"n": 2}, "is_passthrough": True, "variables": {"v": "x"}}
    with PlatformServer("flow", {"step_1": step}, tmp_path / "attachments") as running:
        yield running


@pytest.fixture
def settings(platform_server: PlatformServer) -> Settings:
    return Settings(
        flow_id="flow", api_uri=platform_server.url, api_username=USER, api_key=platform_server.key
    )


def test_a_step_is_told_its_data(settings: Settings) -> None:
    step = Platform(settings).step()

    assert (step.config, step.snapshot, step.passthrough, step.variables) == (
        {"a": 1},
        {"n": 2},
        True,
        {"v": "x"},
    )


def test_a_wrong_key_is_refused(settings: Settings) -> None:
    with pytest.raises(RequestError) as caught:
        Platform(replace(settings, api_key="wrong")).step()

    assert caught.value.status == 401


def test_an_unknown_step_is_refused(settings: Settings) -> None:
    with pytest.raises(RequestError) as caught:
        Platform(replace(settings, step_id="step_9")).step()

    assert caught.value.status == 404


def test_start_up_state_is_kept_until_it_is_deleted(
    settings: Settings, platform_server: PlatformServer
) -> None:
    platform = Platform(settings)

    platform.store_startup({"hook": 5})
    kept = platform.read_startup()
    platform.delete_startup()

    assert (kept, platform_server.startup_state) == ({"hook": 5}, None)


@pytest.mark.parametrize("size", [None, 200_000])
def test_attachments_go_in_and_out_in_pieces(settings: Settings, size: int | None) -> None:
    storage = Attachments(settings, Platform(settings))

    entry = storage.store(iter([b"x" * 100_000] * 2), content_type="text/plain", size=size)
    with storage.open(entry) as blob:
        content = b"".join(blob.chunks())

    assert (entry["size"], content) == (200_000, b"x" * 200_000)


def test_an_attachment_that_is_not_there_is_told(settings: Settings, platform_server: PlatformServer) -> None:
    with pytest.raises(StorageError):
        Attachments(settings, Platform(settings)).open({"url": f"{platform_server.url}/storage/0-0"})
