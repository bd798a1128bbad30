"""The image of a service: its tag is bound to the digest of the registry, which counts when a job comes again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.sailor.message.ids import random_id
from tests.actions.stepping import run_step
from tests.jobs.engines import config
from tests.jobs.swarms import inspected, made, running, service, swarm
from tests.jobs.test_ensure_image import publish
from tests.jobs.test_rollout_service import brief, rollout
from tests.lab.engine import LabEngine
from tests.lab.registry import Registry, RegistryError
from tests.lab.skipping import missing

__all__ = ["service", "swarm"]
pytestmark = pytest.mark.engine
COMMAND = {"TaskTemplate": {"ContainerSpec": {"Command": ["sleep", "600"]}}}


@pytest.fixture
def shelf(swarm: LabEngine) -> Iterator[Registry]:
    """A registry beside the engine."""
    try:
        registry = Registry(swarm)
    except RegistryError as problem:
        missing(str(problem))
    yield registry
    registry.close()


def image(engine: LabEngine, name: str) -> str:
    return str(inspected(engine, name)["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])


def ensure(engine: LabEngine, name: str, reference: str, **fields: Any) -> dict[str, Any]:
    body = {"name": name, "image": reference, "spec": COMMAND, **fields}
    found = run_step("EnsureService", body, config(engine)).body
    assert isinstance(found, dict)
    return found


def test_trap_17_the_same_tag_after_a_push_succeeds_with_new_tasks(
    swarm: LabEngine, service: str, shelf: Registry
) -> None:
    made(swarm, service)
    tag = f"app-{random_id()}:1"
    full = publish(swarm, shelf, tag)
    assert brief(rollout(swarm, service, image=full)) == ("converged", True, 1, 1)
    first, before = image(swarm, service), running(swarm, service)
    assert first.startswith(f"{full}@sha256:")
    assert brief(rollout(swarm, service, image=full)) == ("unchanged", False, 1, 1)
    publish(swarm, shelf, tag)
    # Who does not ask the registry sees no difference, and keeps the digest.
    assert rollout(swarm, service, image=full, resolveDigest=False, wait=False)["outcome"] == "unchanged"
    body = rollout(swarm, service, image=full)
    assert brief(body) == ("converged", True, 1, 1)
    assert (body["before"]["image"], body["after"]["image"]) == (first, image(swarm, service))
    assert image(swarm, service) != first
    assert set(before).isdisjoint(running(swarm, service))
    # A registry that is away changes nothing.
    shelf.close()
    body = rollout(swarm, service, image=full)
    assert (body["outcome"], len(body["warnings"])) == ("unchanged", 1)


@pytest.mark.shows("EnsureService", "succeeds", "repeat")
def test_a_service_is_made_with_the_digest(swarm: LabEngine, service: str, shelf: Registry) -> None:
    tag = f"app-{random_id()}:1"
    full = publish(swarm, shelf, tag)
    assert [ensure(swarm, service, full)["action"] for _ in range(2)] == ["created", "none"]
    first = image(swarm, service)
    assert first.startswith(f"{full}@sha256:")
    publish(swarm, shelf, tag)
    assert ensure(swarm, service, full, resolveDigest=False)["action"] == "none"
    assert [ensure(swarm, service, full)["action"] for _ in range(2)] == ["updated", "none"]
    assert image(swarm, service) != first
    shelf.close()
    body = ensure(swarm, service, full)
    assert (body["action"], len(body["warnings"])) == ("none", 1)
