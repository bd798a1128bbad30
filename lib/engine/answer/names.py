"""The names that an engine gives in one stream (ids, digests, tags), with a bound on their number and length."""

from __future__ import annotations

from typing import Any

from lib.engine.errors import StreamFailed

MOST_NAMES = 10_000
"""How many ids, digests, tags or layers one stream may name, each kind for itself; an image has 127 layers at most."""
LONGEST_NAME = 512
"""Characters of an id, digest or tag; a longer text is not a name."""


class Names:
    """Names in the order of their first appearance, each once."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known: dict[str, None] = {}

    def add(self, name: str) -> None:
        """Add a name; raises StreamFailed above MOST_NAMES. A name that is empty, too long or known is ignored."""
        if not name or len(name) > LONGEST_NAME or name in self._known:
            return
        if len(self._known) >= MOST_NAMES:
            raise too_many(self._kind)
        self._known[name] = None

    def list(self) -> list[str]:
        """Return all names."""
        return list(self._known)


def name_of(value: Any) -> str:
    """Return a value of the engine if it is a name, else ""."""
    return value if isinstance(value, str) and len(value) <= LONGEST_NAME else ""


def too_many(kind: str) -> StreamFailed:
    """Return the error for a stream with too many names."""
    return StreamFailed(
        f"The engine names more than {MOST_NAMES} {kind} in one stream",
        hint="Check that the address leads to a Docker Engine, and look whether the work was done",
    )
