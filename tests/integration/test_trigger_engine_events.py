"""The trigger engineEvents on a real engine: load with kills, overflow, restarts, replays."""

from __future__ import annotations

import random
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lib.trigger.cursor import LIMIT
from tests.integration.trigger_lab import config, desk, engines_closed, names, own_engine, settled
from tests.lab.at_once import at_once, beside
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.lab.wire import Wire
from tests.triggers.event_recorder import EventRecorder
from tests.triggers.poll_harness import PollHarness, size
from tests.triggers.poller import Poller, stored
from tests.triggers.poller import emitted as on_disk
from tests.triggers.table import Told, record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
KEY = "engineEvents"


def tag(engine: LabEngine, count: int, prefix: str = "many") -> None:
    """Make so many events, quickly."""
    for number in range(count):
        engine.wire.do("POST", f"/images/{engine.image}/tag", repo=prefix, tag=f"t{number}")


def anchored(engine: LabEngine, **fields: Any) -> PollHarness:
    """A step that has polled once, on an engine that remembers something."""
    tag(engine, 1, "anchor")
    settled()
    step = desk("engine_events", engine, **fields)
    step.poll()
    return step


def listeners(engine: LabEngine, count: int) -> None:
    """Wait until so many listen to events: those of earlier tests are gone, those of this one are there."""
    wait_until(
        lambda: engine.wire.do("GET", "/info").json()["NEventsListener"] == count, f"{count} listeners"
    )


def tags(step: PollHarness) -> list[Told]:
    """The names of tags that were told."""
    told = step.told(lambda body: (body["Action"], body.get("name")))
    return [(name, identity) for (action, name), identity in told if action == "tag"]


