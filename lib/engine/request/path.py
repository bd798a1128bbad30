"""Fills the path templates of operations, such as /containers/{id}/json, from a step's input.

A value cannot lead to another path. The notation is that of RFC 6570: {x} is one segment, {+x} may hold slashes (names
of images and plugins).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from lib.engine.errors import BadInput
from lib.engine.request.scalar import scalar
from lib.engine.text import plain
from lib.engine.text import shown as quoted

_NETWORKS = "/networks/"
_INVISIBLE = "\u200b\ufeff"  # a zero-width space, a byte order mark
_AROUND = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + _INVISIBLE
LONGEST = 1024
"""Characters of a name or id; the reference of an image with a digest has about 350 at most."""
_PLACE = re.compile(r"\{(\+?)(\w+)\}")


@lru_cache(maxsize=256)
def _parts(template: str) -> tuple[tuple[str, str, bool], ...]:
    """Split a template into (literal text before, field, may hold slashes); the last part has the field ""."""
    found, end = [], 0
    for match in _PLACE.finditer(template):
        found.append((template[end : match.start()], match[2], bool(match[1])))
        end = match.end()
    return (*found, (template[end:], "", False))


def expand(template: str, fields: Mapping[str, Any]) -> str:
    """Return the filled path; raises BadInput that names a field that is missing, empty or would change the path."""
    out = []
    for literal, field, slashes in _parts(template):
        out.append(literal)
        if field:
            blanks = template.startswith(_NETWORKS)
            out.append(_segment(fields.get(field), field, slashes=slashes, blanks=blanks))
    return "".join(out)


def shown(template: str, fields: Mapping[str, Any]) -> str:
    """Return the path for an error: filled if possible, else the template."""
    try:
        return expand(template, fields)
    except BadInput:
        return template.replace("{+", "{")


def name_of(value: str, field: str, *, blanks: bool = False) -> str:
    """Return a name or id without the blanks around it, which a mapper or a shell left there.

    Raises BadInput if nothing is left, or if a blank or control character is inside. Only names of networks may have
    blanks inside (`blanks`).
    """
    if len(value) > LONGEST:
        raise BadInput(
            f"{field} is longer than {LONGEST} characters", field=field, hint="Give one id or name alone"
        )
    text = plain(value.strip(_AROUND), field, line=True)
    if not text:
        raise BadInput(f"{field} is empty", field=field, hint=f"Map a value to {field}")
    inside = text.replace(" ", "") if blanks else text
    if any(character.isspace() or character in _INVISIBLE for character in inside):
        raise BadInput(
            f"{field}: {quoted(text)} holds a blank inside", field=field, hint="Give one id or name alone"
        )
    return text


def _segment(value: Any, field: str, *, slashes: bool, blanks: bool) -> str:
    if value is None or value == "":
        raise BadInput(f"{field} is missing", field=field, hint=f"Map a value to {field}")
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadInput(f"{field} must be text, not {type(value).__name__}", field=field)
    # ContainerList returns names with a leading slash; in a path they have none.
    text = name_of(scalar(value, field), field, blanks=blanks).removeprefix("/")
    segments = text.split("/")
    if any(segment in ("", ".", "..") for segment in segments) or (len(segments) > 1 and not slashes):
        raise BadInput(
            f"{field}: {quoted(value)} is no name or id", field=field, hint="Give the id or the name alone"
        )
    return quote(text, safe="/:@" if slashes else ":@")
