"""CPU and memory in percent from one object of ContainerStats, by the formulas of Docker's own tools."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Stats = Mapping[str, Any]

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
_NANOSECONDS_OF_A_TICK = 100


@dataclass(frozen=True)
class Usage:
    """One sample of a running container. Memory is in bytes, None if the engine does not report it.

    `cpu` is the processor time that the container used, `system` the time that there was to use, both as counters in
    the same unit. On Linux the unit is a nanosecond, `system` is the sum of all processors, and `processors` turns the
    ratio into a share of one processor. On Windows the unit is a tick of 100 ns, `system` is the clock times the
    processors, since the engine reports none, and `processors` is 1: its own tools show the share of the whole
    machine. If `system` is 0, there are no counters and no CPU figure.
    """

    cpu: int
    system: int
    processors: int
    memory: int | None
    memory_limit: int | None

    @classmethod
    def of(cls, stats: Stats, *, before: bool = False) -> Usage | None:
        """Return a sample, or with `before` the CPU counters of the one before; None: the container does not run."""
        memory = _tree(stats.get("memory_stats"))
        cpu = _tree(stats.get("precpu_stats" if before else "cpu_stats"))
        used = _whole(_tree(cpu.get("cpu_usage")).get("total_usage"))
        if not memory and not used:
            return None
        system, processors = _whole(cpu.get("system_cpu_usage")), _processors(cpu)
        if windows := _is_windows(stats, memory):
            clock = _nanoseconds(stats.get("preread" if before else "read")) or 0
            system = clock // _NANOSECONDS_OF_A_TICK * (_whole(stats.get("num_procs")) or 1)
            processors = 1
        return cls(
            used,
            system,
            processors,
            _known(memory.get("privateworkingset")) if windows else _used(memory),
            _whole(memory.get("limit")) or None,
        )

    @property
    def memory_percent(self) -> float | None:
        """Memory in percent of what the container may use, or None."""
        if self.memory is None or not self.memory_limit:
            return None
        return round(100 * self.memory / self.memory_limit, 2)


def cpu_percent(now: Usage, cpu: int, system: int) -> float | None:
    """Return the CPU used since earlier counters in percent of one processor (on Windows of the machine).

    The formula is 100 * (now.cpu - cpu) / (now.system - system) * processors. It is None if there are no counters, or
    if they went back: the container (or the machine) was started again in between.
    """
    used, passed = now.cpu - cpu, now.system - system
    if not system or used < 0 or passed <= 0:
        return None
    return round(100 * used / passed * now.processors, 2)


def percentages(stats: Stats) -> dict[str, Any]:
    """Return {running, cpuPercent, memoryPercent, memoryBytes, memoryLimitBytes}; None means unknown.

    CPU is in percent of one core (200 is two cores fully used) and needs two samples; `one-shot` gives only one.
    Memory is without the page cache that the kernel can free at once. For a stopped container, whose object is empty,
    running is False and all else None.
    """
    now, before = Usage.of(stats), Usage.of(stats, before=True)
    return {
        "running": now is not None,
        "cpuPercent": cpu_percent(now, before.cpu, before.system) if now and before else None,
        "memoryPercent": now.memory_percent if now else None,
        "memoryBytes": now.memory if now else None,
        "memoryLimitBytes": now.memory_limit if now else None,
    }


def _is_windows(stats: Stats, memory: Stats) -> bool:
    return "privateworkingset" in memory or "commitbytes" in memory or bool(_whole(stats.get("num_procs")))


def _processors(cpu: Stats) -> int:
    # Below API 1.27 the CPUs are not counted; a list of usages per CPU exists with cgroup v1 only.
    each = _tree(cpu.get("cpu_usage")).get("percpu_usage")
    return _whole(cpu.get("online_cpus")) or (len(each) if isinstance(each, list) else 0) or 1


def _used(memory: Stats) -> int | None:
    usage = _known(memory.get("usage"))
    if usage is None:
        return None
    details = _tree(memory.get("stats"))
    # The page cache that the kernel can free: total_inactive_file in cgroup v1, inactive_file in v2.
    cache = _whole(details.get("total_inactive_file", details.get("inactive_file")))
    return usage - cache if cache < usage else usage


def _tree(value: Any) -> Stats:
    return value if isinstance(value, Mapping) else {}


def _known(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _whole(value: Any) -> int:
    return _known(value) or 0


def _nanoseconds(text: Any) -> int | None:
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None or text.startswith("0001"):
        return None
    try:
        seconds = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    except ValueError:  # the digits are not a date
        return None
    return seconds * 10**9 + int((match[2] or "").ljust(9, "0"))
