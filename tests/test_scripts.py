from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHELL = ("bash", "basename", "cat", "cksum", "dirname", "env", "id", "tail", "mktemp", "rm", "flock")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts and lock files in a folder that has no virtual environment."""
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", clone / "scripts")
    for lock in ROOT.glob("requirements*.txt"):
        shutil.copy(lock, clone)
    return clone


def run(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([script], cwd="/", env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", ["run", "test", "lint"])
def test_without_a_new_enough_python_the_scripts_say_what_to_install(
    clone: Path, tmp_path: Path, name: str
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for program in SHELL:
        (programs / program).symlink_to(shutil.which(program) or "/missing")
    done = run(clone / "scripts" / name, PATH=str(programs), HOME=str(tmp_path))
    assert done.returncode == 1
    assert "python3.11-venv" in done.stderr


def test_without_a_registry_the_reason_and_the_remedy_are_told(clone: Path) -> None:
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:1/", "PIP_RETRIES": "0"}
    done = run(clone / "scripts" / "run", PATH=os.environ["PATH"], HOME=os.environ["HOME"], **nowhere)
    assert done.returncode == 1
    assert "Check the network" in done.stderr
    assert len(done.stderr.splitlines()) < 10


def test_a_second_start_does_nothing_and_says_nothing(clone: Path) -> None:
    programs = clone / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").write_text('#!/bin/sh\necho started "$@"\n')
    (programs / "python").chmod(0o755)
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    run(clone / "scripts" / "run", **environment)
    done = run(clone / "scripts" / "run", **environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "started -P -m lib.local\n", "")


def test_contributing_says_what_each_command_is_for() -> None:
    """The first word of a row's first cell is the command: `scripts/test [pytest arguments]`."""
    there = {
        f"{folder}/{file.name}"
        for folder in ("scripts", "bin", ".ci")
        for file in (ROOT / folder).iterdir()
        if file.is_file()
    }
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("\n## Commands\n")[2]
    commands = re.findall(r"^\| `([^` ]+)[^`]*`[^|]*\| \S.* \|$", page, re.MULTILINE)

    assert sorted(name for name in commands if name.startswith(("scripts/", "bin/", ".ci/"))) == sorted(there)
