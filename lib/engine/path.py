"""Paths of operations: templates such as /containers/{id}/json filled from a step's input, safely.

The notation is that of RFC 6570: {x} is one segment, {+x} may hold slashes (image and plugin names).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.request.text import plain, shown

_PLACE = re.compile(r"\{(\+?)(\w+)\}")


@lru_cache(maxsize=256)
def _parts(template: str) -> tuple[tuple[str, str, bool], ...]:
    """Split into (literal before, field, may hold slashes), the last with field ""."""
    found, end = [], 0
    for match in _PLACE.finditer(template):
        found.append((template[end : match.start()], match[2], bool(match[1])))
        end = match.end()
    return (*found, (template[end:], "", False))


def expand(template: str, fields: Mapping[str, Any]) -> str:
    """Fill a template; a missing, empty or path-changing value is a BadInput that names the field."""
    out = []
    for literal, field, slashes in _parts(template):
        out.append(literal)
        if field:
            out.append(_segment(fields.get(field), field, slashes=slashes))
    return "".join(out)


def _segment(value: Any, field: str, *, slashes: bool) -> str:
    if value is None or value == "":
        raise BadInput(f"{field} is missing", field=field, hint=f"Map a value to {field}")
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadInput(f"{field} must be text, not {type(value).__name__}", field=field)
    # The engine hands out container names with a leading slash (ContainerList, Names) and takes them without.
    text = plain(scalar(value, field), field, line=True).removeprefix("/")
    segments = text.split("/")
    if any(segment in ("", ".", "..") for segment in segments) or (len(segments) > 1 and not slashes):
        raise BadInput(
            f"{field}: {shown(value)} is no name or id", field=field, hint="Give the id or the name alone"
        )
    return quote(text, safe="/:@" if slashes else ":@")
