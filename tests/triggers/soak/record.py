"""What the soak itself did, with the times before and after each call."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Span:
    """A call that took effect between two times, in seconds; `end` is endless until it has returned."""

    begin: float
    end: float = float("inf")


@contextmanager
def spanned() -> Iterator[Span]:
    """Time a call."""
    span = Span(time.time())
    yield span
    span.end = time.time()


@dataclass
class Thing:
    """A volume, network, service, secret or config. `versions`: the indexes after its updates."""

    type: str
    id: str
    made: Span
    removed: Span | None = None
    versions: list[tuple[Span, int]] = field(default_factory=list)

    def there(self, begin: float, end: float) -> bool:
        """Whether it was there all the time."""
        return self.made.end < begin and (self.removed is None or self.removed.begin > end)


@dataclass(frozen=True)
class Retag:
    """A name that went to an image (an id); `old` is the image that had it."""

    span: Span
    name: str
    image: str
    old: str = ""


@dataclass(frozen=True)
class Level:
    """From when on something was surely above its limit, or surely below; between two levels nobody knows."""

    span: Span
    high: bool


@dataclass
class Record:
    """Everything."""

    things: list[Thing] = field(default_factory=list)
    retags: list[Retag] = field(default_factory=list)
    pushes: list[tuple[Span, str, str]] = field(default_factory=list)
    """Time, reference, digest."""
    lines: dict[str, dict[str, float]] = field(default_factory=dict)
    """By container: its log lines and their times, as read just before its removal or at the end."""
    names: dict[str, set[str]] = field(default_factory=dict)
    removals: dict[str, float] = field(default_factory=dict)
    """By container: the time from which on the soak had it removed."""
    levels: dict[str, list[Level]] = field(default_factory=dict)
    """By what has a limit: a container's id for memory, "volumes"."""
    actions: int = 0
    refused: list[str] = field(default_factory=list)
