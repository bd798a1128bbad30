"""What the trigger imageUpdated makes of registries of all kinds, on real engines, old and new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.old_and_new_engine import engine
from tests.integration.trigger_lab import desk, engines_closed
from tests.lab.engine import LabEngine
from tests.lab.ports import HeldPort
from tests.lab.scripted_registry import Answer, ScriptedRegistry, error, image
from tests.triggers.poll_harness import PollHarness
from tests.triggers.table import record

__all__ = ["engine", "engines_closed"]
pytestmark = pytest.mark.engine
KEY = "imageUpdated"


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[str]) -> None:
    """A row of the table, with the references that were changed."""
    told = step.told(lambda body: body["reference"])
    record(KEY, engine.version, situation, told=told, truth=truth, gap=step.gap)


@pytest.fixture
def registry(engine: LabEngine) -> Iterator[ScriptedRegistry]:
    begun = ScriptedRegistry(engine.namespace)
    yield begun
    begun.close()


def test_fault_9_17_a_digest_that_comes_back_is_another_change(
    engine: LabEngine, registry: ScriptedRegistry
) -> None:
    """Fault 9.17: with the digests of the registry as the truth."""
    first, second = image("a"), image("b")
    reference = registry.put("shop/web:1", first)
    step = desk("image_updated", engine, references=reference, minutes="0")
    step.poll()
    ids, told = [], []
    for answer in (second, first, second, first):
        registry.put("shop/web:1", answer)
        killed = step.poll(dies_after=1)
        emitted = step.poll()
        assert killed.ids == emitted.ids
        ids += emitted.ids
        told += [body["digest"] for body in emitted.of("updated")]
    assert told == [second.digest, first.digest] * 2
    assert len(set(ids)) == 4
    digests = step.told(lambda body: body["digest"])
    truth = [second.digest, first.digest] * 2
    record(KEY, engine.version, "9.17 a, b, a, b, a", told=digests, truth=truth)


def test_fault_9_19_what_a_registry_says_is_told_as_what_it_is(
    engine: LabEngine, registry: ScriptedRegistry
) -> None:
    """Fault 9.19, 9.14, 8.21: names are not read as statuses, each says why, and the good one goes on."""
    broken = Answer(500, b"the disk is full", "text/plain")
    upper = image("upper")
    meanings = {
        registry.put("app:429", broken): "failed",
        registry.put("app:2.0.404", broken): "failed",
        registry.put("401/app:1", broken): "failed",
        registry.put("denied/unauthorized:1", broken): "failed",
        registry.put("page:1", Answer(200, b"<html>hello</html>", "text/html")): "failed",
        registry.put("upper:1", upper._replace(digest=upper.digest.upper())): "failed",
        registry.put("secret:1", error(401, "UNAUTHORIZED", "authentication required")): "unauthorized",
        registry.put("forbidden:1", error(403, "DENIED", "requested access is denied")): "unauthorized",
        f"{registry.address}/gone:1": "notFound",
    }
    good = registry.put("good:1", image("one"))
    step = desk("image_updated", engine, references=[*meanings, good], minutes="0")
    emitted = step.poll()
    told = {body["reference"]: body["reason"] for body in emitted.of("warning")}
    texts = {body["reference"]: body["message"] for body in emitted.of("warning")}
    upper_name = f"{registry.address}/upper:1"
    if upper_name not in told:  # engines that make the digest themselves
        del meanings[upper_name]
    assert told == meanings, texts
    assert all("The engine says: " in text for text in texts.values()), texts
    registry.put("good:1", image("two"))
    emitted = step.poll()
    assert [body["reference"] for body in emitted.bodies] == [good]
    step.replay()
    note(step, engine, "9.19 nine references that fail, one goes on", [good])


def test_fault_9_19_a_registry_that_is_not_there_is_unreachable(
    engine: LabEngine, registry: ScriptedRegistry
) -> None:
    """Fault 9.19: told once, of the registry."""
    good = registry.put("good:1", image("one"))
    with HeldPort(engine.namespace) as port:
        address = f"127.0.0.1:{port.number}"
        references = [f"{address}/app:{number}" for number in (429, 404)]
        step = desk("image_updated", engine, references=[*references, good], minutes="0")
        emitted = step.poll()
        assert [(body["reason"], body["registry"]) for body in emitted.bodies] == [("unreachable", address)]
        registry.put("good:1", image("two"))
        assert [body["reference"] for body in step.poll().bodies] == [good]
        step.replay()
        note(step, engine, "9.19 a registry that is not there, another goes on", [good])


def test_fault_9_10_a_registry_that_refuses_is_left_alone(
    engine: LabEngine, registry: ScriptedRegistry
) -> None:
    """Fault 9.10: another one goes on."""
    refused = registry.put("many:1", error(429, "TOOMANYREQUESTS", "toomanyrequests: slow down"))
    other = ScriptedRegistry(engine.namespace)
    good = other.put("good:1", image("one"))
    step = desk("image_updated", engine, references=[refused, good], minutes="0")
    emitted = step.poll()
    assert [(body["reason"], body["registry"]) for body in emitted.bodies] == [
        ("rateLimited", registry.address)
    ]
    registry.asked.clear()
    other.put("good:1", image("two"))
    assert [body["reference"] for body in step.poll().bodies] == [good]
    assert registry.asked == []
    step.replay()
    note(step, engine, "9.10 a registry that refuses, another goes on", [good])
    other.close()
