"""What is released has one version, and the changelog says what is in it (docs/release.md)."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_newest_version_of_the_changelog_is_that_of_the_project() -> None:
    headings = re.findall(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    versions = [heading for heading in headings if heading != "Unreleased"]

    assert versions[0] == VERSION
    assert "Unreleased" not in headings[1:]
    assert versions == sorted(versions, key=numbers, reverse=True)


def test_every_part_of_the_changelog_says_something() -> None:
    parts = re.split(r"^## .+$", CHANGELOG, flags=re.MULTILINE)[1:]

    assert all(re.search(r"^- \S", part, re.MULTILINE) for part in parts)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
