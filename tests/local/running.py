"""Runs the local runner as a child process, the way a person or a pipe does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.waiting import DEADLINE

ROOT = Path(__file__).parent.parent.parent
COMPONENT = Path(__file__).parent / "component"


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def emissions(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.err.splitlines()]


def environment(**more: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def command(*arguments: str | Path, component: Path | None = COMPONENT) -> list[str]:
    chosen = ["--component", str(component)] if component else []
    return [sys.executable, "-m", "lib.local", *map(str, arguments), *chosen]


def start(
    *arguments: str | Path, component: Path | None = COMPONENT, **variables: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments, component=component),
        env=environment(**variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    *arguments: str | Path, component: Path | None = COMPONENT, given: str = "", **variables: str
) -> Ended:
    done = subprocess.run(
        command(*arguments, component=component),
        env=environment(**variables),
        input=given,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
