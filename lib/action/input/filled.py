"""Inputs that must hold something when they are given: empty, they would make a call change more than was meant.

A mapper leaves null or "" where it found nothing. For most inputs that is as good as leaving them out. For some of
the calls that delete or change it is not: no `filters` means everything, no `signal` kills. Those inputs carry the
mark `x-filled` in the in-schema; they may be left out, but not be there and empty.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.filters import empty_places, refuse_empty

_FILTERS = "filters"


class Filled:
    """The marked inputs of one operation."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        properties = schema.get("properties", {})
        self._names = [name for name, node in properties.items() if node.get("x-filled")]
        self._looks = _FILTERS in properties and _FILTERS not in self._names

    def check(self, body: Mapping[str, Any]) -> None:
        """Raise BadInput for a marked input that is there and empty."""
        for name in self._names:
            if name not in body:
                continue
            if name == _FILTERS:
                refuse_empty(body[name], name)
            elif _is_empty(body[name]):
                raise BadInput(
                    f"{name} is empty, which would change more than was meant; nothing was sent",
                    field=name,
                    hint=f"Leave {name} out to mean the default, or give it a value",
                )

    def warnings(self, body: Mapping[str, Any]) -> Iterator[str]:
        """Yield a warning for each empty filter of a call that reads: it selects nothing or everything."""
        if self._looks and _FILTERS in body:
            for place in empty_places(body[_FILTERS], _FILTERS):
                yield f"{place} is empty, so it does not narrow the result"


def _is_empty(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value is None or value == {} or (isinstance(value, str) and not value.strip())
