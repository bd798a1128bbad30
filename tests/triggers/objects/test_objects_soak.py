"""Churn with random polls and kills: what the lists say is the truth, and each of it is told, with an id of its own."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from lib.trigger.clock import SECOND, iso
from lib.trigger.images.registry_refusals import FIRST_PAUSE
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.images.test_image_updated import Registries, has, names, said, written
from tests.triggers.objects.test_object_changed import Lists, image, network, service, volume
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import Told, record

ROUNDS = 150
Keys = set[Hashable]


@dataclass
class Ledger:
    """What was told of what happened since the last snapshot; ids of all times.

    `since` counts snapshots that told something; of a reference, those that told something of it. What was told, taken
    back before such a snapshot, and happened again is the same: compared with that snapshot.
    """

    desk: PollHarness
    happened: int = 0
    told: list[Told] = field(default_factory=list)
    truth: Keys = field(default_factory=set)
    ids: dict[str, Hashable] = field(default_factory=dict)
    since: Counter[Hashable] = field(default_factory=Counter)

    def poll(self, chance: random.Random, expected: Keys) -> bool:
        """Poll, killed at times; whether its snapshot got through."""
        killed = chance.choice((None, None, 0, 1, 3))
        emitted = self.desk.poll(dies_after=killed)
        told = {self.named(body, name) for body, name in zip(emitted.bodies, emitted.ids, strict=True)} - {
            None
        }
        assert told <= expected, "told, and it did not happen"
        for what, name in zip(map(self.named, emitted.bodies, emitted.ids), emitted.ids, strict=True):
            if what is not None:
                self.told.append((self.event(what), str(name)))
        self.truth |= {self.event(what) for what in (expected if done(emitted) else told)}
        if not done(emitted):
            return False
        assert told == expected, "it happened, and was not told"
        self.happened += len(expected)
        self.since.update({self.owner(what) for what in expected})
        return True

    def owner(self, what: Any) -> Hashable:
        """Whose snapshots count: a reference's own, or those of all objects."""
        return what[0] if "image_updated" in self.desk.module else ""

    def event(self, what: Any) -> Hashable:
        """What happened, and after how many snapshots that told something."""
        return self.since[self.owner(what)], what

    def named(self, body: Mapping[str, Any], name: str | None) -> Hashable:
        """What a message tells; the same has the same id, all else another."""
        if body["kind"] not in ("object", "updated"):
            return None
        if body["kind"] == "updated":
            what: Hashable = (body["reference"], body["digest"])
        else:
            thing = body["object"]
            detail = thing["Version"]["Index"] if "Version" in thing else tuple(thing.get("RepoTags") or ())
            what = (body["type"], body["change"], body["id"], detail)
        key = self.event(what)
        assert name is not None
        assert self.ids.setdefault(name, key) == key, "two events with one id"
        assert [one for one in self.ids.values() if one == key] == [key], "one event with two ids"
        return what


def note(trigger: str, ledger: Ledger, seed: int) -> None:
    """A row of the table."""
    record(trigger, "fake", f"churn with kills, seed {seed}", told=ledger.told, truth=ledger.truth)


def done(emitted: Emitted) -> bool:
    """Whether the poll came to its end, as far as its place goes."""
    return bool(emitted.snapshots) or emitted.dies_after != 0


