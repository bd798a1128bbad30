"""The version in the Dockerfile: the labels of an image need it, and a Dockerfile cannot read it from a file."""

from __future__ import annotations

import re

_VERSION = re.compile(r"^ARG VERSION=.*$", re.MULTILINE)


def dockerfile(text: str, version: str) -> str:
    """Return the Dockerfile with this version as the default of its argument VERSION; all else stays.

    Raises ValueError unless exactly one line begins with `ARG VERSION=`.
    """
    written, count = _VERSION.subn(f"ARG VERSION={version}", text)
    if count != 1:
        raise ValueError(f"Dockerfile needs one line ARG VERSION=..., it has {count}")
    return written
