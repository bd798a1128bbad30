"""The trigger imageUpdated on an engine whose registries the test plays."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lib.engine.errors import BadInput
from lib.sailor.standalone.folder import FolderStates
from lib.trigger.cursor import LIMIT, CursorTooLarge
from lib.trigger.images import rounds
from lib.trigger.images.registry_refusals import FIRST_PAUSE
from lib.trigger.marks.compact import digits, mark
from tests.lab.waiting import DEADLINE
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import Emitted, PollHarness, size
from tests.triggers.table import record

KEY = "imageUpdated"
OTHER = "other.example.org"


class Registries:
    """What the engine says of each reference; `desk` watches them."""

    def __init__(self, fake: FakeEngine, *references: str, **fields: Any) -> None:
        self.fake = fake
        self.answers: dict[str, Any] = {name: has(1) for name in references}
        self.local: dict[str, Any] = {}
        for name in references:
            fake.routes[f"/distribution/{name}/json"] = partial(self.answer, name)
            fake.routes[f"/images/{name}/json"] = partial(self.image, name)
        self.desk = PollHarness(
            "image_updated", {**fake.config, "references": list(references), "minutes": 0} | fields
        )

    def answer(self, name: str, _query: Any) -> Any:
        given = self.answers[name]
        return given() if callable(given) else given

    def image(self, name: str, _query: Any) -> Any:
        return self.local.get(name, (404, {"message": f"No such image: {name}"}))

    def asked(self) -> list[str]:
        """The references that were asked for since the last call."""
        found = [path.removeprefix("/distribution/").removesuffix("/json") for path in self.fake.asked]
        asked = [name for name in found if name in self.answers]
        self.fake.asked.clear()
        return asked


def written(number: int) -> str:
    """A digest that differs from others in its beginning."""
    return f"sha256:{number:08x}" + "0" * 56


def has(number: int) -> tuple[int, Any]:
    return 200, {
        "Descriptor": {"digest": written(number), "mediaType": "m"},
        "Platforms": [None, {"os": "linux"}],
    }


def said(status: int, text: str) -> tuple[int, Any]:
    return status, {"message": text}


def told(emitted: Emitted) -> list[str]:
    return [body["reference"] for body in emitted.of("updated")]


def note(registry: Registries, situation: str, truth: list[str]) -> None:
    """A row of the table, with the references that got another digest."""
    told = registry.desk.told(lambda body: body["reference"])
    record(KEY, "fake", situation, told=told, truth=truth, gap=registry.desk.gap)


def reasons(emitted: Emitted) -> list[str]:
    return [body["reason"] for body in emitted.of("warning")]


def names(count: int, host: str = OTHER) -> list[str]:
    return [f"{host}/app:{number}" for number in range(count)]


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Set at the end, so that no answer waits for ever."""
    event = threading.Event()
    yield event
    event.set()


def test_fault_9_17_a_digest_that_comes_back_is_another_change(fake: FakeEngine) -> None:
    """Fault 9.17: a, b, a, b are three changes with three ids; each of them told again has its own."""
    registry = Registries(fake, "shop/web:1")
    registry.answers["shop/web:1"] = has(1)
    registry.desk.poll()
    ids = []
    for number in (2, 1, 2, 1):
        registry.answers["shop/web:1"] = has(number)
        killed = registry.desk.poll(dies_after=1)
        emitted = registry.desk.poll()
        assert (told(emitted), emitted.ids) == (["shop/web:1"], killed.ids)
        ids += emitted.ids
    assert len(set(ids)) == 4
    assert registry.desk.poll().bodies == []
    note(registry, "9.17 a, b, a, b, a, each told twice", ["shop/web:1"] * 4)


def test_fault_9_17_three_outages_are_three_warnings(fake: FakeEngine) -> None:
    """Fault 9.17: each is told once, with an id of its own; the digest is kept."""
    registry = Registries(fake, "shop/web:1", "shop/db:1")
    registry.answers |= {"shop/web:1": has(1), "shop/db:1": has(1)}
    registry.desk.poll()
    ids = []
    for _ in range(3):
        registry.answers["shop/web:1"] = said(500, "received unexpected HTTP status: 502 Bad Gateway")
        emitted = registry.desk.poll()
        assert reasons(emitted) == ["failed"]
        assert "502 Bad Gateway" in emitted.bodies[0]["message"]
        ids += emitted.ids
        assert registry.desk.poll().bodies == []
        registry.answers["shop/web:1"] = has(1)
        assert registry.desk.poll().bodies == []
    assert len(set(ids)) == 3


