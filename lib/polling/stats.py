"""CPU and memory out of an answer of ContainerStats, on either kind of control groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Usage:
    """Counters in nanoseconds since the container's start and the machine's, memory in bytes."""

    cpu: int
    system: int
    processors: int
    memory: int
    memory_limit: int

    @classmethod
    def of(cls, stats: Mapping[str, Any]) -> Usage | None:
        """Read one sample; None for the empty one of a container that does not run (which is not 0)."""
        cpu, memory = stats.get("cpu_stats") or {}, stats.get("memory_stats") or {}
        usage = cpu.get("cpu_usage") or {}
        if not cpu.get("system_cpu_usage") or "usage" not in memory:
            return None
        detail = memory.get("stats") or {}
        # The page cache is given back under pressure; the engine's own tools leave it out as well.
        cache = detail.get("total_inactive_file", detail.get("inactive_file", 0))
        return cls(
            int(usage.get("total_usage") or 0),
            int(cpu["system_cpu_usage"]),
            int(cpu.get("online_cpus") or len(usage.get("percpu_usage") or ()) or 1),
            max(int(memory["usage"]) - int(cache), 0),
            int(memory.get("limit") or 0),
        )

    @property
    def memory_percent(self) -> float | None:
        """Memory in percent of what the container may use."""
        return round(100 * self.memory / self.memory_limit, 2) if self.memory_limit else None


def cpu_percent(now: Usage, cpu: int, system: int) -> float | None:
    """Return the CPU used since earlier counters in percent of one processor.

    None where the counters went back: the container (or the machine) was started again in between.
    """
    used, passed = now.cpu - cpu, now.system - system
    if used < 0 or passed <= 0:
        return None
    return round(100 * used / passed * now.processors, 2)
