"""When an earlier run of a container ended, as an engine's events say: a scripted engine on a socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.credentials import open_engine
from lib.job.last_end import end_before
from tests.engine.scripted import Scripted, chunked, say

ID = "a" * 64
BEGAN = 1_790_000_000
STARTED = (BEGAN + 100) * 10**9


def die(second: int, **attributes: str) -> dict[str, Any]:
    actor = {"ID": ID, "Attributes": attributes}
    return {"Action": "die", "Actor": actor, "timeNano": (BEGAN + second) * 10**9}


def end(folder: Path, *events: dict[str, Any]) -> int | None:
    with Scripted(folder, say(chunked(*events))) as server:
        engine = open_engine({"server": "2", "otherServer": server.url}, warn=print)
        try:
            return end_before(engine, ID, STARTED)
        finally:
            engine.close()


def test_the_last_end_before_the_start_counts(tmp_path: Path) -> None:
    assert end(tmp_path, die(20), die(90), die(101)) == (BEGAN + 90) * 10**9


def test_without_an_end_there_is_none(tmp_path: Path) -> None:
    assert end(tmp_path) is None


@pytest.mark.parametrize(
    "events",
    [[die(20, label="x" * 5_000_000), die(90)], [die(20)] * 1_001 + [die(90)]],
    ids=["bytes", "events"],
)
def test_more_than_is_read_proves_nothing(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    assert end(tmp_path, *events) is None