def test_fault_9_10_with_a_rate_limit_each_reference_is_reached(fake: FakeEngine) -> None:
    """Fault 9.10: a registry that allows ten questions between two pauses is asked for 45 references in turn."""
    references = names(45)
    registry = Registries(fake, *references)
    left = [10]
    lock = threading.Lock()

    def limited(number: int) -> Any:
        with lock:
            left[0] -= 1
            allowed = left[0] >= 0
        return has(number) if allowed else said(500, "toomanyrequests: You have reached your pull rate limit")

    version = [1]
    for name in references:
        registry.answers[name] = lambda: limited(version[0])
    warnings = []
    found: list[str] = []
    for round_number in range(16):
        left[0] = 10
        if round_number == 6:
            version[0] = 2
        emitted = registry.desk.poll()
        warnings += reasons(emitted)
        found += told(emitted)
        left[0] = 10
        registry.desk.replay()
        fake.ring.now += FIRST_PAUSE
    assert sorted(found) == sorted(references)
    assert 1 <= warnings.count("rateLimited") <= 4  # once in each round of 45
    note(registry, "9.10 45 references of a registry that answers ten in a quarter of an hour", references)


def test_fault_9_10_a_reference_that_is_always_refused_does_not_hold_up_others(fake: FakeEngine) -> None:
    """Fault 9.10: so it is with a registry that refuses one of them for ever."""
    references = names(3)
    registry = Registries(fake, *references)
    registry.answers = {name: has(1) for name in references}
    registry.answers[references[1]] = said(429, "slow down")
    for _ in range(6):
        registry.desk.poll()
        fake.ring.now += FIRST_PAUSE * 64
    registry.answers |= {references[0]: has(2), references[2]: has(2)}
    found: list[str] = []
    for _ in range(6):
        found += told(registry.desk.poll())
        fake.ring.now += FIRST_PAUSE * 64
    assert sorted(found) == [references[0], references[2]]


def test_a_registry_that_refuses_is_left_alone_and_told_of_once(fake: FakeEngine) -> None:
    registry = Registries(fake, f"{OTHER}/a:1", "shop/web:1")
    registry.answers |= {f"{OTHER}/a:1": said(429, "slow down"), "shop/web:1": has(1)}
    first = registry.desk.poll()
    assert (reasons(first), first.bodies[0]["registry"]) == (["rateLimited"], OTHER)
    registry.asked()
    assert registry.desk.poll().bodies == []
    assert registry.asked() == ["shop/web:1"]
    fake.ring.now += FIRST_PAUSE
    assert registry.desk.poll().bodies == []
    assert f"{OTHER}/a:1" in registry.asked()
    fake.ring.now += FIRST_PAUSE
    registry.desk.poll()
    assert f"{OTHER}/a:1" not in registry.asked()


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}),
        (200, {"Descriptor": {}}),
        (200, {"Descriptor": {"digest": "sha256:nonsense"}}),
        (200, {"Descriptor": "none"}),
        (200, []),
        (200, "text"),
        said(500, "invalid checksum digest format"),
    ],
)
def test_fault_9_14_an_answer_without_a_digest_holds_up_nothing(fake: FakeEngine, answer: Any) -> None:
    """Fault 9.14, 8.21: it is told once, the others go on, and its place is kept."""
    registry = Registries(fake, "shop/odd:1", "shop/web:1")
    registry.answers |= {"shop/odd:1": has(1), "shop/web:1": has(1)}
    registry.desk.poll()
    registry.answers |= {"shop/odd:1": answer, "shop/web:1": has(2)}
    emitted = registry.desk.poll()
    assert (told(emitted), reasons(emitted)) == (["shop/web:1"], ["failed"])
    assert registry.desk.poll().bodies == []
    registry.answers["shop/odd:1"] = has(2)
    emitted = registry.desk.poll()
    assert (told(emitted), emitted.bodies[0]["previous"]) == (["shop/odd:1"], "0000000100000000")
    registry.desk.replay()
    note(registry, "9.14 an answer without a digest", ["shop/web:1", "shop/odd:1"])


