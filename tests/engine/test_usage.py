from __future__ import annotations

from typing import Any

import pytest

from lib.engine.answer.stats import Usage, cpu_percent, percentages


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
    [
        {},
        {"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}},
        {"cpu_stats": 5, "memory_stats": []},
    ],
)
def test_the_empty_answer_of_a_stopped_container_is_no_zero(empty: dict[str, Any]) -> None:
    assert Usage.of(empty) is None


def test_an_engine_that_tells_no_time_of_the_system_gives_memory_only() -> None:
    usage = Usage.of(stats(1, 0, {"usage": 1, "limit": 4}))
    assert usage
    assert usage.memory_percent == 25.0
    assert cpu_percent(usage, 0, 0) is None


def windows(second: int, ticks: int) -> dict[str, Any]:
    return {
        "read": f"2026-11-24T08:00:{second:02}.000000000Z",
        "num_procs": 4,
        "cpu_stats": {"cpu_usage": {"total_usage": ticks}},
        "memory_stats": {"commitbytes": 9_000, "privateworkingset": 4_096},
    }


def test_a_trigger_measures_containers_of_windows_too() -> None:
    """Fault 8.34: there were two formulas, and the trigger's had none for Windows: it saw no such container."""
    before, now = Usage.of(windows(1, 1_000_000)), Usage.of(windows(11, 101_000_000))
    assert before
    assert now
    # 10 s of 4 processors are 400,000,000 ticks of 100 ns.
    assert cpu_percent(now, before.cpu, before.system) == 25.0
    assert (now.memory, now.memory_percent) == (4_096, None)


def test_both_sides_of_the_formula_come_to_the_same() -> None:
    """Fault 8.34: ContainerStats and the trigger tell one figure for the same two samples."""
    first, second = stats(1_000, 10_000, {"usage": 1}), stats(3_000, 20_000, {"usage": 1})
    before, now = Usage.of(first), Usage.of(second)
    assert before
    assert now
    both = {**second, "precpu_stats": first["cpu_stats"]}
    assert percentages(both)["cpuPercent"] == cpu_percent(now, before.cpu, before.system) == 80.0
