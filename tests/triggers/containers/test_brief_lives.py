"""Containers that come and go around the edge of a poll: one poll sees their start, the next their end."""

from __future__ import annotations

import pytest

from tests.triggers.fake_engine import Answer, FakeEngine
from tests.triggers.model import SECOND
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.world import Box, World, written


@pytest.fixture
def world(fake: FakeEngine) -> World:
    made = World()
    made.serve(fake)
    return made


def old(world: World, fake: FakeEngine) -> Box:
    """A container that has run and ended long ago."""
    box = world.create()
    world.start(box)
    world.end(box, 0)
    fake.routes[f"/containers/{box.id}/logs"] = lambda _: (200, b"")
    world.ring.now += 100
    return box


def removed(emitted: Emitted) -> list[str]:
    return [body["container"]["name"] for body in emitted.of("gap")]


@pytest.mark.parametrize("later", ["end", "removal"])
def test_fault_9_2_an_end_around_the_edge_of_a_poll_is_told(
    fake: FakeEngine, world: World, later: str
) -> None:
    old(world, fake)
    step = PollHarness("container_state_changed", fake.config)
    step.poll()
    box = world.create()
    world.start(box)
    world.ring.now += 3 * (later == "end")
    world.end(box, 5)
    world.ring.now += 3 * (later == "removal")
    world.remove(box)
    told = [(body["change"], body["container"]["name"]) for body in step.poll().of("change")]
    world.ring.now += 100
    told += [(body["change"], body["container"]["name"]) for body in step.poll().of("change")]
    assert told == [("crashed", box.name), ("removed", box.name)]


def test_fault_9_5_lines_of_a_container_that_goes_after_the_edge_of_a_poll_are_a_gap(
    fake: FakeEngine, world: World
) -> None:
    old(world, fake)
    step = PollHarness("container_logs", fake.config)
    step.poll()
    box = world.create()
    world.start(box)
    world.ring.now += 3
    world.remove(box)
    told = removed(step.poll())
    world.ring.now += 100
    assert told + removed(step.poll()) == [box.name]


def test_fault_9_5_a_last_run_after_the_edge_of_a_poll_is_a_gap(fake: FakeEngine, world: World) -> None:
    box = old(world, fake)
    step = PollHarness("container_logs", fake.config)
    step.poll()
    world.ring.now += 100
    world.start(box)
    world.remove(box)
    told = removed(step.poll())
    world.ring.now += 100
    assert told + removed(step.poll()) == [box.name]
    assert removed(step.poll()) == []


def test_fault_9_20_turns_that_are_read_because_of_another_container_are_told(
    fake: FakeEngine, world: World
) -> None:
    one, other = (world.create() for _ in range(2))
    for box in (one, other):
        world.start(box)
    step = PollHarness("container_state_changed", fake.config)
    for _ in range(3):
        world.ring.now += 100
        step.poll()
    world.pause(one)
    world.pause(one)
    world.remove(other)  # so late that the events have to be read up to this moment
    told = [body["change"] for body in step.poll().of("change")]
    world.ring.now += 100
    told += [body["change"] for body in step.poll().of("change")]
    assert sorted(told) == ["paused", "removed", "unpaused"]


def test_fault_9_2_the_end_of_a_container_that_is_seen_while_it_is_removed_is_told(
    fake: FakeEngine, world: World
) -> None:
    box = world.create()
    world.start(box)
    step = PollHarness("container_state_changed", fake.config)
    for _ in range(2):
        world.ring.now += 100
        step.poll()
    world.end(box, 5)
    box.status = "removing"
    told = [body["change"] for body in step.poll().of("change")]
    world.remove(box)
    world.ring.now += 100
    told += [body["change"] for body in step.poll().of("change")]
    assert told == ["crashed", "removed"]