def test_fault_9_14_a_registry_that_hangs_holds_up_no_other(
    fake: FakeEngine, release: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 9.14: its references are given up, the others are told, and it is asked again later."""
    monkeypatch.setattr(rounds, "LOOK_UP_SECONDS", 0.5)
    hanging = names(40)
    registry = Registries(fake, *hanging, "shop/web:1")
    registry.answers = {name: has(1) for name in registry.answers}
    registry.desk.poll()

    def hang() -> Any:
        release.wait(DEADLINE)
        return has(1)

    registry.answers |= dict.fromkeys(hanging, hang) | {"shop/web:1": has(2)}
    registry.asked()
    emitted = registry.desk.poll()
    assert (told(emitted), reasons(emitted)) == (["shop/web:1"], ["unreachable"])
    assert emitted.of("warning")[0]["registry"] == OTHER
    assert len(registry.asked()) < 40
    release.set()
    registry.answers |= {name: has(2) for name in hanging}
    found: list[str] = []
    for _ in range(5):
        found += told(registry.desk.poll())
        registry.desk.replay()
    assert sorted(found) == sorted(hanging)
    note(registry, "9.14 a registry that hangs, 40 references", [*hanging, "shop/web:1"])


def test_fault_8_21_what_is_no_reference_is_told_once_and_holds_up_nothing(fake: FakeEngine) -> None:
    """Fault 8.21, 9.14: with what to write instead."""
    registry = Registries(fake, "shop/web:1")
    registry.answers["shop/web:1"] = has(1)
    listed = ["shop/web:1", "https://shop.example.org/web:1", "Shop/web", "a:1 b:1"]
    emitted = registry.desk.poll(references=listed)
    assert reasons(emitted) == ["invalid"] * 3
    assert "Leave https:// out" in emitted.bodies[0]["message"]
    assert registry.desk.poll(references=listed).bodies == []
    registry.answers["shop/web:1"] = has(2)
    assert told(registry.desk.poll(references=listed)) == ["shop/web:1"]
    with pytest.raises(BadInput, match="Leave https:// out"):
        registry.desk.poll(references=listed[1])


def test_fault_9_19_the_local_image_is_the_measure_only_where_there_is_one(fake: FakeEngine) -> None:
    """Fault 9.19: an image that the engine does not have was told."""
    registry = Registries(fake, "shop/here:1", "shop/gone:1", compare="local")
    registry.answers |= {"shop/here:1": has(2), "shop/gone:1": has(2)}
    image = {"RepoDigests": [f"shop/here@{written(1)}"]}
    registry.local["shop/here:1"] = (200, image)
    emitted = registry.desk.poll()
    assert told(emitted) == ["shop/here:1"]
    assert (emitted.bodies[0]["local"], emitted.bodies[0]["localOutdated"]) == ([written(1)], True)
    assert registry.desk.poll().bodies == []
    registry.local["shop/here:1"] = (200, {"RepoDigests": [f"shop/here@{written(2)}"]})
    assert registry.desk.poll().bodies == []
    registry.local |= {"shop/here:1": (200, image), "shop/gone:1": (200, image)}
    assert sorted(told(registry.desk.poll())) == ["shop/gone:1", "shop/here:1"]
    registry.desk.replay()
    truth = ["shop/here:1", "shop/here:1", "shop/gone:1"]
    note(registry, "9.19 compared with the engine's own images", truth)


def test_fault_9_21_what_does_not_fit_is_refused_before_anything_is_asked(fake: FakeEngine) -> None:
    """Fault 9.21: 300 references were looked up in every poll, and then the snapshot was too small."""
    references = names(300)
    registry = Registries(fake, *references)
    with pytest.raises(CursorTooLarge):
        registry.desk.poll()
    assert registry.asked() == []


def test_fault_9_22_two_hundred_fit_into_the_snapshot_itself(fake: FakeEngine) -> None:
    references = names(175)
    registry = Registries(fake, *references)
    registry.answers = {name: has(1) for name in references}
    registry.desk.poll()
    assert size(registry.desk.snapshot) < LIMIT
    registry.answers[references[77]] = has(2)
    assert told(registry.desk.poll()) == [references[77]]
    registry.desk.replay()
    situation = f"9.22 snapshot of 175 references: {size(registry.desk.snapshot)} bytes"
    note(registry, situation, [references[77]])


def test_a_first_run_that_tells_all_there_is_reaches_every_reference(fake: FakeEngine) -> None:
    references = names(3)
    registry = Registries(fake, *references, startFrom="everything")
    registry.answers = {name: has(1) for name in references}
    registry.answers[references[2]] = said(429, "slow down")
    found = told(registry.desk.poll())
    registry.answers[references[2]] = has(1)
    fake.ring.now += FIRST_PAUSE
    found += told(registry.desk.poll())
    assert sorted(found) == references
    assert registry.desk.poll().bodies == []


def test_a_snapshot_of_version_1_0_is_read(fake: FakeEngine) -> None:
    registry = Registries(fake, "shop/web:1", "shop/db:1")
    registry.answers |= {"shop/web:1": has(2), "shop/db:1": has(1)}
    known = digits(int(written(1)[7:23], 16), 11) + "o"
    old = {
        "references": "".join(mark(name, 6) + known for name in registry.answers),
        "registries": mark("docker.io", 6) + digits(1000, 6) + digits(0, 6) + digits(0, 1),
    }
    registry.desk.snapshot = json.loads(json.dumps({"v": 1, "trigger": KEY, "engine": "", **old}))
    assert told(registry.desk.poll()) == ["shop/web:1"]
    assert registry.desk.poll().bodies == []


def test_fault_9_22_two_thousand_references_with_a_storage_for_objects(
    fake: FakeEngine, tmp_path: Path
) -> None:
    """Fault 9.22: a change of any of them is told."""
    references = [*names(1000), *names(1000, "third.example.org")]
    registry = Registries(fake, *references)
    registry.desk.states = FolderStates(str(tmp_path / "states"))
    registry.desk.poll()
    assert sorted(registry.asked()) == sorted(references)
    registry.answers[references[1777]] = has(2)
    assert told(registry.desk.poll()) == [references[1777]]
    (stored, *_) = sorted(file.stat().st_size for file in (tmp_path / "states").iterdir())
    registry.desk.replay()
    note(registry, f"9.22 2,000 references in an object of {stored} bytes", [references[1777]])
