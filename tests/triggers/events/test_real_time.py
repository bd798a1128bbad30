"""The real-time mode of engineEvents."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from lib.credentials import open_engine
from lib.sailor.message import Message
from lib.trigger.events.filter import EventFilter
from lib.trigger.events.live import Live
from lib.trigger.events.ring_memory import Memory
from lib.trigger.events.stream import EventStream
from lib.trigger.poll import Poll
from tests.lab.at_once import Beside, beside
from tests.lab.waiting import DEADLINE, ended, wait_until
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import Emitted, Lines, PollHarness, Surroundings, process
from tests.triggers.table import record
from triggers.engine_events import compared

KEY = "engineEvents"


@pytest.fixture
def desk(fake: FakeEngine) -> PollHarness:
    return PollHarness("engine_events", fake.config)


def names(emitted: Any) -> list[str]:
    return [body["name"] for body in emitted.of("event")]


def note(desk: PollHarness, situation: str, numbers: range) -> None:
    """A row of the table, with the numbers of all events."""
    told = desk.told(lambda body: body["name"])
    record(KEY, "fake", situation, told=told, truth=[f"c{number}" for number in numbers])


def readers() -> set[threading.Thread]:
    """The threads that read the stream of some engine."""
    return {one for one in threading.enumerate() if one.name == "engine events"}


def finish(desk: PollHarness, listener: Beside[Emitted], count: int) -> Emitted:
    """End the step in order, once so many events have been told; what it told."""
    wait_until(lambda: len(names(desk.telling)) >= count, f"{count} events")
    desk.cancelled.set()
    result = listener.result()
    desk.cancelled.clear()
    return result


def test_real_time_tells_events_while_they_happen_and_leaves_an_exact_place(
    fake: FakeEngine, desk: PollHarness
) -> None:
    desk.poll()
    listener = beside(desk.poll, mode="realTime", realTimeSeconds="600")
    fake.wait_for_stream()
    for _ in range(150):
        fake.publish_live()
    fake.ring.now += 0.5
    result = finish(desk, listener, 150)
    assert names(result) == [f"c{number}" for number in range(150)]
    assert len(set(result.ids)) == 150
    fake.ring.now += 10
    assert desk.poll().bodies == []
    note(desk, "real time, 150 events", range(150))


def test_real_time_is_not_limited_to_what_the_engine_remembers(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    listener = beside(desk.poll, mode="realTime", realTimeSeconds="600")
    fake.wait_for_stream()
    for _ in range(90):
        fake.publish_live()
    result = finish(desk, listener, 90)
    assert sorted(names(result)) == sorted(f"c{number}" for number in range(1, 91))


def test_real_time_leaves_replays_of_a_restarted_manager_out(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 60
    desk.poll()
    fake.ring.restart()
    listener = beside(desk.poll, mode="realTime", realTimeSeconds="600")
    fake.wait_for_stream()
    fake.publish_live(scope="swarm", late=90)
    fake.publish_live(scope="swarm")
    fake.publish_live()
    result = finish(desk, listener, 2)
    assert names(result) == ["c2", "c3"]
    assert [gap["reason"] for gap in result.of("gap")] == ["restart"]


def test_fault_9_18_a_burst_is_told_whole_in_its_order_and_without_a_gap(
    fake: FakeEngine, desk: PollHarness
) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    listener = beside(desk.poll, mode="realTime", realTimeSeconds="600")
    fake.wait_for_stream()
    for _ in range(1000):
        fake.publish_live()
    result = finish(desk, listener, 1000)
    assert names(result) == [f"c{number}" for number in range(1, 1001)]
    assert len(set(result.ids)) == 1000
    fake.ring.now += 10
    after = desk.poll()
    assert (after.of("event"), after.of("gap")) == ([], [])
    note(desk, "9.18 real time, burst of 1,000 events", range(1, 1001))


class Slow(Emitted):
    """An emitter that takes nothing until it is told to."""

    released = threading.Event()
    waits = threading.Event()

    def data(self, message: Message) -> None:
        self.waits.set()
        self.released.wait(DEADLINE)
        super().data(message)


def test_fault_9_18_events_are_read_while_what_came_before_them_is_not_told_yet(fake: FakeEngine) -> None:
    emitted = Slow()
    cancelled = threading.Event()
    surroundings = Surroundings(emitted, Lines(), cancelled)
    form = {**fake.config, "mode": "realTime", "realTimeSeconds": "600"}
    step = beside(process("engine_events"), surroundings, Message(), form, {})
    fake.wait_for_stream()
    fake.publish_live()
    assert emitted.waits.wait(DEADLINE)
    for _ in range(999):
        fake.publish_live()
    emitted.released.set()
    wait_until(lambda: len(emitted.of("event")) == 1000, "all events")
    cancelled.set()
    step.result()
    assert names(emitted) == [f"c{number}" for number in range(1000)]
    assert emitted.of("gap") == []


def test_fault_9_18_more_than_there_is_room_for_ends_the_stream_and_loses_nothing_of_what_came(
    fake: FakeEngine,
) -> None:
    engine = open_engine(fake.config)
    earlier = readers()
    stream = EventStream(engine, Lines(), 0, float("inf"), most=10_000)
    (reader,) = readers() - earlier
    fake.wait_for_stream()
    for _ in range(200):
        fake.publish_live()
    ended(reader)  # nobody takes anything before it is full
    found = []
    while (came := stream.take(20)) is not None:
        found += [event["Actor"]["Attributes"]["name"] for _, event in came]
    assert 20 < len(found) < 200
    assert found == [f"c{number}" for number in range(len(found))]


def test_fault_9_18_an_engine_that_restarts_right_after_a_burst_is_a_gap_and_nothing_is_told_twice(
    fake: FakeEngine, desk: PollHarness
) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    listener = beside(desk.poll, mode="realTime", realTimeSeconds="600")
    fake.wait_for_stream()
    for _ in range(300):
        fake.publish_live()
    finish(desk, listener, 300)
    fake.ring.restart()
    fake.publish_live()
    fake.ring.now += 60
    after = desk.poll()
    assert [gap["reason"] for gap in after.of("gap")] == ["restart"]
    assert names(after) == ["c301"]


def test_fault_9_25_sigterm_in_real_time_leaves_the_place_of_what_was_told(
    fake: FakeEngine, tmp_path: Path
) -> None:
    state, output = tmp_path / "state", tmp_path / "output"
    config = {"mode": "realTime", "realTimeSeconds": "600"}
    command = ["trigger", "engineEvents", "--json", "--state", str(state), "--config", json.dumps(config)]
    with output.open("wb") as file:
        step = subprocess.Popen(
            [sys.executable, "-m", "lib.local", *command],
            stdout=file,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "DOCKER_HOST": fake.url, "PYTHONPATH": "."},
        )
    fake.wait_for_stream()
    for _ in range(30):
        fake.publish_live()
    wait_until(lambda: output.read_bytes().count(b"\n") >= 30, "all events")
    step.send_signal(signal.SIGTERM)
    assert step.wait(DEADLINE) == 143
    fake.ring.now += 10
    desk = PollHarness("engine_events", fake.config, json.loads(state.read_text("utf-8")))
    assert desk.poll().bodies == []
    lines = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    messages = [line["message"] for line in lines if line["event"] == "data"]
    told = [(one["body"]["name"], one["id"]) for one in messages] + desk.told(lambda body: body["name"])
    truth = [f"c{number}" for number in range(30)]
    record(KEY, "fake", "9.25 SIGTERM in real time, then a poll", told=told, truth=truth)


def test_fault_9_18_where_the_stream_had_to_be_left_there_is_a_gap_and_no_repeat(fake: FakeEngine) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    cancelled = threading.Event()
    poll: Poll[Memory] = Poll(open_engine(fake.config), {}, int(fake.ring.now), Lines(), cancelled=cancelled)
    earlier = readers()
    batches = Live(poll, EventFilter(), compared, most=20_000).run(600)
    next(batches)
    next(batches)  # the stream, which brings what was remembered already
    (reader,) = readers() - earlier  # before there is so much that it ends
    for _ in range(1000):
        fake.publish_live()
    fake.ring.now += 5
    ended(reader)
    told: list[Any] = []
    while not any(finding.notice for finding in told):
        told += next(batches).findings
    cancelled.set()
    told += [finding for batch in batches for finding in batch.findings]
    found = [finding.body["name"] for finding in told if not finding.notice]
    gaps = [finding.body["reason"] for finding in told if finding.notice]
    assert (gaps, len(found)) == (["overflow"], len(set(found)))
    assert found[-1] == "c1000"
    assert len(found) < 1000
