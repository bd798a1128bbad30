"""A run that ends between the look at its container and the events that are read anew: these are newer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.triggers.fake_engine import Answer, FakeEngine
from tests.triggers.poll_harness import PollHarness
from tests.triggers.world import Box, World


@pytest.fixture
def world(fake: FakeEngine) -> World:
    made = World()
    made.serve(fake)
    return made


def then(fake: FakeEngine, box: Box, act: Callable[[], None]) -> None:
    """Do something once, just after a look at a container."""
    path = f"/containers/{box.id}/json"
    look, done = fake.routes[path], []

    def answer(query: dict[str, str]) -> Answer:
        shown = look(query)
        if not done:
            done.append(box)
            act()
        return shown

    fake.routes[path] = answer


def begun(fake: FakeEngine, world: World) -> tuple[PollHarness, Box, Box]:
    """A step that knows two containers that are up, the first with a health."""
    box, other = world.create(checked=True), world.create()
    for one in (box, other):
        world.start(one)
    world.turn(box, "healthy")
    step = PollHarness("container_state_changed", fake.config)
    for _ in range(3):
        world.ring.now += 100
        step.poll()
    return step, box, other


def told_of(world: World, step: PollHarness, box: Box) -> list[str]:
    """What this poll and the next two tell of a container."""
    found = []
    for _ in range(3):
        found += [one["change"] for one in step.poll().of("change") if one["container"]["id"] == box.id]
        world.ring.now += 100
    return found


def test_fault_9_17_a_pause_that_was_told_is_not_told_again_when_the_run_ends_after_the_look(
    fake: FakeEngine, world: World
) -> None:
    step, box, other = begun(fake, world)
    world.pause(box)
    world.ring.now += 100
    assert [body["change"] for body in step.poll().of("change")] == ["paused"]
    world.turn(box, "starting")  # something that has it looked at
    world.remove(other)  # so late that the events have to be read up to this moment
    then(fake, box, lambda: world.end(box, 137))
    assert told_of(world, step, box) == ["crashed"]


def test_fault_9_17_a_pause_that_was_told_is_not_told_again_when_the_container_goes_after_the_look(
    fake: FakeEngine, world: World
) -> None:
    step, box, other = begun(fake, world)
    world.pause(box)
    world.ring.now += 100
    assert [body["change"] for body in step.poll().of("change")] == ["paused"]
    world.turn(box, "starting")
    world.remove(other)
    then(fake, box, lambda: world.remove(box))
    assert told_of(world, step, box) == ["removed"]


@pytest.mark.parametrize("after", ["healthy", "paused", "unpaused", "nothing"])
def test_fault_9_17_what_a_new_run_does_after_the_look_is_told_once(
    fake: FakeEngine, world: World, after: str
) -> None:
    step, box, other = begun(fake, world)
    world.turn(box, "starting")
    world.remove(other)

    def run_again() -> None:
        world.end(box, 5)
        world.start(box)
        if after == "healthy":
            world.turn(box, "healthy")
        elif after != "nothing":
            world.pause(box)
        if after == "unpaused":
            world.pause(box)

    then(fake, box, run_again)
    turns = {"healthy": ["healthy"], "paused": ["paused"], "unpaused": ["paused", "unpaused"], "nothing": []}
    assert sorted(told_of(world, step, box)) == sorted(["crashed", "started", *turns[after]])


@pytest.mark.parametrize("after", ["healthy", "paused", "nothing"])
@pytest.mark.parametrize("before", ["ended", "created"])
def test_fault_9_17_what_a_run_that_begins_after_the_look_does_is_told_once(
    fake: FakeEngine, world: World, before: str, after: str
) -> None:
    step, box, other = begun(fake, world)
    if before == "created":
        box = world.create(checked=True)
    else:
        world.end(box, 0)
    world.remove(other)
    ends = ["exited"] if before == "ended" else []

    def run() -> None:
        world.start(box)
        if after == "healthy":
            world.turn(box, "healthy")
        elif after == "paused":
            world.pause(box)

    then(fake, box, run)
    told = told_of(world, step, box)
    assert [one for one in told if one != "created"] == [*ends, "started", *turns(after)]


def turns(after: str) -> list[str]:
    return [] if after == "nothing" else [after]


def test_fault_9_17_a_run_that_began_after_the_look_and_ended_before_the_next_one_is_told_with_its_turns(
    fake: FakeEngine, world: World
) -> None:
    step, box, other = begun(fake, world)
    world.end(box, 0)
    world.remove(other)

    def run_and_pause() -> None:
        world.start(box)
        world.pause(box)

    then(fake, box, run_and_pause)
    told = [one["change"] for one in step.poll().of("change") if one["container"]["id"] == box.id]
    world.ring.now += 10
    world.end(box, 5)
    world.ring.now += 10
    assert told + told_of(world, step, box) == ["exited", "crashed", "paused"]


@pytest.mark.parametrize("turn", ["unhealthy", "unpaused"])
def test_fault_9_20_what_turned_just_before_an_end_just_before_a_poll_is_told(
    fake: FakeEngine, world: World, turn: str
) -> None:
    """The events are read up to two seconds before the present: neither is in them, and an end hides what turned."""
    step, box, _ = begun(fake, world)
    if turn == "unpaused":
        world.pause(box)
        world.ring.now += 100
        step.poll()
        world.pause(box)
    else:
        world.turn(box, "unhealthy")
    world.end(box, 0)
    assert sorted(told_of(world, step, box)) == ["exited", turn]


def test_fault_9_20_a_health_in_a_short_while_between_two_pauses_is_told(
    fake: FakeEngine, world: World
) -> None:
    step, box, _ = begun(fake, world)
    world.pause(box)
    world.ring.now += 100
    step.poll()
    world.pause(box)
    world.turn(box, "unhealthy")
    world.pause(box)
    assert sorted(told_of(world, step, box)) == ["paused", "unhealthy", "unpaused"]


def test_fault_9_20_a_pause_that_is_over_just_before_an_end_is_told(fake: FakeEngine, world: World) -> None:
    step, _, box = begun(fake, world)
    world.pause(box)
    world.ring.now += 3
    world.pause(box)
    world.end(box, 0)
    assert sorted(told_of(world, step, box)) == ["exited", "paused", "unpaused"]