@dataclass
class World:
    """What an engine has, as it is shown in `lists`."""

    lists: Lists
    chance: random.Random
    images: dict[str, set[str]] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    networks: dict[str, str] = field(default_factory=dict)
    services: dict[str, tuple[int, int]] = field(default_factory=dict)
    down: bool = False
    index: int = 0

    def change(self) -> None:
        """Let something happen."""
        self.index += 1
        name, tag = f"{self.chance.randrange(12):02}", f"app:{self.chance.randrange(3)}"
        what = self.chance.choice(("tag", "tag", "image", "volume", "volume", "driver", "network", "service"))
        if what == "tag":
            self.images.setdefault(name, set()).symmetric_difference_update({tag})
        elif what == "image":
            self.images.pop(name, None)
        elif what == "volume" and self.volumes.get(name) == "local":
            del self.volumes[name]
        elif what == "volume":
            self.volumes.setdefault(name, self.chance.choice(("local", "nfs")))
        elif what == "driver":
            self.down = not self.down
        elif what == "network":
            self.networks["bridge" if name < "03" else name] = f"id{self.index}"
        else:
            self.services[name] = (self.index, self.services.get(name, (0, self.index))[1])

    def show(self) -> None:
        """Put all of it into the engine's lists."""
        shown = {name: driver for name, driver in self.volumes.items() if not (self.down and driver == "nfs")}
        self.lists.images = [image(name, *sorted(tags)) for name, tags in self.images.items()]
        self.lists.volumes = [volume(name, driver) for name, driver in shown.items()]
        self.lists.warnings = ["driver nfs is down"] if self.down else None
        self.lists.networks = [network(name, one) for name, one in self.networks.items()]
        self.lists.services = [
            service(name, at, iso(made * SECOND), iso(at * SECOND + 1))
            for name, (at, made) in self.services.items()
        ]

    def state(self, before: Mapping[tuple[str, str], Hashable]) -> dict[tuple[str, str], Hashable]:
        """Return what there is, and what is hidden and was there before, with what may change about it."""
        found: dict[tuple[str, str], Hashable] = {
            ("image", f"sha256:{name}"): tuple(sorted(tags)) for name, tags in self.images.items()
        }
        found |= {("volume", one["Name"]): one["Driver"] for one in self.lists.volumes}
        found |= {("service", name): at for name, (at, _) in self.services.items()}
        found |= {
            ("network", "bridge" if name == "bridge" else one): one for name, one in self.networks.items()
        }
        hidden = {("volume", name) for name, driver in self.volumes.items() if self.down and driver == "nfs"}
        return found | {key: value for key, value in before.items() if key in hidden and value == "nfs"}


def happened(before: Mapping[tuple[str, str], Hashable], now: Mapping[tuple[str, str], Hashable]) -> Keys:
    """Return what has to be told."""
    keys: Keys = set()
    for key, value in now.items():
        kind, name = key
        detail = value if kind in ("image", "service") else ()
        if key not in before:
            keys.add((kind, "created", value if kind == "network" else name, detail))
        elif kind in ("image", "service") and before[key] != value:
            keys.add((kind, "changed", name, detail))
    return keys


@pytest.mark.parametrize("seed", range(4))
def test_churn_of_objects(fake: FakeEngine, seed: int) -> None:
    chance = random.Random(seed)
    lists = Lists(fake, kinds=["images", "volumes", "networks", "services"])
    ledger, world = Ledger(lists.desk), World(lists, chance)
    known: dict[tuple[str, str], Hashable] = {}
    lists.desk.poll()
    for _ in range(ROUNDS):
        for _ in range(chance.randrange(4)):
            world.change()
        world.show()
        now = world.state(known)
        if ledger.poll(chance, happened(known, now)):
            known = now
    assert ledger.happened > ROUNDS / 3
    note("objectChanged", ledger, seed)


@pytest.mark.parametrize("seed", range(4))
def test_churn_of_registries(fake: FakeEngine, seed: int) -> None:
    chance = random.Random(seed)
    references = names(12)
    registry = Registries(fake, *references)
    registry.answers = {name: has(1) for name in references}
    registry.desk.poll()
    ledger = Ledger(registry.desk)
    now, known, failing = dict.fromkeys(references, 1), dict.fromkeys(references, 1), set[str]()
    for _ in range(ROUNDS):
        for _ in range(chance.randrange(4)):
            name = chance.choice(references)
            now[name] = chance.randrange(1, 4)
            failing ^= {chance.choice(references)} if chance.random() < 0.5 else set()
        registry.answers = {
            name: said(500, "the disk is full") if name in failing else has(number)
            for name, number in now.items()
        }
        expected: Keys = {
            (name, written(now[name]))
            for name in references
            if name not in failing and now[name] != known[name]
        }
        if ledger.poll(chance, expected):
            known |= {name: now[name] for name in references if name not in failing}
        fake.ring.now += FIRST_PAUSE
    assert ledger.happened > ROUNDS / 3
    note("imageUpdated", ledger, seed)
