"""The folder of the docker command line, DOCKER_CONFIG or ~/.docker, and the JSON files in it.

Written from observation of Docker's own tools: `config.json` holds the name of the context in use and the logins,
`contexts/meta/<SHA-256 of the name>/meta.json` the address of an engine.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.local.problems import UsageError

LONGEST = 4 * 1024 * 1024
"""Bytes of a JSON file in the folder (4 MiB)."""


def docker_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder in which Docker's tools keep their configuration."""
    return Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "/", ".docker"))


def docker_config(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of config.json; nothing where there is none. Raises UsageError for a wrong one."""
    return read_object(docker_folder(environ) / "config.json") or {}


def read_object(file: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, None where there is no file. Raises UsageError that names the file.

    The text is never quoted: it may hold logins.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise UsageError(f"{file} cannot be read: it is no plain file")
        with file.open("rb") as source:
            data = source.read(LONGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    if len(data) > LONGEST:
        raise UsageError(f"{file} is longer than {LONGEST} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not valid JSON", hint="The docker command line writes it") from error
    if not isinstance(value, dict):
        raise UsageError(f"{file} holds no JSON object", hint="The docker command line writes it")
    return value
