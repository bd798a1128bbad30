"""The trigger engineEvents against a server with the engine's ring, whose clock and memory tests control."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest

from lib.cursor import LIMIT
from lib.engine.errors import EngineError
from lib.polling.form import FormError
from tests.triggers.desk import Desk, size
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.table import record

KEY = "engineEvents"


@pytest.fixture
def desk(fake: FakeEngine) -> Desk:
    return Desk("engine_events", fake.config)


def names(emitted: Any) -> list[str]:
    return [body["name"] for body in emitted.of("event")]


def test_the_first_run_tells_nothing_by_default(fake: FakeEngine, desk: Desk) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll()
    assert emitted.bodies == []
    assert emitted.snapshots[0]["trigger"] == KEY
    record(KEY, "first run, from now", emitted=0)


def test_the_first_run_can_tell_everything(fake: FakeEngine, desk: Desk) -> None:
    for _ in range(3):
        fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(startFrom="everything")
    assert names(emitted) == ["c0", "c1", "c2"]
    record(KEY, "first run, everything", emitted=3)


def test_the_first_run_can_go_back_to_a_time_that_is_remembered(fake: FakeEngine, desk: Desk) -> None:
    fake.ring.publish()
    fake.ring.now += 10
    since = str(int(fake.ring.now))
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(startFrom="since", since=since)
    assert (names(emitted), emitted.of("gap")) == (["c1"], [])


def test_a_time_that_is_not_remembered_is_a_gap(fake: FakeEngine, desk: Desk) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(startFrom="since", since="2020-01-01T00:00:00Z")
    assert [body["reason"] for body in emitted.of("gap")] == ["forgotten"]
    assert names(emitted) == ["c0"]


def test_two_polls_in_a_row_tell_nothing_twice(fake: FakeEngine, desk: Desk) -> None:
    desk.poll()
    fake.ring.publish()
    fake.ring.now += 5
    assert names(desk.poll()) == ["c0"]
    assert desk.poll().bodies == []


def test_an_event_is_told_in_the_engines_words_with_a_uuid(fake: FakeEngine, desk: Desk) -> None:
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


def test_a_kill_before_the_snapshot_repeats_with_equal_ids(fake: FakeEngine, desk: Desk) -> None:
    desk.poll()
    for _ in range(5):
        fake.ring.publish()
    fake.ring.now += 5
    first = desk.poll(dies_after=3)
    again = desk.poll()
    assert names(again) == ["c0", "c1", "c2", "c3", "c4"]
    assert again.ids[:3] == first.ids
    assert len(set(again.ids)) == 5


def test_a_kill_after_a_gap_repeats_the_gap_with_an_equal_id(fake: FakeEngine, desk: Desk) -> None:
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


def test_emitting_as_a_page_gives_one_message(fake: FakeEngine, desk: Desk) -> None:
    desk.poll(emitBehavior="emitAll")
    fake.ring.publish()
    fake.ring.publish()
    fake.ring.now += 5
    emitted = desk.poll(emitBehavior="emitAll")
    assert [[one["name"] for one in body["results"]] for body in emitted.bodies] == [["c0", "c1"]]
    assert desk.poll(emitBehavior="emitAll").bodies == []


@pytest.mark.parametrize("filtered", [False, True])
def test_an_overflow_is_told_with_and_without_a_filter(
    fake: FakeEngine, desk: Desk, *, filtered: bool
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
    record(
        KEY,
        f"overflow by 300 events{', filtered' if filtered else ''} (fake)",
        emitted=256,
        lost=44,
        gap="overflow",
    )


def test_a_gap_can_be_an_error_of_the_flow_instead(fake: FakeEngine, desk: Desk) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    fake.ring.restart()
    emitted = desk.poll(notices="emitError")
    assert emitted.bodies == []
    assert "restarted" in emitted.errors[0]


def test_the_filter_may_change_without_a_reset(fake: FakeEngine, desk: Desk) -> None:
    desk.poll()
    fake.ring.publish(action="create")
    fake.ring.now += 5
    assert names(desk.poll(actions="die")) == []
    fake.ring.publish(action="die")
    fake.ring.now += 5
    assert names(desk.poll(actions="create, die")) == ["c1"]


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"types": ["image"]}, ["i"]),
        ({"types": "image, volume"}, ["i"]),
        ({"actions": "health_status"}, ["h"]),
        ({"actions": "health_status: unhealthy"}, ["h"]),
        ({"actions": "health_status: healthy"}, []),
        ({"scope": "swarm"}, ["s"]),
        ({"scope": "local"}, ["a", "i", "h"]),
        ({"names": "a, x*"}, ["a"]),
        ({"names": f"{0:012x}"}, ["a"]),
        ({"containers": ["h"], "names": "i"}, ["i", "h"]),
        ({"services": ["s"]}, ["s"]),
        ({"labels": ["team"]}, ["a", "h"]),
        ({"labels": ["team=shop"]}, ["a"]),
        ({"images": ["shop/web"]}, ["a", "h"]),
        ({"images": ["shop/web:2"]}, ["h"]),
        ({"includeExec": True}, ["a", "i", "h", "s", "e"]),
        ({"includeExec": "off"}, ["a", "i", "h", "s"]),
        ({"actions": "exec_start"}, ["e"]),
    ],
)
def test_events_are_chosen(fake: FakeEngine, desk: Desk, config: dict[str, Any], wanted: list[str]) -> None:
    desk.poll()
    publish = fake.ring.publish
    publish(name="a", image="shop/web:1", team="shop")
    publish(name="i", kind="image", action="pull", image="other")
    publish(name="h", action="health_status: unhealthy", image="shop/web:2", team="other")
    publish(name="s", kind="service", scope="swarm", action="update", image="")
    publish(name="e", action="exec_start: /bin/check", image="")
    fake.ring.now += 5
    assert names(desk.poll(**config)) == wanted


def test_a_clock_that_is_set_back_is_a_gap_and_nothing_is_lost(fake: FakeEngine, desk: Desk) -> None:
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
    record(KEY, "clock set back an hour (fake)", emitted=2, gap="clockSetBack")


def test_head_room_is_warned_of_once_until_it_is_back(fake: FakeEngine, desk: Desk) -> None:
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


def test_lost_container_events_are_put_together_again(fake: FakeEngine, desk: Desk) -> None:
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


def test_behind_a_proxy_that_allows_ping_and_events_only(fake: FakeEngine, desk: Desk) -> None:
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


def test_where_head_is_refused_get_tells_the_time(fake: FakeEngine, desk: Desk) -> None:
    fake.head_allowed = False
    desk.poll()
    fake.ring.publish()
    fake.ring.now += 5
    assert names(desk.poll()) == ["c0"]


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
    fake: FakeEngine, desk: Desk, spoil: Any, reason: str
) -> None:
    fake.ring.publish()
    fake.ring.now += 5
    desk.poll()
    desk.snapshot = spoil(desk.snapshot)
    emitted = desk.poll()
    assert [body["reason"] for body in emitted.bodies] == [reason]
    assert desk.poll().bodies == []
    record(KEY, f"snapshot: {reason.removesuffix('Snapshot')} (fake)", emitted=1, lost=0, gap=reason)


def test_a_full_ring_fits_into_the_snapshot(fake: FakeEngine, desk: Desk) -> None:
    for _ in range(300):
        fake.ring.publish(name="x" * 60, label="y" * 500)
    fake.ring.now += 5
    desk.poll()
    assert size(desk.snapshot) < LIMIT
    record(KEY, f"snapshot of a full ring: {size(desk.snapshot)} bytes", emitted=0)


def test_a_full_ring_behind_a_clock_that_was_set_back_fits_too(fake: FakeEngine, desk: Desk) -> None:
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
    fake: FakeEngine, desk: Desk, monkeypatch: pytest.MonkeyPatch
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
    record(KEY, "sample of an idle engine (fake)", emitted=1)


def test_every_snapshot_on_the_way_is_a_good_start(fake: FakeEngine, desk: Desk) -> None:
    desk.poll()
    starts = [desk.snapshot]
    for _ in range(6):
        for _ in range(7):
            fake.ring.publish()
        fake.ring.now += 5
        desk.poll()
        starts.append(desk.snapshot)
    for passed, start in enumerate(starts):
        again = Desk("engine_events", fake.config, start).poll()
        assert names(again) == [f"c{number}" for number in range(passed * 7, 42)]
        assert again.of("gap") == []


def test_real_time_tells_events_while_they_happen_and_leaves_an_exact_place(
    fake: FakeEngine, desk: Desk
) -> None:
    desk.poll()
    result: list[Any] = []
    listener = threading.Thread(target=lambda: result.append(desk.poll(mode="realTime", realTimeSeconds="2")))
    listener.start()
    fake.wait_for_stream()
    for _ in range(150):
        fake.publish_live()
    fake.ring.now += 0.5
    listener.join(20)
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
    listener = threading.Thread(target=lambda: result.append(desk.poll(mode="realTime", realTimeSeconds="3")))
    listener.start()
    fake.wait_for_stream()
    for _ in range(90):
        fake.publish_live()
    listener.join(20)
    assert sorted(names(result[0])) == sorted(f"c{number}" for number in range(1, 91))


def test_real_time_leaves_replays_of_a_restarted_manager_out(fake: FakeEngine, desk: Desk) -> None:
    fake.ring.publish()
    fake.ring.now += 60
    desk.poll()
    fake.ring.restart()
    result: list[Any] = []
    listener = threading.Thread(target=lambda: result.append(desk.poll(mode="realTime", realTimeSeconds="2")))
    listener.start()
    fake.wait_for_stream()
    fake.publish_live(scope="swarm", late=90)
    fake.publish_live(scope="swarm")
    fake.publish_live()
    listener.join(20)
    assert names(result[0]) == ["c2", "c3"]
    assert [gap["reason"] for gap in result[0].of("gap")] == ["restart"]


def test_an_engine_that_is_gone_is_an_error_and_the_place_is_kept(fake: FakeEngine, desk: Desk) -> None:
    desk.poll()
    before = desk.snapshot
    fake.close()
    with pytest.raises(EngineError):
        desk.poll()
    assert desk.snapshot == before


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"startFrom": "since"}, "since: a time is missing"),
        ({"startFrom": "since", "since": "yesterday"}, "since: 'yesterday' is no time"),
        ({"startFrom": "later"}, "startFrom: 'later' is not possible"),
        ({"scope": "world"}, "scope: 'world' is not possible"),
        ({"mode": "realTime", "realTimeSeconds": "a while"}, "realTimeSeconds: 'a while' is no number"),
        ({"mode": "realTime", "realTimeSeconds": "0"}, "from 1 to 3600"),
    ],
)
def test_a_wrong_field_is_named(fake: FakeEngine, desk: Desk, config: dict[str, Any], text: str) -> None:
    with pytest.raises(FormError, match=text):
        desk.poll(**config)
