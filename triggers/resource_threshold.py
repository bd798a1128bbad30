"""Trigger resourceThreshold (docs/triggers.md#resourcethreshold): CPU or memory is above a limit for some polls.

Each poll reads the stats of each running container once. CPU is the average since the last poll, so the state holds the
counters of each container, and for each limit how many polls in a row the value was above it (`Watch`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib.config.form import Form, flag, text, whole
from lib.config.form import number as decimal
from lib.config.selection import Selection
from lib.engine import Engine, Version
from lib.engine.answer.stats import Usage, cpu_percent
from lib.engine.errors import BadInput, Conflict, NotFound
from lib.trigger import Fault, Finding, Found, Poll, trigger
from lib.trigger.clock import SECOND, iso
from lib.trigger.containers.container import RUNNING, Container, listed, selected
from lib.trigger.containers.gauges import LEAST, Gauge, Gauges, Watch
from lib.trigger.dropdowns import containers, images, labels

__all__ = ["containers", "images", "labels", "resource_threshold"]

ONE_SHOT = Version(1, 41)
AT_ONCE = 16
"""Calls at once. Engines before API 1.42 wait one to two seconds before they answer for a container."""
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
class Limits:
    """The limits of the form.

    `cpu` in percent of one processor, `memory` in percent of the container's limit; None if it is not watched.
    `polls`: polls in a row above the limit before `exceeded`. `hysteresis`: in percent points. `recovered`: whether to
    emit `recovered`.
    """

    cpu: float | None
    memory: float | None
    polls: int
    hysteresis: float
    recovered: bool

    @classmethod
    def of(cls, form: Form) -> Limits:
        """Read the form; raises BadInput."""
        cpu = decimal(form, "cpuPercent", 0, least=0.1) if text(form, "cpuPercent") else None
        memory = (
            decimal(form, "memoryPercent", 0, least=0.1, most=100) if text(form, "memoryPercent") else None
        )
        if cpu is None and memory is None:
            raise BadInput("cpuPercent, memoryPercent: give at least one limit, such as 80")
        polls = whole(form, "polls", 3, least=1, most=30)
        return cls(cpu, memory, polls, decimal(form, "hysteresis", 10, most=100), flag(form, "recovered"))

    def items(self) -> tuple[tuple[str, float | None], ...]:
        """Return (metric, limit) for both metrics."""
        return (("cpu", self.cpu), ("memory", self.memory))

    def step(self, watch: Watch, value: float | None, limit: float | None) -> tuple[Watch, str | None]:
        """Return the watch after one more value, and the event to emit, None for no event.

        Without a value nothing changes. The hysteresis is at most half of the limit: a value cannot fall below 0.
        """
        if limit is None:
            return Watch(), None
        if value is None:
            return watch, None
        if value > limit:
            count = watch.count + 1
            fires = not watch.fired and count >= self.polls
            return Watch(count, watch.fired or fires), "exceeded" if fires else None
        back = watch.fired and value < limit - min(self.hysteresis, limit / 2)
        return Watch(0, watch.fired and not back), "recovered" if back and self.recovered else None


def measured(poll: Poll[Gauges]) -> Mapping[str, Any] | None:
    """Return the body for the first running selected container as if it had crossed its limit, for a try-out."""
    limits = Limits.of(poll.form)
    metric, limit = next((name, limit) for name, limit in limits.items()[::-1] if limit is not None)
    running = [one for one in listed(poll.engine) if one.status in RUNNING]
    chosen = selected(running, Selection.of(poll.form), poll.engine)
    for container, usage in poll.each(chosen, _usage, key=_key, name=_name, fault=_fault, at_once=1):
        if usage is not None:
            values = {"cpu": None, "memory": usage.memory_percent}
            watch = Watch(limits.polls)
            return _finding(poll, container, metric, "exceeded", limit, values, usage, watch).body
    return None


@trigger("resourceThreshold", read=Gauges.from_state, sample=SAMPLE, live=measured, settings=Limits.of)
def resource_threshold(poll: Poll[Gauges]) -> Found[Gauges]:
    """Read the stats of each running selected container: ContainerList, ContainerStats (one-shot)."""
    limits = Limits.of(poll.form)
    present = listed(poll.engine)
    running = [one for one in present if one.status in RUNNING]
    chosen = selected(running, Selection.of(poll.form), poll.engine)
    poll.need_room(len(chosen) * LEAST)
    findings: list[Finding] = []
    known: dict[str, Gauge] = {}
    ended: list[Container] = []

    def keep(container: Container) -> None:
        if old := _before(poll, container):
            known[container.key] = old

    for container, usage in poll.each(
        chosen, _usage, key=_key, name=_name, fault=_fault, missed=keep, at_once=AT_ONCE
    ):
        if usage is None:
            ended.append(container)
            continue
        old = _before(poll, container)
        values = {
            "cpu": cpu_percent(usage, old.cpu, old.system) if old else None,
            "memory": usage.memory_percent,
        }
        watches = {}
        for metric, limit in limits.items():
            watch = old.watches[metric] if old else Watch()
            watches[metric], event = limits.step(watch, values[metric], limit)
            if event and limit is not None:
                finding = _finding(poll, container, metric, event, limit, values, usage, watches[metric], old)
                findings.append(finding)
        known[container.key] = Gauge(usage.cpu, usage.system, watches)
    ended += [one for one in present if one.status not in RUNNING]
    findings += _stopped(poll, limits, present, ended)
    return Found(findings, Gauges(poll.now, known))


def _before(poll: Poll[Gauges], container: Container) -> Gauge | None:
    return poll.state.of(container) if poll.state else None


def _usage(engine: Engine, container: Container) -> Usage | None:
    fields: dict[str, Any] = {"id": container.id, "stream": False}
    query = ["stream"]
    if engine.version >= ONE_SHOT:  # older engines take two seconds for each container
        fields["one_shot"] = True
        query.append("one-shot")
    return Usage.of(engine.get("/containers/{id}/stats", fields, query=query).json())


def _key(container: Container) -> str:
    return container.id


def _name(container: Container) -> str:
    return f"Container {container.name}"


def _fault(container: Container, error: Exception) -> Fault | None:
    """Return the fault of a container that cannot be measured, None if it ended since the list was made."""
    return None if isinstance(error, NotFound | Conflict) else Fault.of(_name(container), error)


def _stopped(
    poll: Poll[Gauges], limits: Limits, present: list[Container], ended: list[Container]
) -> Iterator[Finding]:
    """Yield `recovered` for containers that were above a limit and do not run any more."""
    if poll.state is None or not limits.recovered:
        return
    bodies = {one.key: one.body() for one in ended}
    shorts = {one.short: one.key for one in present}
    keys = {one.key for one in present}
    for key, old in poll.state.known.items():
        whole_key = key if key in keys else shorts.get(key, key)
        if whole_key in keys and whole_key not in bodies:  # it runs
            continue
        container = bodies.get(whole_key) or {"id": key, "name": None, "image": None, "labels": {}}
        for metric, limit in limits.items():
            if limit is not None and old.watches[metric].fired:
                body = _body(poll, container, metric, "recovered", limit)
                yield Finding(body, f"{key} {metric} stopped {poll.state.at} {old.place}")


def _finding(
    poll: Poll[Gauges],
    container: Container,
    metric: str,
    event: str,
    limit: float,
    values: Mapping[str, float | None],
    usage: Usage,
    watch: Watch,
    old: Gauge | None = None,
) -> Finding:
    body = _body(poll, container.body(), metric, event, limit) | {
        "value": values[metric],
        "polls": watch.count,
        "cpuPercent": values["cpu"],
        "memoryPercent": values["memory"],
        "memoryBytes": usage.memory,
        "memoryLimit": usage.memory_limit or 0,
    }
    at = poll.state.at if poll.state else 0
    return Finding(body, f"{container.id} {metric} {event} {at} {old.place if old else ''}")


def _body(
    poll: Poll[Gauges], container: Mapping[str, Any], metric: str, event: str, limit: float
) -> dict[str, Any]:
    """Return the body for a container without values, as for one that does not run."""
    return {
        "kind": "threshold",
        "event": event,
        "metric": metric,
        "value": None,
        "threshold": limit,
        "polls": 0,
        "container": dict(container),
        "cpuPercent": None,
        "memoryPercent": None,
        "memoryBytes": None,
        "memoryLimit": None,
        "timestamp": iso(poll.now * SECOND),
    }
