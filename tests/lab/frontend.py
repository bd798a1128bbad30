"""An image with a frontend for BuildKit: the program of tests/lab/frontend_program.py, with all that it runs on.

No image of a frontend can be had without internet; this one is as real to the engine. It is made of the Python that
runs the tests: its binary, the modules that the program loads, and the libraries that these are linked with.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from functools import cache
from pathlib import Path

import h2
import hpack
import hyperframe

from lib.engine import protobuf
from tests.lab import frontend_program
from tests.lab.engine import LabEngine

_HOME = "/frontend"
_PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_LOADED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import program
print(json.dumps([file for module in sys.modules.values() if (file := getattr(module, "__file__", None))]))
"""


def frontend_image(engine: LabEngine, name: str) -> str:
    """Make the image in the engine, and return its name ("repository:tag")."""
    repository, _, tag = name.rpartition(":")
    command = [
        f"{_HOME}/ld.so",
        "--library-path",
        f"{_HOME}/linked",
        f"{_HOME}/python",
        "-S",
        f"{_HOME}/site/program.py",
    ]
    changes = [
        f"ENTRYPOINT {json.dumps(command)}",
        f"ENV PYTHONHOME={_HOME}",
        f"ENV PYTHONPATH={_HOME}/site",
        "ENV PYTHONDONTWRITEBYTECODE=1",
        "LABEL moby.buildkit.frontend.network.none=true",
    ]
    engine.wire.do(
        "POST",
        "/images/create",
        _archive(),
        fromSrc="-",
        repo=repository,
        tag=tag,
        changes="\n".join(changes),
    )
    return name


@cache
def _archive() -> bytes:
    held = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=held, mode="w") as tar:
        site = Path(folder)
        _stage(site)
        tar.add(site, f"{_HOME}/site")
        python = Path(sys.executable).resolve()
        linked = _linked(python)
        tar.add(python, f"{_HOME}/python")
        modules = Path(sysconfig.get_path("stdlib")).resolve().resolve()
        for file in _loaded(site, modules):
            tar.add(file, f"{_HOME}/lib/{_PYTHON}/{file.relative_to(modules)}")
            if file.suffix == ".so":
                linked |= _linked(file)
        for name, file in linked.items():
            tar.add(file, f"{_HOME}/ld.so" if name.startswith("ld-") else f"{_HOME}/linked/{name}")
    return held.getvalue()


def _stage(site: Path) -> None:
    """Put what is no module of Python's own into a folder: the program, our protobuf alone, and its libraries."""
    for package in (h2, hpack, hyperframe):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, site / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(str(frontend_program.__file__), site / "program.py")
    (site / "lib/engine").mkdir(parents=True)
    for package in ("lib", "lib/engine"):
        (site / package / "__init__.py").touch()
    shutil.copy(str(protobuf.__file__), site / "lib/engine/protobuf.py")


def _loaded(site: Path, modules: Path) -> list[Path]:
    """The files of Python's own modules that the program loads."""
    command = [sys.executable, "-S", "-B", "-c", _LOADED, str(site)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env={}).stdout
    found = [Path(file).resolve() for file in json.loads(told)]
    return sorted(file for file in set(found) if file.is_relative_to(modules))


def _linked(program: Path) -> dict[str, Path]:
    """The libraries that a program is linked with, by the name under which it asks for them; the loader, too."""
    told = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    found = {name: Path(file).resolve() for name, file in re.findall(r"(\S+) => (/\S+) \(0x", told)}
    loader = re.search(r"(/\S+/ld-\S+) \(0x", told)
    return found | ({"ld-": Path(loader[1]).resolve()} if loader else {})
