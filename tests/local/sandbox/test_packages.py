from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lib.local.sandbox.packages import PackagesMissing, ensure_packages, missing_packages, services_kept_still

Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Stand-ins for dpkg-query and apt-get, first on PATH."""

    def write(**scripts: str) -> None:
        for name, script in scripts.items():
            program = tmp_path / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return write


def test_packages_that_are_there_cost_one_question(programs: Programs) -> None:
    programs(dpkg_query="echo one installed; echo two installed", apt_get="exit 1")
    said: list[str] = []
    ensure_packages(["one", "two"], said.append)
    assert said == []


def test_a_package_that_was_removed_is_missing(programs: Programs) -> None:
    programs(dpkg_query="echo one config-files; echo two installed; exit 1")
    assert missing_packages(["one", "two", "three"]) == ["one", "three"]


def test_what_cannot_be_installed_is_told_with_the_command_to_do_it_by_hand(programs: Programs) -> None:
    programs(dpkg_query="exit 1", apt_get="echo E: no network >&2; exit 100")
    with pytest.raises(PackagesMissing, match="apt-get install --no-install-recommends one two"):
        ensure_packages(["one", "two"], print)


def test_a_system_without_debian_packages_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(PackagesMissing, match="Debian"):
        ensure_packages(["one"], print)


def test_a_policy_of_the_machine_is_left_as_it_is(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("theirs")
    with services_kept_still(str(policy)):
        assert policy.read_text() == "theirs"
    assert policy.read_text() == "theirs"
