"""Tells what comes while it comes, for people who watch a step: as log lines of level trace, which no platform writes.

A step's log begins at level info, so all that this costs there is one question for each answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lib.sailor import Context
from lib.sailor.secrets.masking import Secrets

T = TypeVar("T")
Tell = Callable[[str], None]

PROGRESS = "progress"
"""Text of these log lines; what came is in their field `line`."""
_LONGEST = 1000
"""Characters of a line."""


def teller(context: Context, hidden: Secrets | None = None) -> Tell | None:
    """Return what tells a line, None where nobody watches; texts of `hidden` are masked in it."""
    if not context.logger.enabled("trace"):
        return None

    def tell(line: str) -> None:
        context.logger.trace(PROGRESS, line=(hidden.mask(line) if hidden else line)[:_LONGEST])

    return tell


def overheard(items: Iterable[T], tell: Tell | None, text: Callable[[T], str]) -> Iterator[T]:
    """Return the items; where somebody watches, the `text` of each is told before it is handed on."""
    return iter(items) if tell is None else _told(items, tell, text)


def _told(items: Iterable[T], tell: Tell, text: Callable[[T], str]) -> Iterator[T]:
    for item in items:
        for line in text(item).splitlines():
            tell(line)
        yield item
