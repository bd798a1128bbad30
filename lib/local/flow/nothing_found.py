"""Says what a mapping that found nothing was looking for, and what there is in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from lib.local.flow.mapper import Nothing

_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*")
_EARLIER = 3
"""Names in front of a path into an earlier step: elasticio, its id, body."""
_SHOWN = 12


def told(missing: Nothing, source: str, target: str, payload: Mapping[str, Any]) -> str:
    """Return a line about a field of the mapping from a step to the next, with the keys that its source has."""
    step, names, value = _looked_at(missing.expression, source, payload)
    where: list[str] = []
    while names and isinstance(value, dict) and names[0] in value:
        where.append(names[0])
        value, names = value[names[0]], names[1:]
    name = f"'{missing.field}'" if missing.field else "the whole mapping"
    line = f"{source} -> {target}: {name} found nothing with {missing.expression!r}"
    if not isinstance(value, dict) or not names:
        return line
    place = f"{step}.{'.'.join(where)}" if where else step
    keys = [str(key)[:40] for key in list(value)[:_SHOWN]]
    more = len(value) - len(keys)
    near = get_close_matches(names[0], map(str, value), n=1) or [
        str(key) for key in value if str(key).lower() == names[0].lower()
    ]
    hint = f"; did you mean {near[0]}?" if near else ""
    return (
        f"{line}; {place} has {', '.join(keys) or 'nothing'}{f' and {more} more' if more > 0 else ''}{hint}"
    )


def _looked_at(expression: str, source: str, payload: Mapping[str, Any]) -> tuple[str, list[str], Any]:
    """Return the step into whose output the first path of an expression leads, the path's names, and the output."""
    match = _PATH.search(expression)
    names = match[0].split(".") if match else []
    if names[:1] == ["elasticio"] and len(names) >= _EARLIER:
        earlier = (payload.get("passthrough") or {}).get(names[1]) or {}
        return names[1], names[_EARLIER:], earlier.get(names[2]) if isinstance(earlier, dict) else None
    body = payload.get("body")
    if names[:1] == ["body"] and not (isinstance(body, dict) and "body" in body):
        names = names[1:]
    return source, names, body
