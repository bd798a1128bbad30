"""Snapshots of engineEvents: kills, unusable ones, the size, every one as a start."""

from __future__ import annotations

from typing import Any

import pytest

from lib import credentials
from lib.engine.errors import BadInput, EngineFault
from lib.trigger.cursor import LIMIT
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import PollHarness, size
from tests.triggers.table import record

KEY = "engineEvents"


@pytest.fixture
def desk(fake: FakeEngine) -> PollHarness:
    return PollHarness("engine_events", fake.config)


def new_process() -> None:
    """Forget what was learned of engines."""
    while credentials._engines:
        credentials._engines.popitem()[1].close()


def note(desk: PollHarness, situation: str, truth: list[str]) -> None:
    """A row of the table, with the names of the objects of all events."""
    told = desk.told(lambda body: body["name"])
    record(KEY, "fake", situation, told=told, truth=truth, gap=desk.gap)


def names(emitted: Any) -> list[str]:
    return [body["name"] for body in emitted.of("event")]


def test_a_kill_before_the_snapshot_repeats_with_equal_ids(fake: FakeEngine, desk: PollHarness) -> None:
    desk.poll()
    for _ in range(5):
        fake.ring.publish()
    fake.ring.now += 5
    first = desk.poll(dies_after=3)
    again = desk.poll()
    assert names(again) == ["c0", "c1", "c2", "c3", "c4"]
    assert again.ids[:3] == first.ids
    assert len(set(again.ids)) == 5


def test_a_kill_after_a_gap_repeats_the_gap_with_an_equal_id(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    fake.ring.restart()
    fake.ring.now += 5
    first = desk.poll(dies_after=1)
    fake.ring.now += 60
    again = desk.poll()
    assert [body["reason"] for body in (*first.of("gap"), *again.of("gap"))] == ["restart", "restart"]
    assert first.ids == again.ids


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda s: {**s, "seen": "x"}, "corruptSnapshot"),
        (lambda s: {**s, "v": 99}, "futureSnapshot"),
        (lambda s: {**s, "v": 1 << 200}, "futureSnapshot"),
        (lambda s: {**s, "trigger": "containerLogs"}, "otherTriggerSnapshot"),
        (lambda s: {**s, "engine": "AAAAAAAAAAAA"}, "otherEngineSnapshot"),
        (lambda s: {"offset": 5}, "corruptSnapshot"),
        (lambda s: "nonsense", "corruptSnapshot"),
    ],
)
def test_an_unusable_snapshot_is_a_first_run_and_one_gap(
    fake: FakeEngine, desk: PollHarness, spoil: Any, reason: str
) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    desk.snapshot = spoil(desk.snapshot)
    emitted = desk.poll()
    assert [body["reason"] for body in emitted.bodies] == [reason]
    assert desk.poll().bodies == []
    note(desk, f"snapshot: {reason.removesuffix('Snapshot')}", [])


def test_a_full_ring_fits_into_the_snapshot(fake: FakeEngine, desk: PollHarness) -> None:
    for _ in range(300):
        fake.ring.publish(name="x" * 60, label="y" * 500)
    fake.ring.now += 5
    desk.poll()
    assert size(desk.snapshot) < LIMIT
    note(desk, f"snapshot of a full ring: {size(desk.snapshot)} bytes", [])


def test_a_full_ring_behind_a_clock_that_was_set_back_fits_too(fake: FakeEngine, desk: PollHarness) -> None:
    for _ in range(256):
        fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    fake.ring.now -= 3600
    for _ in range(120):
        fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    assert size(desk.snapshot) < LIMIT


def test_a_try_out_gives_a_sample_and_leaves_the_place_alone(
    fake: FakeEngine, desk: PollHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.poll()
    before = desk.snapshot
    monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    idle = desk.poll()
    assert (len(idle.bodies), idle.bodies[0]["sample"], idle.snapshots) == (1, True, [])
    fake.ring.publish(name="real")
    fake.ring.now += 5
    assert names(desk.poll()) == ["real"]
    assert desk.snapshot == before
    note(desk, "samples, which are no events", [])


def test_every_snapshot_on_the_way_is_a_good_start(fake: FakeEngine, desk: PollHarness) -> None:
    desk.poll()
    starts = [desk.snapshot]
    for _ in range(6):
        for _ in range(7):
            fake.ring.publish()
        fake.ring.now += 5
        desk.poll()
        starts.append(desk.snapshot)
    for passed, start in enumerate(starts):
        again = PollHarness("engine_events", fake.config, start).poll()
        assert names(again) == [f"c{number}" for number in range(passed * 7, 42)]
        assert again.of("gap") == []


def test_fault_9_23_the_engines_id_is_asked_once_and_its_refusal_spoils_nothing(
    fake: FakeEngine, desk: PollHarness
) -> None:
    for _ in range(3):
        desk.poll()
    assert fake.asked.count("/info") == 1
    for status in (403, 404, 500, 503):
        new_process()
        fake.routes["/info"] = lambda _, status=status: (status, {"message": "no"})
        fake.asked.clear()
        desk.poll()
        assert desk.poll().bodies == []
    del fake.routes["/info"]
    fake.identity = "ENGINE-TWO"
    new_process()
    assert [body["reason"] for body in desk.poll().bodies] == ["otherEngineSnapshot"]


@pytest.mark.parametrize("odd", ["no JSON", [], {}, {"ID": None}])
def test_fault_9_23_an_odd_answer_about_the_engine_spoils_nothing(
    fake: FakeEngine, desk: PollHarness, odd: Any
) -> None:
    desk.poll()
    new_process()
    fake.routes["/info"] = lambda _: (200, odd)
    assert desk.poll().bodies == []


def test_fault_9_23_an_engine_that_was_exchanged_is_noticed_after_a_poll_that_failed(
    fake: FakeEngine, desk: PollHarness
) -> None:
    desk.poll()
    fake.identity = "ENGINE-TWO"
    fake.head_allowed = False
    fake.refuse_ping = True
    with pytest.raises(EngineFault):
        desk.poll()
    fake.head_allowed, fake.refuse_ping = True, False
    assert [body["reason"] for body in desk.poll().bodies] == ["otherEngineSnapshot"]


@pytest.mark.parametrize(
    "wrong", [{"realTimeSeconds": "inf", "mode": "realTime"}, {"since": "x"}, {"actions": "dei"}]
)
def test_fault_9_24_a_wrong_setting_is_noticed_in_a_try_out(
    fake: FakeEngine, desk: PollHarness, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, str]
) -> None:
    monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    with pytest.raises(BadInput, match=next(iter(wrong))):
        desk.poll(**wrong)
