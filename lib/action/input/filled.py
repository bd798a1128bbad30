"""Refuses empty inputs that would make a call change more than the user wants.

The mapper writes null or "" where it finds nothing. For most inputs that is the same as leaving them out. For some
calls that delete or change something it is dangerous: no `filters` means everything, no `signal` means kill. Such
inputs have the mark `x-filled` in the in-schema: users may leave them out, but not give them empty.
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
        """Raise BadInput for a marked input that is present and empty."""
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
        """Yield a warning for each empty filter, if `filters` is not marked: the filter does not narrow the result."""
        if self._looks and _FILTERS in body:
            for place in empty_places(body[_FILTERS], _FILTERS):
                yield f"{place} is empty, so it does not narrow the result"


def _is_empty(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_empty, value))
    return value is None or value == {} or (isinstance(value, str) and not value.strip())
