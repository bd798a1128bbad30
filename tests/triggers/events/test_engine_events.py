"""The trigger engineEvents against a server with the engine's ring, whose clock and memory tests control."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lib.engine.errors import EngineError
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import PollHarness
from tests.triggers.table import record

KEY = "engineEvents"


@pytest.fixture
def desk(fake: FakeEngine) -> PollHarness:
    return PollHarness("engine_events", fake.config)


def note(desk: PollHarness, situation: str, truth: list[str]) -> None:
    """A row of the table, with the names of the objects of all events."""
    told = desk.told(lambda body: body["name"])
    record(KEY, "fake", situation, told=told, truth=truth, gap=desk.gap)


def names(emitted: Any) -> list[str]:
    return [body["name"] for body in emitted.of("event")]


def test_the_first_run_tells_nothing_by_default(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll()
    assert emitted.bodies == []
    assert emitted.snapshots[0]["trigger"] == KEY
    note(desk, "first run, from now", [])


def test_the_first_run_can_tell_everything(fake: FakeEngine, desk: PollHarness) -> None:
    for _ in range(3):
        fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(startFrom="everything")
    assert names(emitted) == ["c0", "c1", "c2"]
    desk.replay()
    note(desk, "first run, everything", ["c0", "c1", "c2"])


def test_the_first_run_can_go_back_to_a_time_that_is_remembered(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 10
    since = str(int(fake.ring.now))
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(startFrom="since", since=since)
    assert (names(emitted), emitted.of("gap")) == (["c1"], [])


def test_a_time_that_is_not_remembered_is_a_gap(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(startFrom="since", since="2020-01-01T00:00:00Z")
    assert [body["reason"] for body in emitted.of("gap")] == ["forgotten"]
    assert names(emitted) == ["c0"]


def test_two_polls_in_a_row_tell_nothing_twice(fake: FakeEngine, desk: PollHarness) -> None:
    desk.poll()
    fake.ring.publish()
    fake.ring.now += 5
    assert names(desk.poll()) == ["c0"]
    assert desk.poll().bodies == []


def test_an_event_is_told_in_the_engines_words_with_a_uuid(fake: FakeEngine, desk: PollHarness) -> None:
    desk.poll()
    fake.ring.publish(action="die", exitCode="3")
    fake.ring.now += 5
    emitted = desk.poll()
    body = emitted.bodies[0]
    assert (body["kind"], body["Type"], body["Action"], body["scope"]) == (
        "event",
        "container",
        "die",
        "local",
    )
    assert body["Actor"]["Attributes"]["exitCode"] == "3"
    assert body["timeNano"] == str(fake.ring.published[0]["timeNano"])
    assert body["timestamp"].startswith("2023-11-14T22:13:20")
    assert uuid.UUID(emitted.ids[0] or "")


def test_emitting_as_a_page_gives_one_message(fake: FakeEngine, desk: PollHarness) -> None:
    desk.poll(emitBehavior="emitAll")
    fake.ring.publish()
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(emitBehavior="emitAll")
    assert [[one["name"] for one in body["results"]] for body in emitted.bodies] == [["c0", "c1"]]
    assert desk.poll(emitBehavior="emitAll").bodies == []


@pytest.mark.parametrize("filtered", [False, True])
def test_an_overflow_is_told_with_and_without_a_filter(
    fake: FakeEngine, desk: PollHarness, *, filtered: bool
) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    fake.ring.publish(action="die")
    for _ in range(299):
        fake.ring.publish(kind="image", action="tag")
    fake.ring.now += 5
    emitted = desk.poll(**({"actions": "die"} if filtered else {}))
    assert len(emitted.of("event")) == (0 if filtered else 256)
    (gap,) = emitted.of("gap")
    assert (gap["reason"], gap["remembered"]) == ("overflow", 256)
    assert gap["from"] < gap["to"]
    desk.replay()
    happened = ["c1"] if filtered else [f"c{number}" for number in range(1, 301)]
    note(desk, f"overflow by 300 events{', filtered' if filtered else ''}", happened)


def test_a_gap_can_be_an_error_of_the_flow_instead(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    fake.ring.restart()
    emitted = desk.poll(notices="emitError")
    assert emitted.bodies == []
    assert "restarted" in emitted.errors[0]


def test_a_clock_that_is_set_back_is_a_gap_and_nothing_is_lost(fake: FakeEngine, desk: PollHarness) -> None:
    for _ in range(10):
        fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    fake.ring.now -= 3600
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll()
    assert (names(emitted), [gap["reason"] for gap in emitted.of("gap")]) == (["c10"], ["clockSetBack"])
    fake.ring.publish()
    fake.ring.now += 3700
    later = desk.poll()
    assert (names(later), later.of("gap")) == (["c11"], [])
    desk.replay()
    note(desk, "clock set back an hour", ["c10", "c11"])


def test_head_room_is_warned_of_once_until_it_is_back(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    warnings = []
    for count in (230, 230, 1, 230, 230):
        for _ in range(count):
            fake.ring.publish()
        fake.ring.now += 60 if count > 1 else 3600
        warnings.append([body["reason"] for body in desk.poll().of("warning")])
    assert warnings == [["headRoom"], [], [], [], ["headRoom"]]


def test_lost_container_events_are_put_together_again(fake: FakeEngine, desk: PollHarness) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    container = {
        "Id": "ab" * 32,
        "Name": "/job",
        "Created": "2020-01-01T00:00:00Z",
        "Config": {"Image": "shop/job:1", "Labels": {"team": "shop"}},
        "State": {
            "StartedAt": "2023-11-14T22:13:30.5Z",
            "FinishedAt": "2023-11-14T22:13:31.000000001Z",
            "ExitCode": 137,
            "OOMKilled": True,
        },
    }
    fake.routes["/containers/json"] = lambda _: (200, [{"Id": "ab" * 32}, {"Id": "cd" * 32}])
    fake.routes[f"/containers/{'ab' * 32}/json"] = lambda _: (200, container)
    fake.ring.restart()
    fake.ring.now += 60
    emitted = desk.poll(resync=True)
    told = [
        (body["Action"], body["synthetic"], body["ordering"], body["timestamp"])
        for body in emitted.of("event")
    ]
    assert told == [
        ("start", True, "time", "2023-11-14T22:13:30.500000000Z"),
        ("die", True, "time", "2023-11-14T22:13:31.000000001Z"),
    ]
    assert emitted.of("event")[1]["Actor"]["Attributes"]["oomKilled"] == "true"
    assert "cannot be recovered" in emitted.of("gap")[0]["resync"]


def test_behind_a_proxy_that_allows_ping_and_events_only(fake: FakeEngine, desk: PollHarness) -> None:
    fake.refuse = True
    desk.poll()
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll()
    assert (names(emitted), emitted.of("gap")) == (["c0"], [])
    fake.ring.restart()
    after = desk.poll(resync=True)
    assert [gap["reason"] for gap in after.of("gap")] == ["restart"]
    assert "forbidden by the proxy" in after.of("gap")[0]["resync"]


def test_where_head_is_refused_get_tells_the_time(fake: FakeEngine, desk: PollHarness) -> None:
    fake.head_allowed = False
    desk.poll()
    fake.ring.publish()
    fake.ring.now += 5
    assert names(desk.poll()) == ["c0"]


def test_an_engine_that_is_gone_is_an_error_and_the_place_is_kept(
    fake: FakeEngine, desk: PollHarness
) -> None:
    desk.poll()
    before = desk.snapshot
    fake.close()
    with pytest.raises(EngineError):
        desk.poll()
    assert desk.snapshot == before


def test_fault_9_18_a_burst_right_before_a_poll_is_an_overflow_and_no_restart(
    fake: FakeEngine, desk: PollHarness
) -> None:
    for _ in range(10):
        fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    for _ in range(720):
        fake.ring.publish()
        fake.ring.now -= 0.009  # 720 events in 0.7 s
    emitted = desk.poll()
    assert [gap["reason"] for gap in emitted.of("gap")] == ["overflow"]
    fake.ring.now += 1
    early = desk.poll()
    fake.ring.now += 60
    late = desk.poll()
    told = [*names(emitted), *names(early), *names(late)]
    assert told == [f"c{number}" for number in range(474, 730)]
    assert early.of("gap") + late.of("gap") == []
    happened = [f"c{number}" for number in range(10, 730)]
    note(desk, "9.18 720 events in 0.7 s before a poll", happened)
