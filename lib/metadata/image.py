"""Writes the version into the Dockerfile: image labels need it, and a Dockerfile cannot read it from a file."""

from __future__ import annotations

import re

_VERSION = re.compile(r"^ARG VERSION=.*$", re.MULTILINE)


def dockerfile(text: str, version: str) -> str:
    """Return the Dockerfile `text` with `version` as the default of its argument VERSION.

    Raises ValueError unless exactly one line begins with `ARG VERSION=`.
    """
    written, count = _VERSION.subn(f"ARG VERSION={version}", text)
    if count != 1:
        raise ValueError(f"Dockerfile needs one line ARG VERSION=..., it has {count}")
    return written
