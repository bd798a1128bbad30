"""The entry point of the image, with a stand-in for python that says what it was asked for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.waiting import DEADLINE

ROOT = Path(__file__).resolve().parents[2]
DISPATCH = ROOT / "bin" / "dispatch"
RUNTIME = "./node_modules/elasticio-sailor-nodejs"
STEP = f"{ROOT}: -m lib.sailor.run"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with what the image has on its PATH."""
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$PWD: $*"\n', encoding="utf-8")
    python.chmod(0o755)
    for name in ("npm", "node"):
        (tmp_path / name).symlink_to(DISPATCH)
    return tmp_path


def called(programs: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = f"{programs}:{os.environ['PATH']}"
    return subprocess.run(
        command, env={"PATH": path}, cwd="/", capture_output=True, text=True, check=False, timeout=DEADLINE
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["npm", "start"],
        ["npm", "run", "start"],
        ["node", f"{RUNTIME}/run.js"],
        [f"{RUNTIME}/run.js"],
    ],
)
def test_every_way_to_start_a_step(programs: Path, arguments: list[str]) -> None:
    assert called(programs, str(DISPATCH), *arguments).stdout.strip() == STEP


@pytest.mark.parametrize("method", ["verifyCredentials", "getMetaModel", "selectModel"])
@pytest.mark.parametrize(
    "before",
    [[], [f"{RUNTIME}/runService.js"], ["node", f"{RUNTIME}/runService.js"], ["node", "runService.js"]],
)
def test_every_way_to_make_a_service_call(programs: Path, before: list[str], method: str) -> None:
    done = called(programs, str(DISPATCH), *before, method)

    assert done.stdout.strip() == f"{ROOT}: -m lib.sailor.service {method}"


def test_an_unknown_service_method_is_answered_by_the_runtime(programs: Path) -> None:
    done = called(programs, str(DISPATCH), "runService.js", "unheardOf")

    assert done.stdout.strip() == f"{ROOT}: -m lib.sailor.service unheardOf"


@pytest.mark.parametrize("command", [["npm", "start"], ["node", f"{RUNTIME}/run.js"]])
def test_npm_and_node_are_there_when_the_entry_point_is_replaced(programs: Path, command: list[str]) -> None:
    assert called(programs, *command).stdout.strip() == STEP


def test_any_other_program_runs_as_itself(programs: Path) -> None:
    assert called(programs, str(DISPATCH), "echo", "a b", "c").stdout == "a b c\n"


@pytest.mark.parametrize("command", [["npm", "install"], ["node", "--version"], ["node"]])
def test_npm_and_node_say_that_they_are_stand_ins(programs: Path, command: list[str]) -> None:
    done = called(programs, *command)

    assert (done.returncode, done.stdout) == (64, "")
    assert "Python" in done.stderr
