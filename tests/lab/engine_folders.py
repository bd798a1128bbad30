"""Engines of any version, whose binaries the variable ENGINES names: folders with dockerd and containerd, split by `:`.

Each is one more engine, under the name of its version (29.9), for the tests of operations, triggers, jobs and recipes.
A folder may hold a runc of its own, as engines from 29 on need it.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from tests.lab.engine import LabEngine

VARIABLE = "ENGINES"
OWN = ("20.10", "26.1", "28.5")
"""Names of engines that the tests have without it."""
_VERSION = re.compile(r"version v?(\d+)\.(\d+)\.(\d+)")
_SECONDS = 60
# Engine release -> newest API version, from the constants at each release tag.
_RELEASES = {
    (17, 6): (1, 30),
    (17, 7): (1, 31),
    (17, 9): (1, 32),
    (17, 10): (1, 33),
    (17, 11): (1, 34),
    (17, 12): (1, 35),
    (18, 2): (1, 36),
    (18, 3): (1, 37),
    (18, 6): (1, 38),
    (18, 9): (1, 39),
    (19, 3): (1, 40),
    (20, 10): (1, 41),
    (23, 0): (1, 42),
    (24, 0): (1, 43),
    (25, 0): (1, 44),
    (26, 0): (1, 45),
    (27, 0): (1, 46),
    (27, 2): (1, 47),
    (28, 0): (1, 48),
    (28, 1): (1, 49),
    (28, 2): (1, 50),
    (28, 3): (1, 51),
    (29, 0): (1, 52),
    (29, 2): (1, 53),
    (29, 3): (1, 54),
    (29, 6): (1, 55),
    (29, 8): (1, 56),
}


@dataclass(frozen=True)
class EngineFolder:
    """Binaries of one engine: its name in tables and ids of tests, and the newest API version of its release."""

    name: str
    path: str
    api: tuple[int, int]

    def begin(self, number: int = 1) -> LabEngine:
        """A new engine; the test fails where it does not start, since somebody has asked for it."""
        try:
            engine = LabEngine.begin(binaries=self.path, number=number)
        except (PrivateEngineError, LocalImageError) as problem:
            pytest.fail(f"engine {self.name} of {VARIABLE} does not start: {problem}", pytrace=False)
        if engine.api != "{}.{}".format(*self.api):
            engine.close()
            pytest.fail(
                f"engine {self.name} speaks API {engine.api}: enter its release into {__name__}",
                pytrace=False,
            )
        return engine


def engine_folders(variable: str) -> dict[str, EngineFolder]:
    """The engines by name, of a value of ENGINES; raises pytest.UsageError for a folder without a dockerd that runs."""
    found: dict[str, EngineFolder] = {}
    for path in filter(None, variable.split(":")):
        release = _release(path)
        short, whole = "{}.{}".format(*release), "{}.{}.{}".format(*release)
        name = whole if short in OWN or short in found else short
        if name in found:
            raise pytest.UsageError(f"{VARIABLE}: {path} and {found[name].path} both are engine {name}")
        known = [api for begun, api in _RELEASES.items() if begun <= release[:2]]
        if not known:
            raise pytest.UsageError(
                f"{VARIABLE}: engine {whole} in {path} is older than this component's API"
            )
        found[name] = EngineFolder(name, str(Path(path).resolve()), known[-1])
    return found


def _release(path: str) -> tuple[int, int, int]:
    try:
        told = subprocess.run(
            [f"{path}/dockerd", "--version"], capture_output=True, text=True, timeout=_SECONDS, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError) as problem:
        raise pytest.UsageError(f"{VARIABLE}: no dockerd runs in {path} ({problem})") from None
    if not (found := _VERSION.search(told)):
        raise pytest.UsageError(
            f"{VARIABLE}: the dockerd in {path} does not tell its version: {told[:200]!r}"
        )
    return int(found[1]), int(found[2]), int(found[3])


FOLDERS = engine_folders(os.environ.get(VARIABLE, ""))