def test_fault_9_2_the_end_of_a_container_that_is_made_between_the_list_and_the_events_is_told(
    fake: FakeEngine, world: World
) -> None:
    """The events are read up to the present after the list: they show its end, and not yet its removal."""
    other = old(world, fake)
    step = PollHarness("container_state_changed", fake.config)
    for _ in range(2):
        step.poll()
        world.ring.now += 100
    world.remove(other)  # so late that the events have to be read up to this moment
    made: list[Box] = []
    whole = fake.routes["/containers/json"]

    def before_it_is_made(query: dict[str, str]) -> Answer:
        answer = whole(query)
        if not made:
            made.append(world.create())
            world.start(made[0])
            world.end(made[0], 5)
        return answer

    fake.routes["/containers/json"] = before_it_is_made
    told = [(body["change"], body["container"]["name"]) for body in step.poll().of("change")]
    world.ring.now += 3
    world.remove(made[0])
    for _ in range(2):
        world.ring.now += 100
        told += [(body["change"], body["container"]["name"]) for body in step.poll().of("change")]
    assert told == [("removed", other.name), ("crashed", made[0].name), ("removed", made[0].name)]


def test_fault_9_2_the_end_of_a_container_whose_making_took_long_is_told(
    fake: FakeEngine, world: World
) -> None:
    """An engine notes the time at which it begins to make a container; lists show it later, after a poll, say."""
    old(world, fake)
    step = PollHarness("container_state_changed", fake.config)
    step.poll()
    box = world.create()
    box.created -= 2 * SECOND
    world.start(box)
    world.end(box, 5)
    box.status = "removing"
    world.ring.now += 3
    told = [body["change"] for body in step.poll().of("change")]
    world.remove(box)
    world.ring.now += 100
    told += [body["change"] for body in step.poll().of("change")]
    assert told == ["crashed", "removed"]


def test_fault_9_5_what_came_and_went_just_before_the_first_run_is_no_gap(
    fake: FakeEngine, world: World
) -> None:
    old(world, fake)
    brief = world.create()
    world.start(brief)
    world.remove(brief)
    step = PollHarness("container_logs", fake.config)
    told = removed(step.poll())
    world.ring.now += 100
    assert told + removed(step.poll()) == []


def test_fault_9_20_a_pause_just_before_the_look_is_told_once_by_polls_that_follow_each_other_closely(
    fake: FakeEngine, world: World
) -> None:
    """The events are read up to the present at once, as the poll before did; the look is newer than they are."""
    box, other = (world.create() for _ in range(2))
    for one in (box, other):
        world.start(one)
    step = PollHarness("container_state_changed", fake.config)
    for _ in range(3):
        world.ring.now += 100
        step.poll()
    world.remove(other)  # so late that the events have to be read up to this moment
    step.poll()
    world.end(box, 5)
    path = f"/containers/{box.id}/json"
    done: list[Box] = []
    whole = fake.routes[path]

    def begun_and_paused(query: dict[str, str]) -> Answer:
        if not done:
            done.append(box)
            world.start(box)
            world.pause(box)
        return whole(query)

    fake.routes[path] = begun_and_paused
    told = [body["change"] for body in step.poll().of("change")]
    for _ in range(2):
        world.ring.now += 100
        told += [body["change"] for body in step.poll().of("change")]
    assert told.count("paused") == 1


def test_fault_9_5_the_first_lines_of_a_container_whose_making_took_long_are_told(
    fake: FakeEngine, world: World
) -> None:
    """It was begun before the last poll, which did not see it; its lines are older than two seconds."""
    old(world, fake)
    step = PollHarness("container_logs", fake.config)
    step.poll()
    box = world.create()
    box.created -= 2 * SECOND
    world.start(box)
    moment = world.now
    line = f"{written(moment)} hello\n".encode()
    shown = b"\1\0\0\0" + len(line).to_bytes(4, "big") + line
    fake.routes[f"/containers/{box.id}/logs"] = lambda query: (
        200,
        shown if float(query.get("since") or 0) * SECOND <= moment else b"",
    )
    world.ring.now += 5
    assert [body["text"] for body in step.poll().of("line")] == ["hello"]
