"""Trigger diskUsage (docs/triggers.md#diskusage): disk usage crosses a limit.

A limit is for images, containers, volumes, the build cache, or their total. `exceeded` is emitted when usage rises
above the limit, and again only after it was below the limit minus the hysteresis.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.config.form import Form, flag, number, text
from lib.engine.errors import BadInput
from lib.engine.request.query import repeated
from lib.trigger import Finding, Found, Poll, trigger
from lib.trigger.clock import SECOND, iso

Usage = Mapping[str, int | None]
GIGABYTE = 1_000_000_000
TYPES = {"images": "image", "containers": "container", "volumes": "volume", "buildCache": "build-cache"}
NEW = {
    "images": "ImageUsage",
    "containers": "ContainerUsage",
    "volumes": "VolumeUsage",
    "buildCache": "BuildCacheUsage",
}
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
    """The state: which limits are exceeded (`fired`).

    `changes`: how often something was emitted of a kind; it makes the identities of equal crossings different. Each
    kind counts for itself: what a repeat finds of others does not change the identity of what was emitted before.
    """

    fired: frozenset[str] = frozenset()
    changes: Mapping[str, int] = field(default_factory=dict)

    def to_state(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"above": sorted(self.fired), "counts": dict(self.changes)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Above:
        """Read `to_state` or an older form: one number for all kinds, or none; ValueError, TypeError or KeyError."""
        fired = frozenset(state["above"])
        together = int(state.get("changes", 0))
        counts = {what: int(count) for what, count in dict(state.get("counts", {})).items()}
        if not fired | counts.keys() <= FIELDS.keys():
            raise ValueError("no kinds of disk usage")
        return cls(fired, counts or dict.fromkeys(FIELDS, together))


def present(poll: Poll[Above]) -> dict[str, Any]:
    """Return the body for the present usage as if the first limit had been crossed, for a try-out."""
    limits = _limits(poll.form)
    usage = _usage(poll, set(TYPES))
    what = next(iter(limits))
    return _body(poll, "exceeded", what, usage, limits[what])


def settings(form: Form) -> tuple[dict[str, int], float]:
    """Return the limits in bytes, and the hysteresis as a part of the limit (0 to 1); raises BadInput."""
    return _limits(form), number(form, "hysteresis", 10, most=100) / 100


@trigger("diskUsage", read=Above.from_state, sample=SAMPLE, live=present, settings=settings, seconds=300)
def disk_usage(poll: Poll[Above]) -> Found[Above]:
    """Ask for the disk usage and compare it with the limits: SystemDataUsage."""
    limits, room = settings(poll.form)
    usage = _usage(poll, set(TYPES) if "total" in limits else set(limits))
    before = poll.state or Above()
    fired, findings = set(), []
    for what, limit in limits.items():
        was, size = what in before.fired, usage[what] or 0
        if size > limit or (was and size >= limit * (1 - room)):
            fired.add(what)
            if not was:
                findings.append(_finding(poll, "exceeded", what, usage, limit, before))
        elif was and flag(poll.form, "recovered"):
            findings.append(_finding(poll, "recovered", what, usage, limit, before))
    counts = {what: count for what, count in before.changes.items() if count}
    for finding in findings:
        what = finding.body["what"]
        counts[what] = counts.get(what, 0) + 1
    return Found(findings, Above(frozenset(fired), counts))


def _limits(form: Form) -> dict[str, int]:
    limits = {
        what: int(number(form, name, 0, least=0.001) * GIGABYTE)
        for what, name in FIELDS.items()
        if text(form, name)
    }
    if not limits:
        raise BadInput(f"{', '.join(FIELDS.values())}: give at least one limit, such as 50")
    return limits


def _usage(poll: Poll[Above], wanted: set[str]) -> Usage:
    """Return bytes by kind and in `total`; None for what the engine did not count.

    From API 1.42 on the engine counts only the `wanted` kinds, which saves it work.
    """
    fields = {"type": [TYPES[what] for what in sorted(wanted)]}
    chosen = poll.engine.version.minor >= 42 and wanted != set(TYPES)  # noqa: PLR2004
    query = (repeated("type"),) if chosen else ()
    answer = poll.engine.get("/system/df", fields, query=query, timeout="slow").json()
    counted = wanted if chosen else set(TYPES)
    usage = {what: _bytes(answer, what) if what in counted else None for what in TYPES}
    sizes = [size for size in usage.values() if size is not None]
    return {**usage, "total": sum(sizes) if len(sizes) == len(TYPES) else None}


def _bytes(answer: Mapping[str, Any], what: str) -> int:
    """Return the bytes of a kind: the engine's sum from API 1.52 on (missing means 0), before it the sum of a list."""
    if isinstance(found := answer.get(NEW[what]), Mapping):
        return int(found.get("TotalSize") or 0)
    if what == "images":
        return int(answer.get("LayersSize") or 0)
    if what == "volumes":
        return _volumes(answer)
    return _sum(answer, *(("Containers", "SizeRw") if what == "containers" else ("BuildCache", "Size")))


def _sum(answer: Mapping[str, Any], name: str, size: str) -> int:
    return sum(int(entry.get(size) or 0) for entry in answer.get(name) or ())


def _volumes(answer: Mapping[str, Any]) -> int:
    # A size of -1 means that the driver does not know it.
    sizes = (int((volume.get("UsageData") or {}).get("Size") or 0) for volume in answer.get("Volumes") or ())
    return sum(max(size, 0) for size in sizes)


def _finding(poll: Poll[Above], event: str, what: str, usage: Usage, limit: int, before: Above) -> Finding:
    return Finding(
        _body(poll, event, what, usage, limit), f"{what} {event} {limit} {before.changes.get(what, 0)}"
    )


def _body(poll: Poll[Above], event: str, what: str, usage: Usage, limit: int) -> dict[str, Any]:
    return {
        "kind": "threshold",
        "event": event,
        "what": what,
        "bytes": usage[what],
        "thresholdBytes": limit,
        "usage": dict(usage),
        "timestamp": iso(poll.now * SECOND),
    }
