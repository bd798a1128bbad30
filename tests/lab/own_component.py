"""The component of examples/component in a folder of its own, as docs/own-component.md has its author make it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "component"
PAGE = (ROOT / "docs" / "own-component.md").read_text("utf-8")
FENCED = r"\n```\w+\n(.*?)\n```"
BUILD = "docker build -t tickets ."


def blocks(mark: str) -> list[tuple[str, str]]:
    """(what the comment before it names, its text) for each marked block of the page."""
    return re.findall(rf"<!-- {mark}(?:: (\S+))? -->{FENCED}", PAGE, re.DOTALL)


def assembled(place: Path) -> Path:
    """Make the folder within `place`, with what the commands of the page copy; they are run, but for the build."""
    (place / "connector").symlink_to(ROOT)
    folder = place / "tickets"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    ((_, commands),) = blocks("runs")
    assert commands.endswith(BUILD)
    subprocess.run(["sh", "-e", "-c", commands.removesuffix(BUILD)], cwd=folder, check=True)
    return folder
