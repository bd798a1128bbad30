"""A stand-in for `python:slim` made of this machine's own Python, because no registry is within reach of a test."""

from __future__ import annotations

import importlib.metadata
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from lib.local.sandbox.busybox_image import busybox_archive

ROOT = Path(__file__).resolve().parents[2]
NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"
STDLIB = Path(sysconfig.get_path("stdlib"))
SITE = f"usr/local/lib/{NAME}/site-packages"
UNUSED = {
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
}


def base_archive() -> bytes:
    """A root file system as tar: busybox, tini, the interpreter, its library, pip and the pinned packages."""
    tini = shutil.which("tini")
    if tini is None:
        raise FileNotFoundError("tini is not installed: install the package tini")
    interpreter = Path(os.path.realpath(sys.executable))
    files = {
        "usr/bin/tini": Path(tini),
        f"usr/local/bin/{NAME}": interpreter,
        **{f"usr/local/lib/{NAME}/{path.relative_to(STDLIB)}": path for path in _library()},
        **{f"{SITE}/{name}": path for name, path in _packages()},
    }
    binaries = [path for path in files.values() if path.suffix == ".so" or path in (interpreter, Path(tini))]
    files |= _shared_libraries(binaries)
    target = io.BytesIO(busybox_archive())
    with tarfile.open(fileobj=target, mode="a") as archive:
        for name, path in sorted(files.items()):
            archive.add(os.path.realpath(path), name, recursive=False, filter=_for_everyone)
        for link in ("python", "python3"):
            entry = tarfile.TarInfo(f"usr/local/bin/{link}")
            entry.type, entry.linkname = tarfile.SYMTYPE, NAME
            archive.addfile(entry)
    return target.getvalue()


def _for_everyone(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.mode |= 0o444
    return entry


def _library() -> Iterator[Path]:
    for folder, folders, names in os.walk(STDLIB):
        folders[:] = [name for name in folders if name not in UNUSED and not name.startswith("config-")]
        for name in names:
            if not name.endswith((".opt-1.pyc", ".opt-2.pyc")):
                yield Path(folder, name)


def _packages() -> Iterator[tuple[str, Path]]:
    """What `pip install -r requirements.txt` puts into site-packages, and pip."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for package in ["pip", *(line.partition("==")[0] for line in lines if "==" in line)]:
        for file in importlib.metadata.files(package) or ():
            path = Path(str(file.locate()))
            if ".." not in file.parts and path.exists():
                yield str(file), path


def _shared_libraries(binaries: Iterable[Path]) -> dict[str, Path]:
    """What `ldd` lists; the loader keeps its place, the rest goes where it looks by itself."""
    told = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, text=True, check=False).stdout
    found: dict[str, Path] = {}
    for line in told.splitlines():
        words = line.split()
        if "=>" in words and words[2].startswith("/"):
            found[f"usr/lib/{words[0]}"] = Path(words[2])
        elif line.startswith("\t/"):
            found[words[0].lstrip("/")] = Path(words[0])
    return found
