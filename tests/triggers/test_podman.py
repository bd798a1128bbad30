"""Triggers on Podman: what docs/podman.md says works is shown at work, between two polls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lib.engine.errors import NoSuchOperation
from lib.metadata import words
from lib.metadata.podman import LACKING, Podman
from lib.sailor.message.ids import random_id
from tests.integration.trigger_lab import engines_closed, settled
from tests.lab.podman import PodmanService
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import PollHarness

__all__ = ["engines_closed"]

PODMAN = Podman.load()
# Trigger -> what it is asked, and what a message of it says.
SHOWN: dict[str, tuple[str, dict[str, Any], str]] = {
    "containerLogs": ("container_logs", {}, "line"),
    "containerStateChanged": ("container_state_changed", {}, "change"),
    "objectChanged": ("object_changed", {}, "object"),
    "diskUsage": ("disk_usage", {"volumesGigabytes": "0.001"}, "threshold"),
    "resourceThreshold": ("resource_threshold", {"memoryPercent": "0.1"}, "threshold"),
}
NOT_THERE = ("engineEvents", "imageUpdated", "taskFailed")
WORK = "echo hello; head -c 3000000 /dev/zero > /data/x; sleep 600"


@pytest.fixture
def name(podman_service: PodmanService) -> Iterator[str]:
    name = f"pod-{random_id()[:8]}"
    yield name
    podman_service.wire.ask("DELETE", f"/containers/{name}", force="true", v="true")
    podman_service.wire.ask("DELETE", f"/volumes/{name}")


@pytest.mark.parametrize("key", SHOWN)
def test_a_trigger_tells_what_happened_between_two_polls(
    podman_service: PodmanService, name: str, key: str
) -> None:
    """Podman gives another id in each answer: a position was taken for that of another engine at every poll."""
    module, fields, kind = SHOWN[key]
    wire = podman_service.wire
    step = PollHarness(module, {"server": "2", "otherServer": podman_service.url, **fields})
    emitted = [*step.poll().bodies]
    wire.do("POST", "/volumes/create", {"Name": name})
    host = {"Memory": 20_000_000, "Binds": [f"{name}:/data"]}
    body = {
        "Image": podman_service.image,
        "Cmd": ["sh", "-c", WORK],
        "StopSignal": "SIGKILL",
    }
    wire.do("POST", "/containers/create", {**body, "HostConfig": host}, name=name)
    wire.do("POST", f"/containers/{name}/start")
    wait_until(lambda: written(podman_service, name), "the volume to be written")
    settled()
    for _ in range(3):
        emitted += step.poll().bodies
    assert {told["kind"] for told in emitted} == {kind}
    if key in ("containerLogs", "containerStateChanged"):
        assert {told["container"]["name"] for told in emitted} == {name}


def written(service: PodmanService, volume: str) -> bool:
    told = service.wire.do("GET", "/system/df").json()["Volumes"]
    return any(one["Name"] == volume and one["UsageData"]["Size"] > 2_000_000 for one in told)


def test_events_are_not_told(podman_service: PodmanService, name: str) -> None:
    """When this fails, newer ones tell them: docs/podman.md can say so."""
    step = PollHarness("engine_events", {"server": "2", "otherServer": podman_service.url})
    step.poll()
    podman_service.wire.do("POST", "/volumes/create", {"Name": name})
    settled()
    assert name not in str(step.poll().bodies)


def test_registries_cannot_be_asked(podman_service: PodmanService) -> None:
    config = {"server": "2", "otherServer": podman_service.url, "references": "busybox:local"}
    told = PollHarness("image_updated", config).poll()
    assert [body["kind"] for body in told.bodies] == ["warning"]


def test_there_is_no_swarm(podman_service: PodmanService) -> None:
    with pytest.raises(NoSuchOperation):
        PollHarness("task_failed", {"server": "2", "otherServer": podman_service.url}).poll()


def test_the_page_says_what_is_shown_here() -> None:
    keys = [key for key in words.load().triggers if key != "startFlow"]
    stated = {key: PODMAN.state("triggers", key)[0] == LACKING for key in keys}
    assert stated == {**dict.fromkeys(SHOWN, False), **dict.fromkeys(NOT_THERE, True)}