def key(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["Action"], event["Actor"]["ID"], str(event["timeNano"])


def test_the_life_of_a_container_is_told_once(own_engine: LabEngine) -> None:
    step = anchored(own_engine, types=["container"])
    container = own_engine.run(["sh", "-c", "exit 3"], name="short-lived", Labels={"team": "shop"})
    own_engine.wait(container)
    own_engine.remove(container)
    settled()
    emitted = step.poll()
    step.replay()
    life = ["create", "start", "die", "destroy"]
    assert [body["Action"] for body in emitted.bodies] == life
    assert {body["Actor"]["ID"] for body in emitted.bodies} == {container}
    assert emitted.bodies[2]["Actor"]["Attributes"]["exitCode"] == "3"
    assert step.poll().bodies == []
    told = step.told(lambda body: (body["Action"], body["Actor"]["ID"]))
    truth = [(action, container) for action in life]
    record(KEY, own_engine.version, "two polls in a row", told=told, truth=truth)


def test_under_load_with_kills_at_random_points_nothing_is_lost(
    own_engine: LabEngine, tmp_path: Path
) -> None:
    """Polls at random times, SIGKILL at random points; what was emitted contains the truth, repeats have equal ids."""
    anchored(own_engine)
    poller = Poller("engine_events", config(own_engine, includeExec=True), tmp_path)
    wait_until(lambda: stored(tmp_path), "the first poll")
    truth = EventRecorder(own_engine)
    chance = random.Random(7)
    enough = threading.Event()
    busy = beside(_load, own_engine, truth, tmp_path, enough)
    while poller.kills < 5 or len(truth.events) <= 80 or not _repeats(on_disk(tmp_path)):
        happened = len(truth.events) + chance.randrange(1, 15)
        wait_until(lambda happened=happened: len(truth.events) >= happened, "more to happen")
        if chance.random() < 0.6:  # in the middle of what it tells
            count = len(on_disk(tmp_path))
            wait_until(lambda count=count: len(on_disk(tmp_path)) > count, "a message")
        poller.kill()
    enough.set()
    busy.result()
    truth.close()
    settled()
    messages = poller.finish()
    told = [(key(one["body"]), one["id"]) for one in messages if one["body"]["kind"] == "event"]
    assert [one["body"] for one in messages if one["body"]["kind"] == "gap"] == []
    known = {key(event) for event in truth.events}
    # What happened before its reader came is no matter of it.
    told = [one for one in told if one[0] in known or one[0][2] > min(time for *_, time in known)]
    record(KEY, own_engine.version, f"load, {poller.kills} x SIGKILL", told=told, truth=known)


def _repeats(messages: list[dict[str, Any]]) -> int:
    return len(messages) - len({message["id"] for message in messages})


def _load(engine: LabEngine, truth: EventRecorder, folder: Path, enough: threading.Event) -> None:
    """Never more than the engine remembers of what has not been told yet, however slow the poller is: no gap."""

    def told() -> int:
        return len({message["id"] for message in on_disk(folder)})

    number = 0
    while not enough.is_set():
        number += 1
        wait_until(lambda: len(truth.events) - told() < 100 or enough.is_set(), "the poller to keep up")
        tag(engine, 3, f"load{number}")
        container = engine.run(["true"], name=f"load{number}")
        engine.wait(container)
        engine.remove(container)


@pytest.mark.parametrize("fields", [{}, {"actions": "die"}], ids=["unfiltered", "filtered"])
def test_an_overflow_is_a_gap_and_never_silence(own_engine: LabEngine, fields: dict[str, Any]) -> None:
    step = anchored(own_engine, **fields)
    truth = EventRecorder(own_engine)
    container = own_engine.run(["true"])
    own_engine.wait(container)
    tag(own_engine, 300)
    own_engine.remove(container)
    truth.wait("destroy", container)
    truth.close()
    settled()
    emitted = step.poll()
    step.replay()
    (gap,) = emitted.of("gap")
    assert (gap["reason"], gap["remembered"]) == ("overflow", 256)
    assert len(emitted.of("event")) == (256 if not fields else 0)
    assert size(step.snapshot) < LIMIT
    assert step.poll().bodies == []
    how = "filtered" if fields else "unfiltered"
    happened = [key(event) for event in truth.events if not fields or event["Action"] == "die"]
    situation = f"overflow by 300 events, {how}"
    record(KEY, own_engine.version, situation, told=step.told(key), truth=happened, gap=step.gap)


def test_after_an_overflow_containers_tell_what_they_still_know(own_engine: LabEngine) -> None:
    step = anchored(own_engine, actions="create, start, die", resync=True)
    container = own_engine.run(["sh", "-c", "exit 5"], name="forgotten")
    own_engine.wait(container)
    tag(own_engine, 300)
    settled()
    emitted = step.poll()
    step.replay()
    own_engine.remove(container)
    told = [(body["Action"], body["synthetic"], body["name"]) for body in emitted.of("event")]
    assert told == [(action, True, "forgotten") for action in ("create", "start", "die")]
    assert emitted.of("event")[2]["Actor"]["Attributes"]["exitCode"] == "5"
    record(
        KEY,
        own_engine.version,
        "overflow with reconstruction",
        told=step.told(lambda body: (body["Action"], body["name"])),
        truth=[(action, "forgotten") for action in ("create", "start", "die")],
        gap=step.gap,
    )


def test_a_restart_of_the_engine_is_a_gap(own_engine: LabEngine) -> None:
    step = anchored(own_engine)
    own_engine.stop()
    own_engine.start()
    tag(own_engine, 2, "after")
    truth = EventRecorder(own_engine, remembered=True)
    wait_until(lambda: sum(event["Action"] == "tag" for event in truth.events) == 2, "both tags")
    truth.close()
    settled()
    emitted = step.poll()
    step.replay()
    assert [gap["reason"] for gap in emitted.of("gap")] == ["restart"]
    assert names(emitted).count("after:t1") == 1
    assert step.poll().bodies == []
    happened = [key(event) for event in truth.events]
    record(KEY, own_engine.version, "engine restarted", told=step.told(key), truth=happened, gap=step.gap)


def test_a_restart_of_an_idle_engine_whose_events_were_never_seen_is_noticed(own_engine: LabEngine) -> None:
    own_engine.stop()
    own_engine.start()
    step = desk("engine_events", own_engine)
    step.poll()
    tag(own_engine, 1, "unseen")
    own_engine.stop()
    own_engine.start()
    emitted = step.poll()
    step.replay()
    assert [gap["reason"] for gap in emitted.of("gap")] == ["restart"]
    record(
        KEY,
        own_engine.version,
        "engine restarted twice, empty memory",
        told=tags(step),
        truth=["unseen:t0"],
        gap=step.gap,
    )


def test_a_swarm_manager_that_replays_is_a_gap_and_replays_are_left_out(own_engine: LabEngine) -> None:
    own_engine.wire.do("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
    for number in range(40):
        own_engine.wire.do("POST", "/configs/create", {"Name": f"c{number}", "Data": "aGVsbG8="})
    # Out of the memory, so that no poll has seen them; and what is younger than ten seconds would be told.
    tag(own_engine, 260, "push")
    made = time.time()
    wait_until(lambda: time.time() > made + 11.5, "the events to be old")
    step = anchored(own_engine)
    own_engine.stop()
    own_engine.start()
    wait_until(lambda: own_engine.wire.ask("GET", "/configs").status == 200, "the swarm to be back")
    settled()
    emitted = step.poll()
    assert [gap["reason"] for gap in emitted.of("gap")] == ["restart"]
    assert [
        body for body in emitted.of("event") if body["Action"] == "create" and body["Type"] == "config"
    ] == []
    truth = EventRecorder(own_engine)
    new = own_engine.wire.do("POST", "/configs/create", {"Name": "new", "Data": "aGVsbG8="}).json()["ID"]
    truth.wait("create", new)
    truth.close()
    settled()
    after = step.poll()
    step.replay()
    assert "new" in names(after)
    assert after.of("gap") == []
    own_engine.wire.do("POST", "/swarm/leave", force=True)
    told = step.told(lambda body: (body["Type"], body["Action"], body.get("name")))
    record(
        KEY,
        own_engine.version,
        "swarm manager restarted and replays",
        told=[one for one in told if one[0][0] == "config"],
        truth=[("config", "create", "new")],
        gap=step.gap,
    )


def test_swarm_events_out_of_order_are_all_told_once(own_engine: LabEngine) -> None:
    step = anchored(own_engine, scope="swarm", types=["config"])
    truth = EventRecorder(own_engine)
    own_engine.wire.do("POST", "/swarm/init", {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
    told: list[str] = []
    gaps: list[Any] = []
    made = []
    for number in range(60):
        name = f"mixed{number}"
        last = own_engine.wire.do("POST", "/configs/create", {"Name": name, "Data": "aGVsbG8="}).json()["ID"]
        tag(own_engine, 1, name)
        made.append(name)
        if number % 7 == 0:
            emitted = step.poll()
            told += names(emitted)
            gaps += emitted.of("gap")
    truth.wait("create", last)  # the swarm tells its events when it comes to it
    truth.close()
    settled()
    emitted = step.poll()
    told += names(emitted)
    own_engine.wire.do("POST", "/swarm/leave", force=True)
    assert sorted(told) == sorted(made)
    assert gaps + emitted.of("gap") == []
    step.replay()
    record(
        KEY,
        own_engine.version,
        "swarm and local events mixed",
        told=step.told(lambda body: body["name"]),
        truth=made,
    )


def test_real_time_tells_events_while_it_listens(own_engine: LabEngine) -> None:
    step = anchored(own_engine, actions="tag")
    listeners(own_engine, 0)
    listener = beside(step.poll, mode="realTime", realTimeSeconds="600")
    listeners(own_engine, 1)
    tag(own_engine, 20, "live")
    wait_until(lambda: sum(name.startswith("live") for name in names(step.telling)) == 20, "all events")
    step.cancelled.set()
    result = listener.result()
    assert [name for name in names(result) if name.startswith("live")] == [f"live:t{n}" for n in range(20)]
    told = [one for one in tags(step) if str(one[0]).startswith("live")]
    record(KEY, own_engine.version, "real time", told=told, truth=[f"live:t{number}" for number in range(20)])


def burst(engine: LabEngine, count: int, prefix: str) -> None:
    """Make so many events at once, from several connections."""

    def part(number: int) -> None:
        wire = Wire(engine.url)
        for each in range(count // 4):
            wire.do("POST", f"/images/{engine.image}/tag", repo=f"{prefix}{number}", tag=f"t{each}")

    at_once(*[partial(part, number) for number in range(4)])


def test_fault_9_18_a_burst_in_real_time_is_told_whole(own_engine: LabEngine) -> None:
    step = anchored(own_engine, types=["image"])
    listeners(own_engine, 0)
    truth = EventRecorder(own_engine)
    listeners(own_engine, 1)
    listener = beside(step.poll, mode="realTime", realTimeSeconds="600")
    listeners(own_engine, 2)
    burst(own_engine, 1000, "burst")
    wait_until(lambda: len(step.telling.of("event")) >= 1000, "all events")
    step.cancelled.set()
    result = listener.result()
    step.cancelled.clear()
    wait_until(lambda: len(truth.events) >= 1000, "all that happened to be known")
    truth.close()
    settled()
    after = step.poll()
    told = [key(body) for body in result.of("event")]
    wanted = [key(event) for event in truth.events if event["Type"] == "image"]
    assert (sorted(told), len(set(told))) == (sorted(wanted), 1000)
    assert [result.of("gap"), after.of("gap"), after.of("event")] == [[], [], []]
    record(KEY, own_engine.version, "real time, burst of 1,000 events", told=step.told(key), truth=wanted)


def test_fault_9_18_a_burst_right_before_a_poll_is_an_overflow_and_no_restart(own_engine: LabEngine) -> None:
    step = anchored(own_engine, types=["image"])
    truth = EventRecorder(own_engine)
    burst(own_engine, 720, "early")
    emitted = step.poll()
    wait_until(lambda: len(truth.events) == 720, "all that happened to be known")
    truth.close()
    settled()
    after = step.poll()
    step.replay()
    gaps = [gap["reason"] for gap in (*emitted.of("gap"), *after.of("gap"))]
    told = [key(body) for body in (*emitted.of("event"), *after.of("event"))]
    assert (gaps, len(told), len(set(told))) == (["overflow"], 256, 256)
    record(
        KEY,
        own_engine.version,
        "720 events at once before a poll",
        told=step.told(key),
        truth=[key(event) for event in truth.events],
        gap=step.gap,
    )


def test_a_try_out_gives_a_sample_instead_of_waiting_for_events(
    own_engine: LabEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELASTICIO_FLOW_TYPE", "debug")
    step = desk("engine_events", own_engine, actions="never-happens", mode="realTime", realTimeSeconds="3600")
    emitted = step.poll()
    assert [body["sample"] for body in emitted.bodies] == [True]
    assert emitted.snapshots == []
