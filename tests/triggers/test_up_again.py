"""Containers that ended and are up again when a poll looks: their end is told, whenever it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.triggers.fake_engine import Answer, FakeEngine
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.world import Box, World, written

Again = Callable[[World, Box], None]


@pytest.fixture
def world(fake: FakeEngine) -> World:
    made = World()
    made.serve(fake)
    return made


def step(fake: FakeEngine, **fields: Any) -> PollHarness:
    return PollHarness("container_state_changed", {**fake.config, **fields})


def told(emitted: Emitted, box: Box) -> list[tuple[str, int | None]]:
    """What was told of a container, with the exit codes."""
    return [
        (body["change"], body["to"] and body["exitCode"])
        for body in emitted.of("change")
        if body["container"]["name"] == box.name
    ]


def by_hand(world: World, box: Box) -> None:
    world.restart(box)


def by_itself(world: World, box: Box) -> None:
    world.end(box, 5)
    world.start(box)


def killed_late(world: World, box: Box) -> None:
    """The engine publishes a kill once it has sent the signal, which may be just after the end."""
    world.end(box, 137)
    world.happen(box, "kill", signal="9")
    world.start(box)


def once(fake: FakeEngine, path: str, do: Callable[[], None], *, later: bool = False) -> None:
    """Let something happen before (or after) the engine makes its next answer to a path."""
    whole, done = fake.routes[path], []

    def answer(query: dict[str, str]) -> Answer:
        made = whole(query)
        if done:
            return made
        done.append(path)
        do()
        return made if later else whole(query)

    fake.routes[path] = answer


def up_since_long(world: World, count: int) -> list[Box]:
    boxes = [world.create() for _ in range(count)]
    for box in boxes:
        world.start(box)
    world.ring.now += 100
    return boxes


RUNS: list[tuple[Again, list[tuple[str, int | None]]]] = [
    (by_hand, [("restarted", None)]),
    (by_itself, [("crashed", 5), ("started", None)]),
    (killed_late, [("restarted", None)]),
]


@pytest.mark.parametrize(("again", "changes"), RUNS)
@pytest.mark.parametrize("age", [0, 30])
def test_fault_9_7_the_end_of_a_new_container_that_is_up_again_is_told(
    fake: FakeEngine, world: World, again: Again, changes: list[tuple[str, int | None]], age: int
) -> None:
    up_since_long(world, 1)
    desk = step(fake)
    desk.poll()
    world.ring.now += 60
    box = world.create()
    world.start(box)
    world.ring.now += 0.3
    again(world, box)
    world.ring.now += age
    emitted = desk.poll()
    assert told(emitted, box) == changes
    assert {body["finishedAt"] for body in emitted.of("change")} == {written(box.finished)}
    world.ring.now += 60
    assert desk.poll().bodies == []


def test_fault_9_7_it_is_told_also_where_events_are_refused(fake: FakeEngine, world: World) -> None:
    up_since_long(world, 1)
    desk = step(fake)
    fake.ring.read = lambda *_: [{"Type": "daemon"}]  # type: ignore[method-assign]
    desk.poll()
    box = world.create()
    world.start(box)
    by_itself(world, box)
    assert told(desk.poll(), box) == [("restarted", None)]


@pytest.mark.parametrize(("late", "change"), [(False, "started"), (True, "restarted")])
def test_an_end_before_the_time_from_which_on_is_told_is_no_news(
    fake: FakeEngine, world: World, late: bool, change: str
) -> None:
    box, other = up_since_long(world, 2)
    world.end(box, 0)
    border = world.now
    world.ring.now += 100
    world.start(box)
    if late:
        world.restart(box)
    world.restart(other)
    emitted = step(fake, startFrom="since", since=written(border)).poll()
    assert told(emitted, box) == [(change, None)]
    assert told(emitted, other) == [("restarted", None)]


def test_an_end_before_it_was_selected_is_no_news(fake: FakeEngine, world: World) -> None:
    (box,) = up_since_long(world, 1)
    world.end(box, 0)
    world.ring.now += 100
    desk = step(fake, names="chosen*")
    desk.poll()
    box.name = "chosen"
    world.start(box)
    assert told(desk.poll(), box) == [("started", None)]


@pytest.mark.parametrize(("again", "changes"), RUNS)
def test_fault_9_7_what_came_between_the_list_and_the_events_of_a_poll_is_told_by_the_next(
    fake: FakeEngine, world: World, again: Again, changes: list[tuple[str, int | None]]
) -> None:
    """The events that a poll reads up to the present name a container that its list lacks."""
    _, other = up_since_long(world, 2)
    desk = step(fake)
    for _ in range(2):
        desk.poll()
        world.ring.now += 100
    world.remove(other)  # so late that the events have to be read up to this moment
    made: list[Box] = []

    def begin() -> None:
        made.append(world.create())
        world.start(made[0])
        again(world, made[0])
        world.pause(made[0])
        world.pause(made[0])

    once(fake, "/containers/json", begin, later=True)
    desk.poll()
    world.ring.now += 20
    assert told(desk.poll(), made[0]) == [*changes, ("paused", None), ("unpaused", None)]
    world.ring.now += 20
    assert desk.poll().bodies == []


@pytest.mark.parametrize(("again", "changes"), RUNS)
def test_fault_9_7_an_end_between_the_look_and_the_events_of_a_poll_is_told(
    fake: FakeEngine, world: World, again: Again, changes: list[tuple[str, int | None]]
) -> None:
    box, other = up_since_long(world, 2)
    desk = step(fake)
    for _ in range(2):
        desk.poll()
        world.ring.now += 100
    world.restart(box)
    world.remove(other)  # so late that the events have to be read up to this moment
    once(fake, f"/containers/{box.id}/json", lambda: again(world, box), later=True)
    found = told(desk.poll(), box)
    world.ring.now += 10
    assert found + told(desk.poll(), box) == changes


def test_fault_9_7_a_run_between_the_look_and_the_events_of_a_poll_is_told_by_the_next(
    fake: FakeEngine, world: World
) -> None:
    """It was so short that the age of its end in the list is as that of the end before."""
    box, other = up_since_long(world, 2)
    desk = step(fake)
    for _ in range(2):
        desk.poll()
        world.ring.now += 100
    world.end(box, 5)
    world.remove(other)  # so late that the events have to be read up to this moment

    def run() -> None:
        world.start(box)
        world.end(box, 5)
        world.ring.now += 6  # a busy machine

    once(fake, f"/containers/{box.id}/json", run, later=True)
    assert told(desk.poll(), box) == [("crashed", 5)]
    world.ring.now += 10
    assert told(desk.poll(), box) == [("crashed", 5)]
    world.ring.now += 10
    assert desk.poll().bodies == []
