"""The trigger diskUsage: what an engine did not count is not shown as 0, and each crossing has an id of its own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import PollHarness
from tests.triggers.table import record

KEY = "diskUsage"
GIGABYTE = 1_000_000_000
NEW = {"VolumeUsage": {"TotalSize": 3 * GIGABYTE}, "ImageUsage": {}}
OLD = {
    "LayersSize": 0,
    "Images": None,
    "Containers": None,
    "BuildCache": None,
    "Volumes": [{"UsageData": {"Size": 3 * GIGABYTE}}, {"UsageData": {"Size": -1}}],
}


def step(fake: FakeEngine, answer: Any, **fields: Any) -> PollHarness:
    fake.routes["/system/df"] = lambda _: (200, answer)
    return PollHarness("disk_usage", {**fake.config, **fields})


@pytest.mark.parametrize("answer", [NEW, OLD], ids=["new", "old"])
def test_fault_9_20_what_was_not_counted_is_null(fake: FakeEngine, answer: Any) -> None:
    """Fault 9.20: so is the total of it."""
    fake.api = "1.42"
    (body,) = step(fake, answer, volumesGigabytes=1).poll().bodies
    volumes = 3 * GIGABYTE
    rest = dict.fromkeys(("images", "containers", "buildCache", "total"))
    assert (body["bytes"], body["usage"]) == (volumes, {**rest, "volumes": volumes})


def test_fault_9_20_nothing_is_0_where_it_was_counted(fake: FakeEngine) -> None:
    """Fault 9.20: engines from API 1.52 on leave a sum of 0 out; all is counted for a limit of the total."""
    fake.api = "1.42"
    (body,) = step(fake, NEW, totalGigabytes=1).poll().bodies
    volumes = 3 * GIGABYTE
    rest = dict.fromkeys(("images", "containers", "buildCache"), 0)
    assert body["usage"] == {**rest, "volumes": volumes, "total": volumes}


def test_fault_9_17_each_crossing_has_an_id_of_its_own(fake: FakeEngine) -> None:
    """Fault 9.17: within a second too; told again it has the same."""
    full, empty = OLD, {**OLD, "Volumes": []}
    desk = step(fake, full, volumesGigabytes=1, recovered=True)
    ids = []
    for answer in (full, empty, full, empty):
        fake.routes["/system/df"] = lambda _, answer=answer: (200, answer)  # type: ignore[misc]
        killed = desk.poll(dies_after=1)
        emitted = desk.poll()
        assert emitted.ids == killed.ids
        assert len(emitted.ids) == 1
        ids += emitted.ids
        assert desk.poll().bodies == []
    assert len(set(ids)) == 4
    told = desk.told(lambda body: body["event"])
    situation, truth = "9.17 above and below its limit, twice", ["exceeded", "recovered"] * 2
    record(KEY, "fake", situation, told=told, truth=truth)


def test_a_snapshot_of_version_1_0_is_read(fake: FakeEngine) -> None:
    desk = step(fake, OLD, volumesGigabytes=1)
    desk.snapshot = {"v": 1, "trigger": KEY, "engine": "", "at": 5, "above": ["volumes"]}
    assert desk.poll().bodies == []
