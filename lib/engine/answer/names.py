"""The names that an engine gives in one stream: ids, digests, tags; so many, and so long, at most."""

from __future__ import annotations

from typing import Any

from lib.engine.errors import StreamFailed

MOST_NAMES = 10_000
"""Ids, digests, tags and layers that one stream may name, of each; an image has 127 layers at most."""
LONGEST_NAME = 512
"""Characters of an id, digest or tag; what is longer is none."""


class Names:
    """Names in the order in which they came first; an endless stream of them is an error."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known: dict[str, None] = {}

    def add(self, name: str) -> None:
        """Take a name in; StreamFailed beyond MOST_NAMES."""
        if not name or len(name) > LONGEST_NAME or name in self._known:
            return
        if len(self._known) >= MOST_NAMES:
            raise too_many(self._kind)
        self._known[name] = None

    def list(self) -> list[str]:
        """Return all of them."""
        return list(self._known)


def name_of(value: Any) -> str:
    """Return what the engine gives as a name; "" where it is none."""
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME else ""


def too_many(kind: str) -> StreamFailed:
    """Return the error about an endless stream of names."""
    return StreamFailed(
        f"The engine names more than {MOST_NAMES} {kind} in one stream",
        hint="Check that the address leads to a Docker Engine, and look whether the work was done",
    )
