"""Trigger resourceThreshold: CPU or memory of a container is above a limit for some polls in a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine import Version
from lib.engine.errors import BadInput, Conflict, NotFound
from lib.engine.stats import Usage, cpu_percent
from lib.form import Form, flag, text, whole
from lib.form import number as decimal
from lib.polling.clock import SECOND, iso
from lib.polling.compact import digits, number, pieces
from lib.polling.container import DIGITS, RUNNING, Container, listed, pack_id, selected, unpack_id
from lib.polling.matching import Selection
from lib.selection import containers, images, labels
from lib.trigger import Finding, Found, Poll, trigger

__all__ = ["containers", "images", "labels", "resource_threshold"]

ONE_SHOT = Version(1, 41)
COUNTER = 11
SAMPLE = {
    "kind": "threshold",
    "event": "exceeded",
    "metric": "memory",
    "value": 93.4,
    "threshold": 90.0,
    "polls": 3,
    "container": {
        "id": "8f0f1c1ed3a6e3ba7b6d4d0a3f5f0c1b2a394857660718293a4b5c6d7e8f9012",
        "name": "web-1",
        "image": "shop/web:2.4",
        "labels": {"team": "shop"},
    },
    "cpuPercent": 12.5,
    "memoryPercent": 93.4,
    "memoryBytes": 250732544,
    "memoryLimit": 268435456,
    "timestamp": "2026-01-01T12:00:00Z",
}


@dataclass(frozen=True)
class Watch:
    """How often in a row a value was above its limit, and whether that was told."""

    count: int = 0
    fired: bool = False

    def pack(self) -> str:
        """Write it in one digit."""
        return digits(min(self.count, 31) * 2 + self.fired, 1)

    @classmethod
    def unpack(cls, packed: str) -> Watch:
        """Read what `pack` wrote."""
        return cls(number(packed) // 2, bool(number(packed) % 2))


@dataclass(frozen=True)
class Gauge:
    """A container's counters at the last poll, and its watches."""

    cpu: int
    system: int
    watches: Mapping[str, Watch]


@dataclass(frozen=True)
class Gauges:
    """All running selected containers, by the kept part of their ids: 31 characters each."""

    at: int
    known: Mapping[str, Gauge] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        packed = (
            pack_id(short)
            + digits(one.cpu, COUNTER)
            + digits(one.system, COUNTER)
            + one.watches["cpu"].pack()
            + one.watches["memory"].pack()
            for short, one in self.known.items()
        )
        return {"at": self.at, "gauges": "".join(packed)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Gauges:
        """Read `to_state`."""
        known = {}
        for one in pieces(state["gauges"], DIGITS + 2 * COUNTER + 2):
            cpu, system = one[DIGITS : DIGITS + COUNTER], one[DIGITS + COUNTER : -2]
            watches = {"cpu": Watch.unpack(one[-2]), "memory": Watch.unpack(one[-1])}
            known[unpack_id(one[:DIGITS])] = Gauge(number(cpu), number(system), watches)
        return cls(int(state["at"]), known)


@dataclass(frozen=True)
class Limits:
    """The step's limits in percent, None where a value is not watched."""

    cpu: float | None
    memory: float | None
    polls: int
    hysteresis: float
    recovered: bool

    @classmethod
    def of(cls, form: Form) -> Limits:
        """Read the form."""
        cpu = decimal(form, "cpuPercent", 0, least=0.1) if text(form, "cpuPercent") else None
        memory = (
            decimal(form, "memoryPercent", 0, least=0.1, most=100) if text(form, "memoryPercent") else None
        )
        if cpu is None and memory is None:
            raise BadInput("cpuPercent, memoryPercent: give at least one limit, such as 80")
        polls = whole(form, "polls", 3, least=1, most=30)
        return cls(cpu, memory, polls, decimal(form, "hysteresis", 10, most=100), flag(form, "recovered"))

    def step(self, watch: Watch, value: float | None, limit: float | None) -> tuple[Watch, str | None]:
        """Return the watch after one more value, and what has to be told. Without a value nothing changes."""
        if limit is None:
            return Watch(), None
        if value is None:
            return watch, None
        if value > limit:
            count = watch.count + 1
            fires = not watch.fired and count >= self.polls
            return Watch(count, watch.fired or fires), "exceeded" if fires else None
        back = watch.fired and value < limit - self.hysteresis
        return Watch(0, watch.fired and not back), "recovered" if back and self.recovered else None


@trigger("resourceThreshold", read=Gauges.from_state, sample=SAMPLE)
def resource_threshold(poll: Poll[Gauges]) -> Found[Gauges]:
    """Measure every selected running container: ContainerList, ContainerStats (one-shot)."""
    limits = Limits.of(poll.form)
    before = poll.state.known if poll.state else {}
    findings: list[Finding] = []
    known: dict[str, Gauge] = {}
    running = [one for one in listed(poll.engine) if one.status in RUNNING]
    for container in selected(running, Selection.of(poll.form), poll.engine):
        usage = _usage(poll, container)
        if usage is None:
            continue
        old = before.get(container.short)
        values = {
            "cpu": cpu_percent(usage, old.cpu, old.system) if old else None,
            "memory": usage.memory_percent,
        }
        watches = {}
        for metric, limit in (("cpu", limits.cpu), ("memory", limits.memory)):
            watch = old.watches[metric] if old else Watch()
            watches[metric], event = limits.step(watch, values[metric], limit)
            if event and limit is not None:
                findings.append(
                    _finding(poll, container, metric, event, limit, values, usage, watches[metric])
                )
        known[container.short] = Gauge(usage.cpu, usage.system, watches)
    return Found(findings, Gauges(poll.now, known))


def _usage(poll: Poll[Gauges], container: Container) -> Usage | None:
    fields: dict[str, Any] = {"id": container.id, "stream": False}
    query = ["stream"]
    if poll.engine.version >= ONE_SHOT:  # older engines take a second for each container
        fields["one_shot"] = True
        query.append("one-shot")
    try:
        return Usage.of(poll.engine.get("/containers/{id}/stats", fields, query=query).json())
    except (NotFound, Conflict):  # ended since it was listed
        return None


def _finding(
    poll: Poll[Gauges],
    container: Container,
    metric: str,
    event: str,
    limit: float,
    values: Mapping[str, float | None],
    usage: Usage,
    watch: Watch,
) -> Finding:
    body = {
        "kind": "threshold",
        "event": event,
        "metric": metric,
        "value": values[metric],
        "threshold": limit,
        "polls": watch.count,
        "container": container.body(),
        "cpuPercent": values["cpu"],
        "memoryPercent": values["memory"],
        "memoryBytes": usage.memory,
        "memoryLimit": usage.memory_limit or 0,
        "timestamp": iso(poll.now * SECOND),
    }
    at = poll.state.at if poll.state else 0
    return Finding(body, f"{container.id} {metric} {event} {at}")
