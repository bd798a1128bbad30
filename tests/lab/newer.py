"""Newer engines than the system's own: unpacked from other Debian suites, the system stays as it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from lib.local.sandbox.busybox_image import LocalImageError
from lib.local.sandbox.private_engine import PrivateEngineError
from tests.lab.engine import LabEngine
from tests.lab.skipping import skip_anywhere

SUITES = ("trixie", "sid")  # 26.1 (API 1.45) and, for now, 28.5 (API 1.51)
# Without runc: theirs wants a newer C library, and the system's serves.
PACKAGES = ("docker.io", "containerd")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
MIRROR = re.compile(r"^(?:URIs:|deb(?:\s+\[[^]]*\])?)\s*(https?://\S+)", re.MULTILINE)
SECONDS = 240


class NewerEngineError(Exception):
    pass


class NewerEngines:
    """Starts each kind of engine when it is first asked for, and keeps it until the end."""

    def __init__(self) -> None:
        self._engines: dict[tuple[str, str, bool], LabEngine] = {}
        self._problems: dict[str, str] = {}

    def engine(self, suite: str, *, minimum: str = "", image_store: bool = False) -> LabEngine:
        """The engine of a suite; the test is skipped where it cannot be had.

        `minimum` raises its oldest API version (as Engine 29 has 1.44), `image_store` lets containerd keep
        its images.
        """
        kind = (suite, minimum, image_store)
        if kind not in self._engines:
            if suite in self._problems:
                skip_anywhere(self._problems[suite])
            try:
                self._engines[kind] = begin(suite, minimum=minimum, image_store=image_store)
            except (NewerEngineError, PrivateEngineError, LocalImageError) as problem:
                self._problems[suite] = f"no engine of {suite}: {problem}"
                skip_anywhere(self._problems[suite])
        return self._engines[kind]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.close()


def begin(suite: str, *, minimum: str = "", image_store: bool = False) -> LabEngine:
    daemon: dict[str, Any] = {"features": {"containerd-snapshotter": True}} if image_store else {}
    environment = {"DOCKER_MIN_API_VERSION": minimum} if minimum else {}
    return LabEngine.begin(binaries=str(binaries(suite)), daemon=daemon, environment=environment)


def binaries(suite: str) -> Path:
    """A folder with the suite's dockerd and containerd, fetched once and kept in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "docker-engine-connector"
    place = cache / f"engine-{suite}"
    if not place.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=cache))
        try:
            _unpack(suite, work)
            (work / "engine").rename(place)
        except (OSError, subprocess.SubprocessError) as problem:
            if not place.is_dir():  # else another process was faster
                raise NewerEngineError(_reason(problem)) from problem
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return place / "bin"


def _unpack(suite: str, work: Path) -> None:
    for folder in ("state/lists/partial", "cache/archives/partial", "packages", "engine/bin"):
        (work / folder).mkdir(parents=True)
    (work / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": work / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": work / "state",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "20",
    }
    apt = ["apt-get", "-qq", *(part for key, value in options.items() for part in ("-o", f"{key}={value}"))]
    _run([*apt, "update"], work)
    _run([*apt, "download", *PACKAGES], work / "packages")
    for package in (work / "packages").glob("*.deb"):
        _run(["dpkg", "-x", str(package), str(work / "engine")], work)
    for pattern in ("usr/sbin/dockerd", "usr/sbin/docker-proxy", "usr/bin/containerd*"):
        for program in (work / "engine").glob(pattern):
            (work / "engine/bin" / program.name).symlink_to(f"../{program.relative_to(work / 'engine')}")


def _mirror() -> str:
    for source in SOURCES:
        if os.path.exists(source) and (found := MIRROR.search(Path(source).read_text())):
            return found[1]
    raise OSError("this system does not use Debian's packages")


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=SECONDS)


def _reason(problem: Exception) -> str:
    said = getattr(problem, "stderr", None) or str(problem)
    return " / ".join(str(said).strip().splitlines()[-2:])
