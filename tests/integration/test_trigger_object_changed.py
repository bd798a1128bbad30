"""The trigger objectChanged on real engines, old and new."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.old_and_new_engine import engine
from tests.integration.trigger_lab import desk, engines_closed
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

__all__ = ["engine", "engines_closed"]
pytestmark = pytest.mark.engine
KEY = "objectChanged"
INIT = {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"}


def what(body: dict[str, Any]) -> tuple[str, str, str]:
    return body["type"], body["change"], body["name"]


def told(emitted: Emitted) -> list[tuple[str, str, str]]:
    return [what(body) for body in emitted.of("object")]


def note(step: PollHarness, engine: LabEngine, situation: str, truth: list[tuple[str, str, str]]) -> None:
    """A row of the table, with what was made and changed."""
    record(KEY, engine.version, situation, told=step.told(what), truth=truth, gap=step.gap)


def born(engine: LabEngine, name: str) -> str:
    time: str = engine.wire.do("GET", f"/volumes/{name}").json()["CreatedAt"]
    return time


def test_fault_9_16_a_volume_in_use_is_not_new_again(engine: LabEngine) -> None:
    """Fault 9.16: on 20.10 the CreatedAt of a volume is the time of the last change in it."""
    step = desk("object_changed", engine)
    step.poll()
    engine.wire.do("POST", "/volumes/create", {"Name": "used"})
    assert told(step.poll()) == [("volume", "created", "used")]
    step.replay()
    at_first = born(engine, "used")
    writing = ["sh", "-c", "while true; do touch /data/$RANDOM$RANDOM; sleep 0.3; done"]
    container = engine.run(writing, HostConfig={"Binds": ["used:/data"]})
    if engine.version.startswith("20."):
        wait_until(lambda: born(engine, "used") != at_first, "the volume's time to move")
    assert told(step.poll()) == []
    step.replay()
    engine.remove(container)
    engine.wire.do("DELETE", "/volumes/used")
    note(step, engine, "9.16 a volume in use", [("volume", "created", "used")])


def test_a_volume_made_again_under_its_name_is_new_where_times_stand(engine: LabEngine) -> None:
    if engine.version.startswith("20."):
        pytest.skip("its times move with the content of volumes")
    step = desk("object_changed", engine)
    engine.wire.do("POST", "/volumes/create", {"Name": "again"})
    at_first = born(engine, "again")
    step.poll()

    def made_again() -> bool:
        engine.wire.do("DELETE", "/volumes/again")
        engine.wire.do("POST", "/volumes/create", {"Name": "again"})
        return born(engine, "again") != at_first

    wait_until(made_again, "another second")
    assert told(step.poll()) == [("volume", "created", "again")]
    engine.wire.do("DELETE", "/volumes/again")


def test_fault_9_16_a_restart_of_the_engine_makes_nothing_new(engine: LabEngine) -> None:
    """Fault 9.16: the network bridge has another id after it."""
    step = desk("object_changed", engine)
    step.poll()
    engine.stop()
    engine.start()
    assert step.poll().bodies == []
    step.replay()
    note(step, engine, "9.16 the engine was started again", [])


def test_fault_9_16_a_new_service_with_a_published_port_is_created(engine: LabEngine) -> None:
    """Fault 9.16: the swarm gives it an address after it was made, which is no change of anybody's."""
    engine.wire.do("POST", "/swarm/init", INIT)
    step = desk("object_changed", engine, kinds=["services"])
    step.poll()
    spec: dict[str, Any] = {
        "Name": "web",
        "TaskTemplate": {"ContainerSpec": {"Image": engine.image, "Command": ["sleep", "600"]}},
        "Mode": {"Replicated": {"Replicas": 0}},
        "EndpointSpec": {"Ports": [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 18080}]},
    }
    engine.wire.do("POST", "/services/create", spec)

    def addressed() -> Any:
        return engine.wire.do("GET", "/services/web").json()["Endpoint"].get("Ports")

    wait_until(addressed, "the port")
    assert told(step.poll()) == [("service", "created", "web")]
    step.replay()
    version = engine.wire.do("GET", "/services/web").json()["Version"]["Index"]
    engine.wire.do("POST", "/services/web/update", {**spec, "Labels": {"team": "shop"}}, version=version)
    assert told(step.poll()) == [("service", "changed", "web")]
    step.replay()
    engine.wire.do("POST", "/swarm/leave", force=True)
    changes = [("service", change, "web") for change in ("created", "changed")]
    note(step, engine, "9.16 a service with a published port", changes)


def test_fault_9_17_tag_untag_tag_are_three_changes(engine: LabEngine) -> None:
    """Fault 9.17: with three ids, and each told again with its own."""
    step = desk("object_changed", engine)
    step.poll()
    ids = []
    for method, path, query in (
        ("POST", f"/images/{engine.image}/tag", {"repo": "again", "tag": "1"}),
        ("DELETE", "/images/again:1", {}),
        ("POST", f"/images/{engine.image}/tag", {"repo": "again", "tag": "1"}),
    ):
        engine.wire.do(method, path, **query)
        killed = step.poll(dies_after=1)
        emitted = step.poll()
        assert [change for _, change, _ in told(emitted)] == ["changed"]
        assert killed.ids == emitted.ids
        ids += emitted.ids
    assert len(set(ids)) == 3
    engine.wire.do("DELETE", "/images/again:1")
    changes = step.told(lambda body: body["change"])
    record(KEY, engine.version, "9.17 tag, untag, tag", told=changes, truth=["changed"] * 3)
