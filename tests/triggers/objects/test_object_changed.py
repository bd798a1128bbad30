"""The trigger objectChanged on an engine whose lists the test writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.engine.errors import EngineFault
from lib.sailor.standalone.folder import FolderStates
from lib.trigger.cursor import CursorTooLarge
from lib.trigger.marks.compact import mark
from lib.trigger.marks.markset import identity_mark, packed
from tests.triggers.fake_engine import FakeEngine
from tests.triggers.poll_harness import Emitted, PollHarness
from tests.triggers.table import record

KEY = "objectChanged"


class Lists:
    """What the engine has; `desk` watches it."""

    def __init__(self, fake: FakeEngine, **fields: Any) -> None:
        self.images: list[Any] = []
        self.volumes: list[Any] = []
        self.networks: list[Any] = []
        self.services: list[Any] = []
        self.warnings: list[str] | None = None
        fake.routes["/images/json"] = lambda _: (200, self.images)
        fake.routes["/volumes"] = lambda _: (200, {"Volumes": self.volumes, "Warnings": self.warnings})
        fake.routes["/networks"] = lambda _: (200, self.networks)
        fake.routes["/services"] = lambda _: (200, self.services)
        fake.routes["/swarm"] = lambda _: (200, {"ID": "swarm-one"})
        self.desk = PollHarness("object_changed", {**fake.config, **fields})


def image(name: str, *tags: str) -> dict[str, Any]:
    return {"Id": f"sha256:{name}", "RepoTags": list(tags), "Created": 1_700_000_000}


def volume(name: str, driver: str = "local", born: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {"Name": name, "Driver": driver, "CreatedAt": born, "Scope": "local"}


def network(name: str, identity: str) -> dict[str, Any]:
    return {"Name": name, "Id": identity, "Driver": "bridge", "Created": "2026-01-01T00:00:00Z"}


def service(name: str, index: int, made: str, changed: str) -> dict[str, Any]:
    version = {"Index": index}
    return {"ID": name, "Version": version, "CreatedAt": made, "UpdatedAt": changed, "Spec": {"Name": name}}


def what(body: dict[str, Any]) -> tuple[str, str]:
    return body["change"], body["name"]


def told(emitted: Emitted) -> list[tuple[str, str]]:
    return [what(body) for body in emitted.of("object")]


def note(lists: Lists, situation: str, truth: list[tuple[str, str]]) -> None:
    """A row of the table, with what the lists had that they did not have before."""
    record(KEY, "fake", situation, told=lists.desk.told(what), truth=truth, gap=lists.desk.gap)


def test_fault_9_9_a_new_tag_is_seen_whatever_its_mark_begins_with(fake: FakeEngine) -> None:
    """Fault 9.9: marks of twelve bits take two of about a hundred lists of tags for the same."""
    seen: dict[str, str] = {}
    number = 0
    while (short := mark([f"app:{number}"], 2)) not in seen:
        seen[short] = f"app:{number}"
        number += 1
    lists = Lists(fake)
    lists.images = [image("one", seen[short])]
    lists.desk.poll()
    lists.images = [image("one", f"app:{number}")]
    assert told(lists.desk.poll()) == [("changed", f"app:{number}")]
    lists.desk.replay()
    situation = "9.9 a tag whose mark begins like that of the one before"
    note(lists, situation, [("changed", f"app:{number}")])


def test_fault_9_17_the_same_change_again_has_another_id(fake: FakeEngine) -> None:
    """Fault 9.17: tag, untag, tag are three changes; each of them told again is the same."""
    lists = Lists(fake)
    bare, tagged = [image("one", "app:1")], [image("one", "app:1", "app:2")]
    lists.images = bare
    lists.desk.poll()
    ids = []
    for now in (tagged, bare, tagged):
        lists.images = now
        killed = lists.desk.poll(dies_after=1)
        again = lists.desk.poll()
        assert again.ids == killed.ids
        ids += again.ids
    assert len(set(ids)) == 3
    assert lists.desk.poll().bodies == []
    changes = lists.desk.told(lambda body: body["change"])
    record(KEY, "fake", "9.17 tag, untag, tag, each told twice", told=changes, truth=["changed"] * 3)


def test_fault_9_16_a_driver_that_is_down_makes_no_volume_new(fake: FakeEngine) -> None:
    """Fault 9.16: a list with warnings is not whole; what it leaves out is still known when it is back."""
    lists = Lists(fake)
    whole = [volume("here"), volume("there", "nfs")]
    lists.volumes = whole
    lists.desk.poll()
    lists.volumes, lists.warnings = [volume("here"), volume("new")], ["driver nfs: connection refused"]
    emitted = lists.desk.poll()
    assert told(emitted) == [("created", "new")]
    (warning,) = emitted.of("warning")
    assert (warning["reason"], "connection refused" in warning["message"]) == ("volumesMissing", True)
    assert lists.desk.poll().bodies == []
    lists.volumes, lists.warnings = [*whole, volume("there too", "nfs")], None
    assert told(lists.desk.poll()) == [("created", "there too")]
    lists.desk.replay()
    note(lists, "9.16 a volume driver down and up again", [("created", "new"), ("created", "there too")])


def test_fault_9_16_a_driver_that_is_down_at_first_makes_no_volume_new(fake: FakeEngine) -> None:
    """Fault 9.16: so also when the first list is not whole."""
    lists = Lists(fake)
    lists.volumes, lists.warnings = [volume("here")], ["driver nfs: connection refused"]
    lists.desk.poll()
    lists.volumes.append(volume("new"))
    assert told(lists.desk.poll()) == [("created", "new")]
    lists.volumes, lists.warnings = [volume("here"), volume("there", "nfs")], None
    assert lists.desk.poll().bodies == []
    lists.volumes = [*lists.volumes, volume("there too", "nfs")]
    assert told(lists.desk.poll()) == [("created", "there too")]


def test_volumes_forgotten_by_a_list_that_is_not_whole_are_only_those_of_other_drivers(
    fake: FakeEngine,
) -> None:
    """A local volume cannot be missing: made again while another driver is down, it is new."""
    lists = Lists(fake)
    lists.volumes = [volume("here")]
    lists.desk.poll()
    lists.volumes, lists.warnings = [], ["driver nfs: connection refused"]
    lists.desk.poll()
    lists.volumes = [volume("here")]
    assert told(lists.desk.poll()) == [("created", "here")]


def test_fault_9_16_the_time_of_a_local_volume_does_not_count_where_it_moves(fake: FakeEngine) -> None:
    """Fault 9.16: below API 1.45 the CreatedAt of a volume moves with its content."""
    lists = Lists(fake)
    lists.volumes = [volume("used")]
    lists.desk.poll()
    lists.volumes = [volume("used", born="2026-01-01T00:00:07Z")]
    assert lists.desk.poll().bodies == []


def test_fault_9_16_the_engines_own_networks_are_never_new(fake: FakeEngine) -> None:
    """Fault 9.16: the network bridge has another id after each start of the engine."""
    lists = Lists(fake)
    lists.networks = [network("bridge", "a1"), network("mine", "b1")]
    lists.desk.poll()
    lists.networks = [network("bridge", "a2"), network("mine", "b2")]
    assert told(lists.desk.poll()) == [("created", "mine")]


def test_fault_9_16_a_new_service_that_the_swarm_changed_at_once_is_created(fake: FakeEngine) -> None:
    """Fault 9.16: one with a published port gets its address after it was made."""
    lists = Lists(fake, kinds=["services"])
    early, later, latest = (f"2026-01-01T00:00:0{second}.000000001Z" for second in (1, 2, 3))
    old = service("old", 5, early, early)
    lists.services = [old]
    lists.desk.poll()
    lists.services = [service("old", 9, early, latest), service("new", 8, later, latest)]
    assert told(lists.desk.poll()) == [("created", "new"), ("changed", "old")]


def test_fault_9_15_a_list_that_fails_does_not_hold_up_the_others(fake: FakeEngine) -> None:
    """Fault 9.15: told once; its place is kept."""
    lists = Lists(fake)
    lists.volumes = [volume("here")]
    lists.desk.poll()
    well = fake.routes["/volumes"]
    fake.routes["/volumes"] = lambda _: (500, {"message": "a driver is broken"})
    lists.images = [image("one", "app:1")]
    emitted = lists.desk.poll()
    assert told(emitted) == [("created", "app:1")]
    assert [body["reason"] for body in emitted.of("warning")] == ["objectFailed"]
    assert lists.desk.poll().bodies == []
    fake.routes["/volumes"] = well
    lists.volumes = [volume("here"), volume("new")]
    assert told(lists.desk.poll()) == [("created", "new")]
    lists.desk.replay()
    note(lists, "9.15 one list fails", [("created", "app:1"), ("created", "new")])


@pytest.mark.parametrize("odd", [None, 7, "text", {}, {"Id": None}, {"RepoTags": 5, "Id": "x"}])
def test_fault_9_15_an_entry_that_is_none_is_told_once(fake: FakeEngine, odd: Any) -> None:
    """Fault 9.15: and times that a driver of volumes makes up are no reason to stop."""
    lists = Lists(fake)
    lists.desk.poll()
    lists.images = [odd, image("one", "app:1")]
    lists.volumes = [volume("odd", "nfs", "yesterday"), volume("none", "nfs", "")]
    emitted = lists.desk.poll()
    assert {name for _, name in told(emitted)} == {"app:1", "odd", "none"}
    assert [body["reason"] for body in emitted.of("warning")] == ["objectFailed"]
    assert lists.desk.poll().bodies == []


def test_a_snapshot_of_version_1_0_is_read(fake: FakeEngine) -> None:
    """The marks were written by version 1.0 for app:1, an image without a name, and the volume here."""
    lists = Lists(fake)
    old = {"seen": {"images": "w92RkmIgbQyvT1", "volumes": "_wyeQT1"}, "index": {}, "cluster": "", "at": 5}
    lists.desk.snapshot = {"v": 1, "trigger": KEY, "engine": "", **old}
    lists.images = [image("one", "app:2"), image("two"), image("three")]
    lists.volumes = [volume("here"), volume("new")]
    well = fake.routes["/volumes"]
    fake.routes["/volumes"] = lambda _: (500, {"message": "a driver is broken"})
    with pytest.raises(EngineFault):  # a place in the old form is not given up for a list that fails
        lists.desk.poll()
    fake.routes["/volumes"] = well
    assert sorted(told(lists.desk.poll())) == [
        ("changed", "app:2"),
        ("created", "new"),
        ("created", "sha256:three"),
    ]
    assert lists.desk.poll().bodies == []
    lists.images = [image("one", "app:3"), image("two"), image("three")]
    assert told(lists.desk.poll()) == [("changed", "app:3")]


def test_fault_9_21_what_does_not_fit_is_told_to_choose_fewer_kinds(fake: FakeEngine) -> None:
    """Fault 9.21: a filter by name does not make the marks fewer, and is not advised."""
    lists = Lists(fake)
    lists.volumes = [volume(f"data-{number}") for number in range(900)]
    with pytest.raises(CursorTooLarge, match="Choose fewer kinds"):
        lists.desk.poll()
    assert len(packed({identity_mark(number): 0 for number in range(620)}, details=False)) < 3600


def test_fault_9_22_two_thousand_objects_with_a_storage_for_objects(fake: FakeEngine, tmp_path: Path) -> None:
    """Fault 9.22: and each change among them is told."""
    lists = Lists(fake)
    lists.desk.states = FolderStates(str(tmp_path / "states"))
    lists.images = [image(f"i{number}", f"app:{number}") for number in range(2000)]
    lists.volumes = [volume(f"v{number}") for number in range(2000)]
    lists.networks = [network(f"n{number}", f"id{number}") for number in range(2000)]
    lists.desk.poll()
    assert lists.desk.poll().bodies == []
    lists.images[77] = image("i77", "app:new")
    lists.volumes.append(volume("new"))
    assert told(lists.desk.poll()) == [("changed", "app:new"), ("created", "new")]
    (stored, *_) = sorted(file.stat().st_size for file in (tmp_path / "states").iterdir())
    lists.desk.replay()
    situation = f"9.22 6,000 objects in an object of {stored} bytes"
    note(lists, situation, [("changed", "app:new"), ("created", "new")])
