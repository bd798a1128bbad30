"""The real-time mode of engineEvents."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from tests.lab.waiting import ended, wait_until
from tests.triggers.desk import Desk
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.table import record

KEY = "engineEvents"


@pytest.fixture
def desk(fake: FakeEngine) -> Desk:
    return Desk("engine_events", fake.config)


def names(emitted: Any) -> list[str]:
    return [body["name"] for body in emitted.of("event")]


def finish(desk: Desk, listener: threading.Thread, count: int) -> None:
    """End the step in order, once so many events have been told."""
    wait_until(lambda: len(names(desk.telling)) >= count, f"{count} events")
    desk.cancelled.set()
    ended(listener)
    desk.cancelled.clear()


def test_real_time_tells_events_while_they_happen_and_leaves_an_exact_place(
    fake: FakeEngine, desk: Desk
) -> None:
    desk.poll()
    result: list[Any] = []
    listener = threading.Thread(
        target=lambda: result.append(desk.poll(mode="realTime", realTimeSeconds="600"))
    )
    listener.start()
    fake.wait_for_stream()
    for _ in range(150):
        fake.publish_live()
    fake.ring.now += 0.5
    finish(desk, listener, 150)
    assert names(result[0]) == [f"c{number}" for number in range(150)]
    assert len(set(result[0].ids)) == 150
    fake.ring.now += 10
    assert desk.poll().bodies == []
    record(KEY, "real time, 150 events (fake)", emitted=150)


def test_real_time_is_not_limited_to_what_the_engine_remembers(fake: FakeEngine, desk: Desk) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    result: list[Any] = []
    listener = threading.Thread(
        target=lambda: result.append(desk.poll(mode="realTime", realTimeSeconds="600"))
    )
    listener.start()
    fake.wait_for_stream()
    for _ in range(90):
        fake.publish_live()
    finish(desk, listener, 90)
    assert sorted(names(result[0])) == sorted(f"c{number}" for number in range(1, 91))


def test_real_time_leaves_replays_of_a_restarted_manager_out(fake: FakeEngine, desk: Desk) -> None:
    fake.ring.publish()
    fake.ring.now += 60
    desk.poll()
    fake.ring.restart()
    result: list[Any] = []
    listener = threading.Thread(
        target=lambda: result.append(desk.poll(mode="realTime", realTimeSeconds="600"))
    )
    listener.start()
    fake.wait_for_stream()
    fake.publish_live(scope="swarm", late=90)
    fake.publish_live(scope="swarm")
    fake.publish_live()
    finish(desk, listener, 2)
    assert names(result[0]) == ["c2", "c3"]
    assert [gap["reason"] for gap in result[0].of("gap")] == ["restart"]
