"""Whether an object is as an input wanted it: all that the input gives is there, and more may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEFT_OUT = (None, "")
"""What mappings write where they find nothing."""
_EMPTY = (0, False)
_DEEPEST = 50


def covers(given: Any, told: Any, depth: int = 0) -> bool:
    """Whether a told value has all of a given one. Null and "" are as good as left out; 5 and "5" are one."""
    if depth > _DEEPEST:
        return False
    if isinstance(given, Mapping):
        rest = told if isinstance(told, Mapping) else {}
        return all(covers(value, rest.get(name), depth + 1) for name, value in given.items())
    if given in _LEFT_OUT:
        return True
    if given in _EMPTY or given == []:
        return not told
    if isinstance(given, list):
        pairs = zip(given, told, strict=True) if isinstance(told, list) and len(told) == len(given) else None
        return pairs is not None and all(covers(one, other, depth + 1) for one, other in pairs)
    return not isinstance(told, Mapping | list) and _is_same(_text(given), _text(told))


def _is_same(given: str, told: str) -> bool:
    """Whether two texts are the same; swarms add the digest to the name of an image."""
    return given == told or ("@" not in given and told.partition("@sha256:")[0] == given)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
