"""Trigger diskUsage: images, containers, volumes or the build cache take more room than a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.query import repeated
from lib.form import Form, flag, number, text
from lib.polling.clock import SECOND, iso
from lib.trigger import Finding, Found, Poll, trigger

GIGABYTE = 1_000_000_000
TYPES = {"images": "image", "containers": "container", "volumes": "volume", "buildCache": "build-cache"}
FIELDS = {**{name: f"{name}Gigabytes" for name in TYPES}, "total": "totalGigabytes"}
SAMPLE = {
    "kind": "threshold",
    "event": "exceeded",
    "what": "volumes",
    "bytes": 53687091200,
    "thresholdBytes": 50000000000,
    "usage": {
        "images": 21474836480,
        "containers": 1073741824,
        "volumes": 53687091200,
        "buildCache": 4294967296,
        "total": 80530636800,
    },
    "timestamp": "2026-01-01T12:00:00Z",
}


@dataclass(frozen=True)
class Above:
    """What was told to be above its limit, at the engine's time `at`."""

    at: int
    fired: frozenset[str] = frozenset()

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"at": self.at, "above": sorted(self.fired)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Above:
        """Read `to_state`."""
        fired = frozenset(state["above"])
        if not fired <= FIELDS.keys():
            raise ValueError("no kinds of disk usage")
        return cls(int(state["at"]), fired)


def present(poll: Poll[Above]) -> dict[str, Any]:
    """Return the present usage as if the first limit had been crossed, for a debug run."""
    limits = _limits(poll.form)
    usage = _usage(poll, set(TYPES))
    what = next(iter(limits))
    return _body(poll, "exceeded", what, usage, limits[what])


@trigger("diskUsage", read=Above.from_state, sample=SAMPLE, live=present, seconds=300)
def disk_usage(poll: Poll[Above]) -> Found[Above]:
    """Ask for the disk usage and compare it with the limits: SystemDataUsage."""
    limits = _limits(poll.form)
    usage = _usage(poll, set(TYPES) if "total" in limits else set(limits))
    room = number(poll.form, "hysteresis", 10, most=100) / 100
    before = poll.state or Above(0)
    fired, findings = set(), []
    for what, limit in limits.items():
        was = what in before.fired
        if usage[what] > limit or (was and usage[what] >= limit * (1 - room)):
            fired.add(what)
            if not was:
                findings.append(_finding(poll, "exceeded", what, usage, limit, before))
        elif was and flag(poll.form, "recovered"):
            findings.append(_finding(poll, "recovered", what, usage, limit, before))
    return Found(findings, Above(poll.now, frozenset(fired)))


def _limits(form: Form) -> dict[str, int]:
    limits = {
        what: int(number(form, name, 0, least=0.001) * GIGABYTE)
        for what, name in FIELDS.items()
        if text(form, name)
    }
    if not limits:
        raise BadInput(f"{', '.join(FIELDS.values())}: give at least one limit, such as 50")
    return limits


def _usage(poll: Poll[Above], wanted: set[str]) -> dict[str, int]:
    """Return bytes by kind; engines that can, count only what is asked for, which saves them work."""
    fields = {"type": [TYPES[what] for what in sorted(wanted)]}
    query = (repeated("type"),) if poll.engine.version.minor >= 42 and wanted != set(TYPES) else ()  # noqa: PLR2004
    answer = poll.engine.get("/system/df", fields, query=query, timeout="slow").json()
    usage = {
        "images": _new(answer, "ImageUsage", int(answer.get("LayersSize") or 0)),
        "containers": _new(answer, "ContainerUsage", _sum(answer, "Containers", "SizeRw")),
        "volumes": _new(answer, "VolumeUsage", _volumes(answer)),
        "buildCache": _new(answer, "BuildCacheUsage", _sum(answer, "BuildCache", "Size")),
    }
    return {**usage, "total": sum(usage.values())}


def _new(answer: Mapping[str, Any], name: str, old: int) -> int:
    """Return the sum that engines give from API 1.52 on, else what was summed up from the lists."""
    found = (answer.get(name) or {}).get("TotalSize")
    return old if found is None else int(found)


def _sum(answer: Mapping[str, Any], name: str, size: str) -> int:
    return sum(int(entry.get(size) or 0) for entry in answer.get(name) or ())


def _volumes(answer: Mapping[str, Any]) -> int:
    # -1: the driver cannot tell
    sizes = (int((volume.get("UsageData") or {}).get("Size") or 0) for volume in answer.get("Volumes") or ())
    return sum(max(size, 0) for size in sizes)


def _finding(
    poll: Poll[Above], event: str, what: str, usage: Mapping[str, int], limit: int, before: Above
) -> Finding:
    return Finding(_body(poll, event, what, usage, limit), f"{what} {event} {limit} {before.at}")


def _body(poll: Poll[Above], event: str, what: str, usage: Mapping[str, int], limit: int) -> dict[str, Any]:
    return {
        "kind": "threshold",
        "event": event,
        "what": what,
        "bytes": usage[what],
        "thresholdBytes": limit,
        "usage": dict(usage),
        "timestamp": iso(poll.now * SECOND),
    }
