"""The engine's ring as the engine runs it: 256 places, first in first out, publish order, gone with a restart."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

SECOND = 1_000_000_000
EDGE = 2


def event(
    number: int,
    nanos: int,
    *,
    scope: str = "local",
    action: str = "start",
    kind: str = "container",
    **attributes: str,
) -> dict[str, Any]:
    """One event; `number` makes its object."""
    return {
        "Type": kind,
        "Action": action,
        "Actor": {
            "ID": f"{number:012x}".ljust(64, "0"),
            "Attributes": {"name": f"c{number}", "image": "shop/web:1", **attributes},
        },
        "scope": scope,
        "time": nanos // SECOND,
        "timeNano": nanos,
    }


@dataclass
class Ring:
    """`published` is the truth; `now` is the engine's clock, which tests set."""

    now: float = 1_700_000_000.0
    kept: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=256))
    starts: int = 0
    published: list[dict[str, Any]] = field(default_factory=list)

    def publish(self, *, late: float = 0, **more: Any) -> dict[str, Any]:
        """A new event with a time of its own; `late`: it carries an earlier one."""
        made = event(len(self.published), int((self.now - late) * SECOND) + len(self.published), **more)
        self.published.append(made)
        self.kept.append(made)
        self.now += 0.01
        return made

    def read(self, since: float, until: float) -> list[dict[str, Any]]:
        """As `loadBufferedEvents`: from the newest back, to the first that is older than `since`."""
        found: list[dict[str, Any]] = []
        for one in reversed(self.kept):
            if one["timeNano"] < since * SECOND:
                break
            if one["timeNano"] <= until * SECOND:
                found.append(one)
        return found[::-1]

    def polled(self) -> list[dict[str, Any]]:
        """What a poll gets at the engine's present time."""
        return self.read(0, int(self.now) - EDGE)

    @property
    def run(self) -> str:
        """What tells one start of the engine from another."""
        return f"r{self.starts:03d}"

    def restart(self, *, replay: int = 0) -> None:
        """The memory is empty; a swarm manager brings so many of its swarm events back, with their old times."""
        again = [one for one in self.kept if one["scope"] == "swarm"][-replay:] if replay else []
        self.starts += 1
        self.kept.clear()
        self.kept.extend(again)
