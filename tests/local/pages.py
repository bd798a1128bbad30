"""The commands of the documents: where they stand, and a folder in which they run as from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.lab.waiting import DEADLINE
from tests.local.running import ROOT

_RUN = """#!/bin/sh
PYTHONPATH={root} exec {python} -P -m lib.local "$@"
"""
"""What scripts/run does once its packages are there; tests/test_scripts.py is about the rest of it."""


def workplace(folder: Path) -> Path:
    """Give a folder what commands of the documents name: scripts/run and examples/."""
    (folder / "scripts").mkdir()
    program = folder / "scripts" / "run"
    program.write_text(_RUN.format(root=ROOT, python=sys.executable), "utf-8")
    program.chmod(0o755)
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


def shell(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody types it who is in that folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["bash", "-euc", command],
        cwd=folder,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
