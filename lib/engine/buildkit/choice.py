"""Which builder a build takes, and what of its input that builder overlooks.

Without `version` existing flows keep the classic builder, but for what only BuildKit has. `auto` takes BuildKit where
the engine prefers it (the header Builder-Version of its ping) and nothing is given that only the classic one knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.engine.client import Engine
from lib.engine.errors import BadInput
from lib.engine.request.query import is_true
from lib.engine.text import shown
from lib.engine.version import Version

CLASSIC, BUILDKIT = "1", "2"
AUTO = "auto"
ONLY_BUILDKIT = ("secrets", "ssh", "outputs", "inlineCache", "cacheTo")
"""Inputs that the classic builder does not have."""
_REFUSED_BY_CLASSIC = ("secrets", "ssh", "inlineCache", "cacheTo")  # it overlooks outputs, as ever
ONLY_CLASSIC = (
    "memory",
    "memswap",
    "cpushares",
    "cpusetcpus",
    "cpusetmems",
    "cpuperiod",
    "cpuquota",
    "cgroupparent",
    "isolation",
)
"""Inputs that engines read, and BuildKit overlooks."""
# From engine 23 on BuildKit heeds the first, and no longer the second: the name is that of the image as it was.
_LATER, _ENDED = ("shmsize", "ulimits"), ("squash",)
MOST_PLATFORMS = 20
"""Platforms of one build: each is built on its own, and all of them at once."""
_CHANGED = Version(1, 42)
# BuildKit has no networks of its own; `bridge` is the usual one for both.
_NETWORKS = ("", "default", "bridge", "host", "none")
_HEREDOC = re.compile(r"(?:^|\s)\d{0,9}<<-?[\"']?[A-Za-z_]")
_HEREDOC_WARNING = "The classic builder runs nothing of a heredoc (<<): set version to auto or 2"


def builder(engine: Engine, fields: Mapping[str, Any], dockerfile: str = "") -> str:
    """Return the builder for the fields of ImageBuild: BUILDKIT, CLASSIC, or "" for the engine's default.

    `dockerfile` is the text of the Dockerfile where it is known. Raises BadInput for what only BuildKit has with the
    classic builder, and for a network that BuildKit cannot have.
    """
    version = str(fields.get("version") or "")
    if version in ("", AUTO) and (
        len(platforms(fields)) > 1 or any(fields.get(name) for name in ONLY_BUILDKIT)
    ):
        version = BUILDKIT
    elif version == AUTO:
        version = BUILDKIT if _fits_buildkit(engine, fields, dockerfile) else CLASSIC
    if version == BUILDKIT:
        _check_network(fields)
        return version
    refused = next((name for name in _REFUSED_BY_CLASSIC if fields.get(name)), None)
    if refused:
        raise BadInput(
            f"{refused} needs builder version 2", field=refused, hint="Leave version empty, or set it to 2"
        )
    return version


def overlooked(engine: Engine, fields: Mapping[str, Any]) -> list[str]:
    """Return the names of inputs that were given, and that BuildKit overlooks on this engine."""
    names = (*ONLY_CLASSIC, *(_ENDED if engine.version >= _CHANGED else _LATER))
    return [name for name in names if is_true(fields.get(name))]


def platforms(fields: Mapping[str, Any]) -> list[str]:
    """Return the platforms that are asked for, each once; none means the engine's own. Raises BadInput."""
    text = str(fields.get("platform") or "")
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    if not all(parts):
        raise BadInput(
            f"platform is {shown(text)}, with an empty part",
            field="platform",
            hint="Write linux/arm64, or several ones with commas between them",
        )
    found = list(dict.fromkeys(parts))
    if len(found) > MOST_PLATFORMS:
        raise BadInput(f"platform has more than {MOST_PLATFORMS} platforms", field="platform")
    return found


def heredoc_lines(dockerfile: str) -> Iterator[int]:
    """Yield the numbers of the lines, from 1 on, that begin a heredoc such as `RUN <<EOF`."""
    for number, line in enumerate(dockerfile.splitlines(), start=1):
        if "<<" in line and not line.lstrip().startswith("#") and _HEREDOC.search(line):
            yield number


def heredoc_warnings(dockerfile: str, name: str) -> list[dict[str, Any]]:
    """Return the warning of a classic build whose Dockerfile has heredocs; `name` is the name of the file."""
    line = next(heredoc_lines(dockerfile), 0)
    return [{"text": _HEREDOC_WARNING, "rule": "", "line": line, "file": name, "url": ""}] if line else []


def _fits_buildkit(engine: Engine, fields: Mapping[str, Any], dockerfile: str) -> bool:
    if any(fields.get(name) for name in (*ONLY_CLASSIC, "squash")) or _network(fields) not in _NETWORKS:
        return False
    # Engines before 23.0 have BuildKit, and prefer the classic builder; that one takes no heredoc of any.
    return engine.facts.builder == BUILDKIT or any(heredoc_lines(dockerfile))


def _network(fields: Mapping[str, Any]) -> str:
    return str(fields.get("networkmode") or "")


def _check_network(fields: Mapping[str, Any]) -> None:
    if _network(fields) not in _NETWORKS:
        raise BadInput(
            f"networkmode is {_network(fields)!r}, and BuildKit builds in no network of its own choice",
            field="networkmode",
            hint="It is default, bridge, host or none; the classic builder (version 1) takes any network",
        )
