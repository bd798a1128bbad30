from __future__ import annotations

from typing import Any

import pytest

from lib.polling.stats import Usage, cpu_percent


def stats(cpu: int, system: int, memory: dict[str, Any]) -> dict[str, Any]:
    return {
        "cpu_stats": {"cpu_usage": {"total_usage": cpu}, "system_cpu_usage": system, "online_cpus": 4},
        "memory_stats": memory,
    }


@pytest.mark.parametrize("name", ["total_inactive_file", "inactive_file"])
def test_memory_is_without_the_page_cache(name: str) -> None:
    usage = Usage.of(stats(1, 1, {"usage": 100, "limit": 200, "stats": {name: 30}}))
    assert usage
    assert (usage.memory, usage.memory_percent) == (70, 35.0)


def test_cpu_is_in_percent_of_one_processor() -> None:
    usage = Usage.of(stats(3_000, 20_000, {"usage": 1}))
    assert usage
    assert cpu_percent(usage, 1_000, 10_000) == 80.0


def test_counters_that_went_back_are_no_value() -> None:
    usage = Usage.of(stats(3_000, 20_000, {"usage": 1}))
    assert usage
    assert cpu_percent(usage, 4_000, 10_000) is None
    assert cpu_percent(usage, 1_000, 20_000) is None


@pytest.mark.parametrize(
    "empty",
    [{}, {"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}, stats(1, 0, {"usage": 1})],
)
def test_the_empty_answer_of_a_stopped_container_is_no_zero(empty: dict[str, Any]) -> None:
    assert Usage.of(empty) is None
