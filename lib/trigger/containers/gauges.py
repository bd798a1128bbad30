"""The counters of all running containers at the last poll, and how long they are above their limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.trigger.containers.container import DIGITS, KEY, Container, unpack_id
from lib.trigger.marks.columns import packed, unpacked
from lib.trigger.marks.compact import number, pieces

LEAST = 10
"""Characters that a container needs at least: its id and the lower half of its counters are never alike."""
_UNIT = 1 << 16
"""Nanoseconds to which counters are kept: a hundredth of a percent of a second of CPU."""
_WIDTHS = (KEY // 2, 6, 6, 1, 1)
_MOST = (1 << 48) - 1
_COUNT = 100
_HEX = 16
_OLD_COUNTER = 11


@dataclass(frozen=True)
class Watch:
    """How often in a row a value was above its limit, and whether that was told."""

    count: int = 0
    fired: bool = False

    def packed(self) -> int:
        """Write it in one byte."""
        return min(self.count, _COUNT) * 2 + self.fired

    @classmethod
    def unpacked(cls, value: int) -> Watch:
        """Read what `packed` wrote."""
        return cls(value // 2, bool(value % 2))


@dataclass(frozen=True)
class Gauge:
    """A container's counters at the last poll, and its watches."""

    cpu: int
    system: int
    watches: Mapping[str, Watch]


@dataclass(frozen=True)
class Gauges:
    """All running selected containers, by the kept part of their ids: about 16 characters each."""

    at: int
    known: Mapping[str, Gauge] = field(default_factory=dict)

    def of(self, container: Container) -> Gauge | None:
        """Return what is known of a container; version 1.0 kept a shorter part of ids."""
        return self.known.get(container.key) or self.known.get(container.short)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        rows = (
            (
                int(key, _HEX),
                min(one.cpu // _UNIT, _MOST),
                min(one.system // _UNIT, _MOST),
                one.watches["cpu"].packed(),
                one.watches["memory"].packed(),
            )
            for key, one in self.known.items()
        )
        return {"at": self.at, "packed": packed(rows, _WIDTHS)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Gauges:
        """Read `to_state`, or the form of version 1.0."""
        if "packed" not in state:
            return cls(int(state["at"]), dict(_old(one) for one in pieces(state["gauges"], _OLD_WIDTH)))
        known = {}
        for identity, cpu, system, of_cpu, of_memory in unpacked(state["packed"], _WIDTHS):
            watches = {"cpu": Watch.unpacked(of_cpu), "memory": Watch.unpacked(of_memory)}
            known[f"{identity:0{KEY}x}"] = Gauge(cpu * _UNIT, system * _UNIT, watches)
        return cls(int(state["at"]), known)


_OLD_WIDTH = DIGITS + 2 * _OLD_COUNTER + 2


def _old(one: str) -> tuple[str, Gauge]:
    cpu, system = one[DIGITS : DIGITS + _OLD_COUNTER], one[DIGITS + _OLD_COUNTER : -2]
    watches = {"cpu": Watch.unpacked(number(one[-2])), "memory": Watch.unpacked(number(one[-1]))}
    return unpack_id(one[:DIGITS]), Gauge(number(cpu), number(system), watches)
