from __future__ import annotations

import pytest

from lib.engine.answer.stats import percentages


def linux(**changes):
    stats = {
        "read": "2026-11-24T08:00:01.5Z",
        "preread": "2026-11-24T08:00:00.5Z",
        "num_procs": 0,
        "cpu_stats": {
            "cpu_usage": {"total_usage": 3_000, "percpu_usage": [1, 2]},
            "system_cpu_usage": 40_000,
            "online_cpus": 4,
        },
        "precpu_stats": {"cpu_usage": {"total_usage": 1_000}, "system_cpu_usage": 30_000},
        "memory_stats": {"usage": 1_000, "limit": 4_000, "stats": {"inactive_file": 200}},
    }
    return stats | changes


def test_cpu_is_counted_in_cores():
    assert percentages(linux())["cpuPercent"] == 80.0


def test_cpus_are_counted_by_their_usages_where_the_engine_does_not_say():
    cpu = {"cpu_usage": {"total_usage": 3_000, "percpu_usage": [1, 2]}, "system_cpu_usage": 40_000}
    assert percentages(linux(cpu_stats=cpu))["cpuPercent"] == 40.0


def test_one_sample_gives_no_cpu():
    empty = {"cpu_usage": {"total_usage": 0}, "throttling_data": {}}
    assert percentages(linux(precpu_stats=empty))["cpuPercent"] is None


def test_no_time_between_two_samples_gives_no_cpu():
    same = linux()["cpu_stats"]
    assert percentages(linux(precpu_stats=same))["cpuPercent"] is None


@pytest.mark.parametrize(
    ("details", "used"),
    [
        ({"total_inactive_file": 300, "inactive_file": 100}, 700),
        ({"inactive_file": 200}, 800),
        ({"inactive_file": 5_000}, 1_000),
        ({}, 1_000),
        (None, 1_000),
    ],
    ids=["cgroup v1", "cgroup v2", "more cache than use", "no details", "null"],
)
def test_memory_is_without_the_idle_cache(details, used):
    result = percentages(linux(memory_stats={"usage": 1_000, "limit": 4_000, "stats": details}))
    assert result["memoryBytes"] == used
    assert result["memoryPercent"] == used / 40
    assert result["memoryLimitBytes"] == 4_000


def test_windows_counts_its_own_way():
    result = percentages(
        {
            "read": "2026-11-24T08:00:02.000000100Z",
            "preread": "2026-11-24T08:00:01.0000001Z",
            "num_procs": 2,
            "cpu_stats": {"cpu_usage": {"total_usage": 6_000_000}},
            "precpu_stats": {"cpu_usage": {"total_usage": 1_000_000}},
            "memory_stats": {"commitbytes": 9, "privateworkingset": 4_096},
        }
    )
    assert result == {
        "running": True,
        "cpuPercent": 25.0,
        "memoryPercent": None,
        "memoryBytes": 4_096,
        "memoryLimitBytes": None,
    }


@pytest.mark.parametrize(
    "stats",
    [
        {"id": "1", "name": "/x"},
        {
            "read": "0001-01-01T00:00:00Z",
            "cpu_stats": {"cpu_usage": {"total_usage": 0}},
            "precpu_stats": {"cpu_usage": {"total_usage": 0}},
            "memory_stats": {},
        },
        {"cpu_stats": None, "memory_stats": None},
    ],
    ids=["newer", "20.10", "null"],
)
def test_a_stopped_container_has_no_figures(stats):
    assert percentages(stats) == {
        "running": False,
        "cpuPercent": None,
        "memoryPercent": None,
        "memoryBytes": None,
        "memoryLimitBytes": None,
    }


def test_a_time_that_is_none_gives_no_cpu_on_windows():
    """Fault 8.30: it was a ValueError."""
    stats = {"read": "2026-99-99T99:99:99Z", "preread": "2026-11-24T08:00:01Z", "num_procs": 2}
    assert percentages({**linux(), **stats, "memory_stats": {"commitbytes": 9}})["cpuPercent"] is None
