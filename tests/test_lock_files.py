"""What is installed is what was locked: each package by version and hash, and nothing beside it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))
PIN = re.compile(r"[a-z0-9.-]+==[0-9a-z.]+( --hash=sha256:[0-9a-f]{64})+")
OF_THE_PROJECT = {
    "requirements.txt": PROJECT["dependencies"],
    "requirements-local.txt": PROJECT["optional-dependencies"]["local"],
    "requirements-dev.txt": PROJECT["optional-dependencies"]["dev"],
}


def lines(lock: str) -> list[str]:
    """What pip reads: without comments, continued lines joined."""
    text = re.sub(r" \\\n\s+", " ", (ROOT / lock).read_text("utf-8"))
    return [line for line in text.splitlines() if not line.startswith("#")]


def packages(lock: str) -> list[str]:
    return [line.partition("==")[0] for line in lines(lock) if "==" in line]


def below(lock: str) -> list[str]:
    """The packages of a lock file and of those that it includes."""
    included = [line.removeprefix("-r ") for line in lines(lock) if line.startswith("-r ")]
    return packages(lock) + [package for other in included for package in below(other)]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_a_version_and_hashes_and_no_address(lock: str) -> None:
    odd = [line for line in lines(lock) if not PIN.fullmatch(line) and line.removeprefix("-r ") not in LOCKS]
    assert odd == []
    assert packages(lock)


@pytest.mark.parametrize("lock", OF_THE_PROJECT)
def test_what_the_project_names_is_locked_once(lock: str) -> None:
    locked = below(lock)
    assert set(OF_THE_PROJECT[lock]) <= set(locked)
    assert len(locked) == len(set(locked))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The scripts beside lock files that name one package, which lies in the folder wheels/ as the only source."""
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "scripts", clone / "scripts")
    (clone / "wheels").mkdir()
    with zipfile.ZipFile(clone / "wheels" / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        facts = "tiny-1.0.dist-info"
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{facts}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(
            f"{facts}/RECORD", f"tiny.py,,\n{facts}/METADATA,,\n{facts}/WHEEL,,\n{facts}/RECORD,,\n"
        )
    for lock in OF_THE_PROJECT:
        (clone / lock).write_text("")
    return clone


def install(clone: Path, pin: str) -> subprocess.CompletedProcess[str]:
    """Have scripts/ensure make the environment of a lock file that holds this line."""
    (clone / "requirements.txt").write_text(pin + "\n")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(clone / "wheels"),
    }
    command = ["bash", "-c", ". scripts/ensure && environment requirements.txt"]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def test_a_file_is_installed_only_if_its_hash_is_the_locked_one(clone: Path) -> None:
    right = hashlib.sha256((clone / "wheels" / "tiny-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    installed = clone.joinpath(".venv/lib").glob

    without = install(clone, "tiny==1.0")
    assert (without.returncode, "--require-hashes" in without.stderr) == (1, True), without.stderr
    other = install(clone, f"tiny==1.0 --hash=sha256:{'0' * 64}")
    assert (other.returncode, "Got        " + right in other.stderr) == (1, True), other.stderr
    assert not list(installed("*/site-packages/tiny.py"))

    done = install(clone, f"tiny==1.0 --hash=sha256:{right}")
    assert done.returncode == 0, done.stderr
    assert list(installed("*/site-packages/tiny.py"))
