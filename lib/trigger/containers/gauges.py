"""The state of resourceThreshold: CPU counters at the last poll, and for how many polls a value is above its limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.trigger.containers.container import DIGITS, KEY, Container, unpack_id
from lib.trigger.marks.columns import packed, unpacked
from lib.trigger.marks.compact import number, pieces

LEAST = 10
"""Characters of one container at least: its id and the low bytes of its counters cannot be compressed."""
_UNIT = 1 << 16
"""Resolution of stored counters in nanoseconds: 65,536 ns, less than 0.01 % of one second of CPU."""
_WIDTHS = (KEY // 2, 6, 6, 1, 1)
"""Bytes of the numbers of a row: id, CPU of the container, CPU of the machine, watch of CPU, watch of memory."""
_MOST = (1 << 48) - 1
_COUNT = 100
_HEX = 16
_OLD_COUNTER = 11


@dataclass(frozen=True)
class Watch:
    """How many polls in a row a value was above its limit, and whether `exceeded` was emitted (`fired`)."""

    count: int = 0
    fired: bool = False

    def packed(self) -> int:
        """Return it as a number of one byte."""
        return min(self.count, _COUNT) * 2 + self.fired

    @classmethod
    def unpacked(cls, value: int) -> Watch:
        """Read what `packed` wrote."""
        return cls(value // 2, bool(value % 2))


@dataclass(frozen=True)
class Gauge:
    """Counters at the last poll, in nanoseconds of CPU time: `cpu` of the container, `system` of the whole machine.

    `watches` are by metric: cpu, memory.
    """

    cpu: int
    system: int
    watches: Mapping[str, Watch]

    @property
    def place(self) -> str:
        """The counters as they are stored: they tell the polls of one second apart, and a repeat has the same."""
        return f"{self.cpu // _UNIT} {self.system // _UNIT}"


@dataclass(frozen=True)
class Gauges:
    """All running selected containers, by the first KEY digits of their ids: about 16 characters each.

    `at` is the engine's time of the poll in seconds.
    """

    at: int
    known: Mapping[str, Gauge] = field(default_factory=dict)

    def of(self, container: Container) -> Gauge | None:
        """Return the gauge of a container, None if it is new; version 1.0 stored fewer digits of the id."""
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
        """Read `to_state` or the form of version 1.0; raises ValueError, TypeError or KeyError for anything else."""
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
