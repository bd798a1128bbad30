"""Which containers the triggers select on a real engine: names beside those of links, images whose tag moved on."""

from __future__ import annotations

from typing import Any

import pytest

from lib.trigger import dropdowns as selection
from tests.integration.trigger_lab import config, desk, engines_closed, own_engine, settled
from tests.lab.engine import LabEngine
from tests.triggers.poll_harness import Emitted
from tests.triggers.table import record

__all__ = ["engines_closed", "own_engine"]
pytestmark = pytest.mark.engine
TOUCHED = ["sh", "-c", "echo line; sleep 0.1; exit 3"]


@pytest.fixture
def clean(own_engine: LabEngine) -> Any:
    yield own_engine
    for entry in own_engine.wire.do("GET", "/containers/json", all=True).json():
        own_engine.remove(entry["Id"])


def what(body: dict[str, Any]) -> tuple[str, str]:
    return body["change"], body["container"]["name"]


def told(emitted: Emitted) -> list[tuple[str, str]]:
    return [what(body) for body in emitted.of("change")]


def move_tag(engine: LabEngine, name: str) -> None:
    """Let a reference name another image, as a pull of a moving tag does."""
    made = engine.wire.do("POST", "/containers/create", {"Image": name, "Cmd": ["true"]}).json()["Id"]
    repository, _, tag = name.rpartition(":")
    engine.wire.do("POST", "/commit", container=made, repo=repository, tag=tag, comment="another")
    engine.remove(made)


def test_fault_9_3_a_container_stays_selected_when_its_tag_moves(clean: LabEngine) -> None:
    image = clean.import_image("moving:1")
    container = clean.create(TOUCHED, name="kept", Image=image)
    steps = [desk("container_state_changed", clean, images=[pattern]) for pattern in ("moving:1", "moving")]
    logs = desk("container_logs", clean, images=["moving:1"])
    for step in (*steps, logs):
        step.poll()
    move_tag(clean, image)
    (entry,) = clean.wire.do("GET", "/containers/json", all=True).json()
    assert entry["Image"].startswith("sha256:")
    clean.wire.do("POST", f"/containers/{container}/start")
    clean.wait(container)
    for step in steps:
        emitted = step.poll()
        step.replay()
        assert told(emitted) == [("crashed", "kept")]
        assert emitted.bodies[0]["container"]["image"] == "moving:1"
    settled()
    assert [body["text"] for body in logs.poll().of("line")] == ["line"]
    logs.replay()
    other = desk("container_state_changed", clean, images=["other"])
    other.poll()
    clean.remove(container)
    for step in steps:
        assert told(step.poll()) == [("removed", "kept")]
        step.replay()
    assert told(other.poll()) == []
    situation, truth = "9.3 image filter, the tag moves on", [("crashed", "kept"), ("removed", "kept")]
    for step in steps:
        record("containerStateChanged", clean.version, situation, told=step.told(what), truth=truth)
    lines = logs.told(lambda body: body["text"])
    record("containerLogs", clean.version, situation, told=lines, truth=["line"])


def test_fault_9_4_a_linked_container_has_its_own_name(clean: LabEngine) -> None:
    database = clean.run(name="db")
    clean.run(name="aweb", HostConfig={"Links": ["db:db"]})
    (entry,) = (one for one in clean.wire.do("GET", "/containers/json").json() if one["Id"] == database)
    assert "/aweb/db" in entry["Names"]
    step = desk("container_state_changed", clean, names="db")
    step.poll()
    clean.wire.do("POST", f"/containers/{database}/kill")
    clean.wait(database)
    assert told(step.poll()) == [("crashed", "db")]
    step.replay()
    assert sorted(selection.containers(None, config(clean))) == ["aweb", "db"]
    situation, truth = "9.4 a name beside that of a link", [("crashed", "db")]
    record("containerStateChanged", clean.version, situation, told=step.told(what), truth=truth)
