"""The variable ENGINES: engines of any version for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.engine_folders import engine_folders
from tests.lab.waiting import DEADLINE
from tests.local.running import ROOT


def folder(place: Path, name: str, told: str) -> str:
    """A folder whose dockerd tells this version."""
    binaries = place / name
    binaries.mkdir()
    program = binaries / "dockerd"
    program.write_text(f"#!/bin/sh\necho '{told}'\n")
    program.chmod(0o755)
    return str(binaries)


@pytest.mark.parametrize(
    ("told", "name", "api"),
    [
        ("Docker version 29.9.1, build 1a2b3c4", "29.9", (1, 56)),
        ("Docker version 29.0.0-rc.3, build 1a2b3c4", "29.0", (1, 52)),
        ("Docker version v25.0.5+dfsg1, build x", "25.0", (1, 44)),
        ("Docker version 19.03.15, build x", "19.3", (1, 40)),
        ("Docker version 28.5.1, build x", "28.5.1", (1, 51)),  # 28.5 is there without it
        ("Docker version 17.06.2-ce, build x", "17.6", (1, 30)),
        ("Docker version 31.0.0, build x", "31.0", (1, 56)),
    ],
)
def test_an_engine_has_the_name_and_the_api_of_its_version(
    tmp_path: Path, told: str, name: str, api: tuple[int, int]
) -> None:
    (found,) = engine_folders(folder(tmp_path, "a", told)).values()
    assert (found.name, found.api) == (name, api)


def test_engines_of_one_release_have_the_names_of_their_patches(tmp_path: Path) -> None:
    paths = [folder(tmp_path, f"a{patch}", f"Docker version 29.9.{patch}, build x") for patch in range(2)]
    assert list(engine_folders(":".join(paths))) == ["29.9", "29.9.1"]
    with pytest.raises(pytest.UsageError, match=r"both are engine 29\.9\.1"):
        engine_folders(":".join([*paths, paths[1]]))


def test_what_is_no_engine_is_told(tmp_path: Path) -> None:
    with pytest.raises(pytest.UsageError, match="no dockerd runs in"):
        engine_folders(str(tmp_path))
    with pytest.raises(pytest.UsageError, match="does not tell its version"):
        engine_folders(folder(tmp_path, "a", "hello"))
    with pytest.raises(pytest.UsageError, match=r"1\.13\.1 .* is older"):
        engine_folders(folder(tmp_path, "b", "Docker version 1.13.1, build x"))


def run(binaries: str, *arguments: str) -> str:
    """What pytest says when it is run with ENGINES."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**os.environ, "ENGINES": binaries},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_table_has_a_column_or_row_for_it(tmp_path: Path) -> None:
    binaries = folder(tmp_path, "a", "Docker version 29.9.1, build x")
    files = {
        "tests/integration/operations/test_system.py",
        "tests/integration/test_trigger_engine_events.py",
        "tests/jobs/test_ensure_volume.py",
        "tests/integration/recipes/test_recipes.py",
    }
    told = run(binaries, "--collect-only", *files)
    assert {line.partition("::")[0] for line in told.splitlines() if "[29.9" in line} == files, told


def test_operations_that_only_the_newest_engines_have_are_shown_on_them(tmp_path: Path) -> None:
    binaries = folder(tmp_path, "a", "Docker version 29.9.1, build x")
    run(binaries, "tests/integration/operations/test_complete.py")
    told = run(binaries, "--collect-only", "-k", "ttestations", "tests/integration/operations")
    assert "test_attestations_are_told_with_their_statements[29.9]" in told
    assert "test_an_operation_that_the_engine_lacks_is_refused[28.5-ImageAttestations]" in told
    assert "is_refused[29.9-ImageAttestations]" not in told
