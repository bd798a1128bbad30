"""What the list and the events prove: who asks for few containers tells all that one tells who asks for each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.trigger.containers.list_status import shown
from lib.trigger.containers.turns import TURNS
from tests.triggers.fake_engine import Answer, FakeEngine
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.world import Box, World, human

PASSES = (0.2, 1, 2.5, 4, 20, 61, 130, 4000, 90_000, 3_000_000)


class Blind(FakeEngine):
    """Shows no events and no states in its list: every container has to be inspected."""

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        return (403, []) if path == "/events" else super().answer(path, query)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[tuple[FakeEngine, FakeEngine, World]]:
    seeing, blind = FakeEngine(str(tmp_path / "one.sock")), Blind(str(tmp_path / "two.sock"))
    world = World()
    world.serve(seeing)
    world.serve(blind, texts=False)
    yield seeing, blind, world
    seeing.close()
    blind.close()


def step(engine: FakeEngine) -> PollHarness:
    return PollHarness("container_state_changed", dict(engine.config))


def something(world: World, chance: random.Random) -> None:
    """One thing that happens to one of the containers."""
    up = [one for one in world.boxes.values() if one.status == "running"]
    down = [one for one in world.boxes.values() if one.status in ("created", "exited")]
    paused = [one for one in world.boxes.values() if one.status == "paused"]
    acts: list[tuple[Any, list[Box]]] = [
        (lambda one: world.end(one, chance.choice((0, 3))), up),
        (world.restart, up),
        (world.pause, up + paused),
        (lambda one: world.turn(one, chance.choice(("healthy", "unhealthy"))), [o for o in up if o.checked]),
        (world.start, down),
        (world.remove, list(world.boxes.values())),
    ]
    act, boxes = chance.choice(acts)
    if boxes:
        act(chance.choice(boxes))
    else:
        world.create(policy=chance.random() < 0.5, checked=chance.random() < 0.5)


def told(emitted: Emitted, *, turns: bool) -> set[Any]:
    return {
        (body["change"], body["container"]["name"]) if turns else message.id
        for message in emitted.messages
        for body in [message.body]
        if body["kind"] == "change" and (body["change"] in TURNS) == turns and body["change"] != "removed"
    }


@given(st.floats(0, 10 * 365 * 86400))
def test_the_age_in_a_status_text_is_read_within_its_bounds(seconds: float) -> None:
    for text in (
        f"Up {human(seconds)}",
        f"Up {human(seconds)} (healthy)",
        f"Exited (3) {human(seconds)} ago",
    ):
        age = shown(text)
        assert age
        assert age.least <= seconds < age.most


@pytest.mark.parametrize(
    "text", ["", "Up", "Up 3", "Up x minutes", "Exited (a) 1 second ago", "Dead", "Up ²3 minutes"]
)
def test_a_text_of_another_kind_proves_nothing(text: str) -> None:
    assert shown(text) is None


@pytest.mark.parametrize("seed", range(12))
def test_fault_9_23_nothing_that_an_inspect_of_all_finds_is_lost(
    engines: tuple[FakeEngine, FakeEngine, World], seed: int
) -> None:
    seeing, blind, world = engines
    chance = random.Random(seed)
    for _ in range(8):
        world.create(policy=chance.random() < 0.5, checked=chance.random() < 0.5)
    first, second = step(seeing), step(blind)
    for _ in range(25):
        found, whole = first.poll(), second.poll()
        assert told(found, turns=False) >= told(whole, turns=False)
        assert told(found, turns=True) >= told(whole, turns=True)
        removed = {body["container"]["id"][:10] for body in whole.of("change") if body["change"] == "removed"}
        assert removed <= {
            body["container"]["id"][:10] for body in found.of("change") if body["change"] == "removed"
        }
        for _ in range(chance.choice((0, 0, 1, 3, 8))):
            something(world, chance)
            world.ring.now += chance.choice((0.01, 0.5, 3))
        if chance.random() < 0.2:
            world.noise(chance.choice((10, 300)))
        if chance.random() < 0.1:
            world.ring.restart()
        world.ring.now += chance.choice(PASSES)
    inspected = [sum(path.endswith("/json") for path in one.asked) for one in (seeing, blind)]
    assert inspected[0] < inspected[1]
