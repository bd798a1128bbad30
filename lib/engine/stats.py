"""CPU and memory as per cent out of one object of ContainerStats, by the formulas of Docker's own tools."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping
from typing import Any

Stats = Mapping[str, Any]

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")


def percentages(stats: Stats) -> dict[str, Any]:
    """Return {running, cpuPercent, memoryPercent, memoryBytes, memoryLimitBytes}; None: cannot be told.

    CPU is of one core (200 is two cores fully used) and needs two samples, which `one-shot` leaves out.
    Memory is without the page cache that the kernel gives up at once. A stopped container's object is
    empty: running is False and all else None.
    """
    memory = stats.get("memory_stats") or {}
    running = bool(memory or _in(stats, "cpu_stats", "cpu_usage", "total_usage"))
    windows = "privateworkingset" in memory or "commitbytes" in memory or bool(stats.get("num_procs"))
    used = memory.get("privateworkingset") if windows else _used(memory)
    limit = memory.get("limit") or None
    return {
        "running": running,
        "cpuPercent": (_cpu_windows(stats) if windows else _cpu(stats)) if running else None,
        "memoryPercent": _per_cent(used, limit),
        "memoryBytes": used,
        "memoryLimitBytes": limit,
    }


def _in(tree: Stats, *keys: str) -> int:
    value: Any = tree
    for key in keys:
        value = (value or {}).get(key)
    return value or 0


def _per_cent(part: float | None, whole: float | None, times: float = 1) -> float | None:
    if part is None or not whole or whole < 0:
        return None
    return round(max(part, 0) / whole * times * 100, 2)


def _cpu(stats: Stats) -> float | None:
    if not _in(stats, "precpu_stats", "system_cpu_usage"):
        return None
    used, passed = (
        _in(stats, "cpu_stats", *keys) - _in(stats, "precpu_stats", *keys)
        for keys in (("cpu_usage", "total_usage"), ("system_cpu_usage",))
    )
    # Engines before 1.27 do not count the CPUs; a list of usages per CPU exists with cgroup v1 only.
    cores = _in(stats, "cpu_stats", "online_cpus")
    if not cores:
        cores = len((stats["cpu_stats"].get("cpu_usage") or {}).get("percpu_usage") or [])
    return _per_cent(used, passed, cores or 1)


def _cpu_windows(stats: Stats) -> float | None:
    read, before = _nanoseconds(stats.get("read")), _nanoseconds(stats.get("preread"))
    if read is None or before is None:
        return None
    used = _in(stats, "cpu_stats", "cpu_usage", "total_usage") - _in(
        stats, "precpu_stats", "cpu_usage", "total_usage"
    )
    # Windows counts in units of 100 ns over all processors, so this is of the whole machine.
    return _per_cent(used, (read - before) / 100 * (stats.get("num_procs") or 1))


def _used(memory: Stats) -> int | None:
    usage: int | None = memory.get("usage")
    if usage is None:
        return None
    details = memory.get("stats") or {}
    # cgroup v1 says total_inactive_file, v2 inactive_file.
    for name in ("total_inactive_file", "inactive_file"):
        if name in details:
            return usage - details[name] if details[name] < usage else usage
    return usage


def _nanoseconds(text: Any) -> int | None:
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None or text.startswith("0001"):
        return None
    try:
        seconds = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:  # digits that make no date
        return None
    return seconds * 10**9 + int((match[2] or "").ljust(9, "0"))
