"""A trigger on the command line: killed, and resumed from its state with nothing missing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.trigger_lab import engines_closed, own_engine
from tests.lab.engine import LabEngine
from tests.lab.waiting import DEADLINE, wait_until
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]
CONFIG = json.dumps({"types": ["container"], "actions": "die"})


def started(engine: LabEngine, folder: Path, output: str) -> subprocess.Popen[bytes]:
    arguments = [
        "trigger",
        "engineEvents",
        "--every",
        "0.5s",
        "--state",
        str(folder / "state"),
        "--config",
        CONFIG,
    ]
    with (folder / output).open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "lib.local", *arguments, "--json"],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.DEVNULL,
            # A killed runner cannot remove its folder of attachments.
            env={**os.environ, "DOCKER_HOST": engine.url, "TMPDIR": str(folder)},
        )


def lines(file: Path) -> list[dict[str, Any]]:
    whole = file.read_text("utf-8").rpartition("\n")[0]  # the last line may be there in part
    return [json.loads(line) for line in whole.splitlines()]


def messages_of(file: Path) -> list[dict[str, Any]]:
    return [line["message"] for line in lines(file) if line["event"] == "data"]


def died(file: Path) -> list[str]:
    return [message["body"]["name"] for message in messages_of(file)]


def crash(engine: LabEngine, name: str) -> None:
    container = engine.run(["sh", "-c", "exit 1"], name=name)
    engine.wait(container)
    engine.remove(container)


def test_killed_and_resumed_from_its_state_nothing_is_missing(own_engine: LabEngine, tmp_path: Path) -> None:
    process = started(own_engine, tmp_path, "first")
    try:
        wait_until(lambda: lines(tmp_path / "first"), "the first poll")
        crash(own_engine, "before")
        wait_until(lambda: died(tmp_path / "first") == ["before"], "the first crash")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    crash(own_engine, "meanwhile")
    process = started(own_engine, tmp_path, "second")
    try:
        crash(own_engine, "after")
        wait_until(lambda: {"meanwhile", "after"} <= set(died(tmp_path / "second")), "the others")
    finally:
        process.terminate()
        process.wait(DEADLINE)
    messages = [*messages_of(tmp_path / "first"), *messages_of(tmp_path / "second")]
    told = [(one["body"]["name"], one["id"]) for one in messages]
    situation, truth = "command line, killed and resumed", ["before", "meanwhile", "after"]
    record("engineEvents", own_engine.version, situation, told=told, truth=truth)
