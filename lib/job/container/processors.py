"""How much of the processors a container may use, said in one of two ways: NanoCpus, or CpuQuota per CpuPeriod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.job.comparison import RECREATE, UPDATE, Difference, difference

_PERIOD, _NANO = 100_000, 10**9
_NAMES = ("NanoCpus", "CpuQuota", "CpuPeriod")


def of_processors(
    given: Mapping[str, Any], told: Mapping[str, Any], *, strict: bool = False
) -> list[Difference]:
    """Compare them as NanoCpus. An engine updates what is set in the way that it was set in, and removes nothing."""
    if not strict and all(given.get(name) is None for name in _NAMES):
        return []
    wanted, there = _nano(given), _nano(told)
    if wanted == there:
        return []
    path = "NanoCpus" if given.get("NanoCpus") or not given.get("CpuQuota") else "CpuQuota"
    other_way = told.get("NanoCpus") if path == "CpuQuota" else told.get("CpuQuota") or told.get("CpuPeriod")
    effect = RECREATE if other_way or not wanted else UPDATE
    return [difference(f"HostConfig.{path}", there or None, wanted or None, effect)]


def _nano(host: Mapping[str, Any]) -> int:
    if nano := int(host.get("NanoCpus") or 0):
        return nano
    quota, period = int(host.get("CpuQuota") or 0), int(host.get("CpuPeriod") or 0) or _PERIOD
    return quota * _NANO // period if quota > 0 else 0
