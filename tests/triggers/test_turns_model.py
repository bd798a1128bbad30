"""Whatever happens to a container before, between and after what a poll reads of it: each turn is told once."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.triggers.fake_engine import Answer, FakeEngine
from tests.triggers.poll_harness import PollHarness
from tests.triggers.world import Box, World

EVENTS = {
    "paused": "pause",
    "unpaused": "unpause",
    "healthy": "health_status: healthy",
    "unhealthy": "health_status: unhealthy",
}


def something(world: World, box: Box, chance: random.Random) -> None:
    """One thing that can happen to it as it is."""
    up: list[Callable[[], None]] = [
        lambda: world.end(box, chance.choice((0, 3))),
        lambda: world.restart(box),
        lambda: world.pause(box),
        lambda: world.pause(box),
    ]
    if box.checked:
        up += [lambda: world.turn(box, "healthy"), lambda: world.turn(box, "unhealthy")]
    acts = {"running": up, "paused": [lambda: world.pause(box), lambda: world.end(box, 137)]}
    chance.choice(acts.get(box.status, [lambda: world.start(box)]))()


def after_looks(fake: FakeEngine, world: World, box: Box, chance: random.Random) -> None:
    """Let something happen between some looks at the container and the events that are read after them."""
    path = f"/containers/{box.id}/json"
    look = fake.routes[path]

    def answer(query: dict[str, str]) -> Answer:
        shown = look(query)
        if chance.random() < 0.4:
            for _ in range(chance.choice((1, 2, 3))):
                something(world, box, chance)
                world.ring.now += chance.choice((0.01, 0.3))
        return shown

    fake.routes[path] = answer


@pytest.mark.parametrize("seed", range(40))
def test_fault_9_20_each_turn_is_told_once(fake: FakeEngine, seed: int) -> None:
    chance, world = random.Random(seed), World()
    world.serve(fake)
    box = world.create(checked=chance.random() < 0.6, policy=chance.random() < 0.3)
    others: list[Box] = []
    step = PollHarness("container_state_changed", fake.config)
    world.ring.now += 100
    step.poll()
    look = fake.routes[f"/containers/{box.id}/json"]
    after_looks(fake, world, box, chance)
    messages = []
    for _ in range(10):
        for _ in range(chance.randrange(4)):
            something(world, box, chance)
            world.ring.now += chance.choice((0.01, 0.5, 2))
        if others and chance.random() < 0.5:
            world.remove(others.pop())  # so late that the events have to be read up to this moment
        elif chance.random() < 0.5:
            others.append(world.create())
        messages += step.poll().messages
        world.ring.now += chance.choice((0.01, 0.5, 1, 2, 3, 5, 30))
    fake.routes[f"/containers/{box.id}/json"] = look
    for _ in range(3):
        world.ring.now += 30
        messages += step.poll().messages
    happened = {
        change: sum(
            event["Action"] == action and event["Actor"]["ID"] == box.id for event in world.ring.published
        )
        for change, action in EVENTS.items()
    }
    told = {change: [one.id for one in messages if one.body.get("change") == change] for change in EVENTS}
    assert {change: len(ids) for change, ids in told.items()} == happened
    assert all(len(set(ids)) == len(ids) for ids in told.values())
