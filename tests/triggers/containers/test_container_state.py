"""The trigger containerStateChanged on an engine whose containers and events the tests make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.sailor.standalone.folder import FolderStates
from lib.trigger.containers.lifecycle import STATUSES
from lib.trigger.marks.compact import digits, mark
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.old_states import pack_id
from tests.triggers.poll_harness import Emitted, PollHarness, size
from tests.triggers.table import record
from tests.triggers.world import Box, World, written

KEY = "containerStateChanged"


@pytest.fixture
def world(fake: FakeEngine) -> World:
    made = World()
    made.serve(fake)
    return made


def step(fake: FakeEngine, **fields: Any) -> PollHarness:
    return PollHarness("container_state_changed", {**fake.config, **fields})


def told(emitted: Emitted) -> list[tuple[str, str]]:
    return [(body["change"], body["container"]["name"]) for body in emitted.of("change")]


def inspected(fake: FakeEngine) -> int:
    """How many containers were inspected since the last call."""
    count = sum(path.startswith("/containers/") and path.endswith("a/json") for path in fake.asked)
    fake.asked.clear()
    return count


def note(desk: PollHarness, situation: str, crashed: list[str]) -> None:
    """A row of the table, with the names of the containers that crashed."""
    told = desk.told(lambda body: (body["change"], body["container"]["name"]))
    record(KEY, "fake", situation, told=told, truth=[("crashed", name) for name in crashed], gap=desk.gap)


def up(world: World, count: int, **more: bool) -> list[Box]:
    boxes = [world.create(**more) for _ in range(count)]
    for box in boxes:
        world.start(box)
    return boxes


@pytest.mark.parametrize("new", [False, True])
def test_fault_9_14_one_container_that_cannot_be_inspected_spoils_nothing(
    fake: FakeEngine, world: World, new: bool
) -> None:
    boxes = up(world, 2)
    desk = step(fake)
    desk.poll()
    world.ring.now += 100
    if new:
        boxes += up(world, 2)
    ill, well = boxes[-2:]
    path = f"/containers/{ill.id}/json"
    route = fake.routes[path]
    fake.routes[path] = lambda _: (500, {"message": "driver failed"})
    for box in (ill, well):
        world.end(box, 3)
    emitted = desk.poll()
    assert told(emitted) == [("crashed", well.name)]
    assert [body["reason"] for body in emitted.of("warning")] == ["objectFailed"]
    world.ring.now += 100
    assert desk.poll().bodies == []
    fake.routes[path] = route
    world.ring.now += 4000
    assert told(desk.poll()) == [("crashed", ill.name)]
    desk.replay()
    note(desk, "9.14 500 on the inspect of one" + (", which is new" if new else ""), [well.name, ill.name])


@pytest.mark.parametrize("count", [10, 100])
def test_fault_9_23_a_quiet_poll_inspects_nothing(fake: FakeEngine, world: World, count: int) -> None:
    up(world, count)
    world.ring.now += 5
    desk = step(fake)
    desk.poll()
    assert inspected(fake) == count
    world.ring.now += 60
    assert desk.poll().bodies == []
    assert len(fake.asked) <= 10
    assert inspected(fake) == 0


def test_fault_9_22_two_thousand_containers_have_room_and_a_quiet_poll_four_calls(
    fake: FakeEngine, world: World, tmp_path: Path
) -> None:
    boxes = up(world, 2000)
    for box in boxes:
        fake.routes[f"/containers/{box.id}/json"] = lambda _, box=box: (200, box.inspected())
    desk = step(fake)
    desk.states = FolderStates(str(tmp_path / "objects"))
    world.ring.now += 200
    desk.poll()
    assert inspected(fake) == 2000
    world.ring.now += 60
    assert desk.poll().bodies == []
    assert len(fake.asked) <= 5
    world.end(boxes[1234], 3)
    world.noise(300)
    fake.asked.clear()
    world.ring.now += 60
    assert told(desk.poll()) == [("crashed", boxes[1234].name)]
    assert inspected(fake) == 1
    assert size(desk.snapshot) < 500
    desk.replay()
    note(desk, "9.22 2,000 containers, the events overflow", [boxes[1234].name])


def test_fault_9_23_health_of_newer_lists_is_used(fake: FakeEngine, world: World) -> None:
    (box,) = up(world, 1, checked=True)
    world.turn(box, "healthy")
    desk = step(fake)
    world.ring.now += 200
    desk.poll()
    world.turn(box, "unhealthy")
    world.noise(300)  # the event is gone; the list alone shows it
    world.ring.now += 60
    assert told(desk.poll()) == [("unhealthy", box.name)]
    world.noise(300)
    plain = fake.routes["/containers/json"]
    fake.routes["/containers/json"] = lambda query: (
        200,
        [{**one, "Health": {"Status": "unhealthy", "FailingStreak": 3}} for one in plain(query)[1]],
    )
    fake.asked.clear()
    world.ring.now += 60
    assert desk.poll().bodies == []
    assert inspected(fake) == 0


def test_a_proxy_without_events_costs_calls_and_loses_nothing(fake: FakeEngine, world: World) -> None:
    (box, other) = up(world, 2)
    desk = step(fake)
    fake.ring.read = lambda *_: [{"Type": "daemon"}]  # type: ignore[method-assign]
    desk.poll()
    world.restart(box)
    world.remove(other)
    assert sorted(told(desk.poll())) == [("removed", None), ("restarted", box.name)]


def test_a_snapshot_of_version_1_0_is_read(fake: FakeEngine, world: World) -> None:
    same, ended, gone = up(world, 3)

    def old(box: Box) -> str:
        marks = mark(written(box.started), 3) + mark(written(box.finished), 3)
        return pack_id(box.id[:10]) + digits(STATUSES.index("running") << 11, 3) + digits(0, 2) + marks + "AA"

    packed = "".join(old(box) for box in (same, ended, gone))
    desk = step(fake)
    desk.snapshot = {"v": 1, "trigger": KEY, "engine": "", "at": int(world.ring.now), "containers": packed}
    world.end(ended, 3)
    world.remove(gone)
    assert sorted(told(desk.poll())) == [("crashed", ended.name), ("removed", gone.name)]
    assert "packed" in desk.snapshot
    assert desk.poll().bodies == []


@pytest.mark.parametrize("packed", ["", "zz", "c${NkU|?", 7, None, "x" * 50])
def test_a_snapshot_that_cannot_be_read_is_a_gap(fake: FakeEngine, world: World, packed: Any) -> None:
    up(world, 1)
    desk = step(fake)
    desk.snapshot = {"v": 1, "trigger": KEY, "engine": "", "at": 1, "packed": packed}
    assert [body["reason"] for body in desk.poll().of("gap")] == ["corruptSnapshot"]
