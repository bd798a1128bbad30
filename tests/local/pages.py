"""The blocks of the documents, and a folder in which their commands run as from the repository.

What stands before a block, in a comment, says what a test does with it: CONTRIBUTING.md#blocks-of-the-documents.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.lab.waiting import DEADLINE
from tests.local.running import ROOT

PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
)
_BLOCK = re.compile(
    r"^(?P<pad> *)(?:<!-- (?P<mark>[^\n]*?) -->\n *)?```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A block between ``` of a page; `kind` and `value` are the parts of the mark before it, "" without one."""

    page: str
    line: int
    kind: str
    value: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The blocks of a page in their order."""
    whole = (ROOT / page).read_text("utf-8")
    found = []
    for match in _BLOCK.finditer(whole):
        kind, _, value = (match["mark"] or "").partition(": ")
        text = textwrap.dedent(match["text"]).rstrip("\n")
        line = whole.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, kind, value, match["language"], text))
    return tuple(found)


def marked(kind: str, *pages: str) -> list[Block]:
    """All blocks with a mark, of some pages or of all."""
    return [block for page in pages or PAGES for block in blocks(page) if block.kind == kind]


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
