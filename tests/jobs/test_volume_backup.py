"""BackupVolume and RestoreVolume on real engines: there and back, and what is never lost."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.engines import own
from tests.jobs.places import Place, tar_of, unpacked
from tests.lab.engine import LabEngine
from tests.lab.waiting import wait_until

__all__ = ["own"]
pytestmark = pytest.mark.engine
BACKUP, RESTORE = "BackupVolume", "RestoreVolume"


def files() -> bytes:
    target = io.BytesIO(
        tar_of(("a", b"1"), ("dir", None), ("dir/b", b"22"), ("far", "/etc/passwd"), owner=70, mode=0o640)
    )
    with tarfile.open(fileobj=target, mode="a") as archive:
        pipe = tarfile.TarInfo("pipe")
        pipe.type, pipe.mode = tarfile.FIFOTYPE, 0o600
        archive.addfile(pipe)
        hard = tarfile.TarInfo("hard")
        hard.type, hard.linkname = tarfile.LNKTYPE, "a"
        archive.addfile(hard)
    return target.getvalue()


FILES = files()
Members = dict[str, tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Place:
    return Place(own, tmp_path)


def facts(members: Members, *without: str) -> dict[str, Any]:
    """What a restore must keep of each member."""
    return {
        name: (info.type, info.mode & 0o7777, info.uid, info.gid, info.linkname, data)
        for name, (info, data) in members.items()
        if name not in without
    }


@contextmanager
def user(place: Place, volume: str, name: str) -> Iterator[str]:
    mount = {"Type": "volume", "Source": volume, "Target": "/data"}
    made = place.engine.run(name=name, HostConfig={"Mounts": [mount]})
    try:
        yield made
    finally:
        place.engine.remove(made)


def state(place: Place, container: str) -> str:
    told: str = place.engine.wire.do("GET", f"/containers/{container}/json").json()["State"]["Status"]
    return told


def volumes(place: Place) -> dict[str, Any]:
    return {one["Name"]: one for one in place.engine.wire.do("GET", "/volumes").json()["Volumes"] or []}


def forget(place: Place, *names: str) -> None:
    for name in names:
        place.engine.wire.ask("DELETE", f"/volumes/{name}", force=True)


@pytest.mark.shows("BackupVolume", "succeeds", "dry_run")
@pytest.mark.shows("RestoreVolume", "succeeds", "dry_run")
def test_a_volume_goes_there_and_back(place: Place) -> None:
    with place.volume("orders", FILES) as reader:
        done = place.do(BACKUP, {"volume": "orders"})
        data = place.content(done)
        before = place.members(reader, "/data/.")
        assert (done["files"], done["consistent"], done["driver"]) == (2, True, "local")
        assert [one["name"] for one in done["users"]] == ["orders-user"]
        assert (done["changed"], done["plan"], done["name"][:7]) == (False, [], "orders-")
        manifest = json.loads(unpacked(gzip.decompress(data))["manifest.json"][1])
        assert (manifest["volume"], manifest["driver"]) == ("orders", "local")
        body = {"volume": "orders2", "attachment": "backup", "sha256": done["sha256"].upper()}
        dry = place.do(RESTORE, body, {"backup": data}, dryRun=True, accessMode="readOnly")
        assert "orders2" not in volumes(place)
        back = place.do(RESTORE, body, {"backup": data})
        assert back["plan"] == dry["plan"]
        assert [one["action"] for one in back["plan"]] == ["create", "write"]
        assert (back["action"], back["files"], back["changed"]) == ("created", done["files"], True)
        with user(place, "orders2", "second") as second:
            assert facts(place.members(second, "/data/.")) == facts(before)
        assert not place.helpers()
        forget(place, "orders2")


def test_what_is_excluded_is_not_in_the_backup(place: Place) -> None:
    with place.volume("part", tar_of(("keep", b"1"), ("cache", None), ("cache/x", b"2"), ("a.log", b"3"))):
        done = place.do(BACKUP, {"volume": "part", "exclude": ["cache/", "*.log"]})
        found = unpacked(gzip.decompress(place.content(done)))
        assert {name.removeprefix("volume").strip("/") for name in found} == {"manifest.json", "", "keep"}
        assert done["files"] == 1
        place.do(RESTORE, {"volume": "part2", "attachment": "b"}, {"b": place.content(done)})
        forget(place, "part2")
    with place.volume("linked", FILES):
        assert "hard link" in place.fails(BACKUP, {"volume": "linked", "exclude": ["a"]}, "BadInput")
    assert not place.helpers()


@pytest.mark.parametrize(("how", "held"), [("pause", "unpause"), ("stop", "stop")])
@pytest.mark.shows("BackupVolume", "succeeds", "dry_run")
def test_containers_are_held_still_and_go_on(place: Place, how: str, held: str) -> None:
    with place.volume("busy", FILES), user(place, "busy", "writer") as writer:
        dry = place.do(BACKUP, {"volume": "busy", "quiesce": how}, dryRun=True, accessMode="readOnly")
        assert "attachment" not in dry
        started = len(place.happened(held))
        done = place.do(BACKUP, {"volume": "busy", "quiesce": how})
        assert done["plan"] == dry["plan"]
        assert [one["name"] for one in done["plan"]] == ["writer", "writer"]
        assert len(place.happened(held)) == started + 1
        assert (state(place, writer), done["consistent"]) == ("running", True)
    assert not place.helpers()


def test_containers_that_run_on_are_told(place: Place) -> None:
    with place.volume("loud", FILES), user(place, "loud", "talker"):
        done = place.do(BACKUP, {"volume": "loud"})
        assert (done["consistent"], len(done["warnings"])) == (False, 1)


@pytest.mark.shows("BackupVolume", "fails")
def test_containers_go_on_when_the_backup_fails(place: Place) -> None:
    with place.volume("large", tar_of(("big", bytes(100_000)))), user(place, "large", "sleeper") as sleeper:
        body = {"volume": "large", "quiesce": "pause"}
        assert "more than 5000 bytes" in place.fails(BACKUP, body, "LimitReached", maxBytes="5000")
        assert state(place, sleeper) == "running"
    assert not place.helpers()


@pytest.mark.shows("BackupVolume", "repeat")
def test_the_next_delivery_lets_them_go_on(place: Place) -> None:
    """A step that died in the middle leaves paused containers, and a helper whose label names them."""
    with place.volume("died", FILES) as reader, user(place, "died", "frozen") as frozen:
        body = {"volume": "died", "quiesce": "pause", "idempotencyKey": "k"}
        place.do(BACKUP, body)
        helper = place.created("job-")[-1]
        labels = {name: text for name, text in helper.items() if name.startswith("docker-engine-connector.")}
        assert labels["docker-engine-connector.paused"] == frozen
        mount = {"Type": "volume", "Source": "died", "Target": "/volume", "ReadOnly": True}
        place.engine.create(name=helper["name"], Labels=labels, HostConfig={"Mounts": [mount]})
        place.engine.wire.do("POST", f"/containers/{frozen}/pause")
        done = place.do(BACKUP, body)
        assert state(place, frozen) == "running"
        assert done["size"] > 0
        assert reader
    assert not place.helpers()


def test_one_that_was_paused_before_stays_so(place: Place) -> None:
    with place.volume("calm", FILES), user(place, "calm", "resting") as resting:
        place.engine.wire.do("POST", f"/containers/{resting}/pause")
        done = place.do(BACKUP, {"volume": "calm", "quiesce": "pause"})
        assert (done["plan"], done["consistent"]) == ([], True)
        assert state(place, resting) == "paused"
        place.engine.wire.do("POST", f"/containers/{resting}/unpause")


@pytest.mark.shows("BackupVolume", "fails", "read_only")
def test_what_cannot_be_backed_up(place: Place) -> None:
    place.fails(BACKUP, {"volume": "none"}, "NotFound")
    assert "none" not in volumes(place)
    place.engine.wire.do("POST", "/volumes/create", {"Name": "kept"})
    place.fails(BACKUP, {"volume": "kept"}, "ReadOnly", accessMode="readOnly")
    assert not place.helpers()
    forget(place, "kept")


FOREIGN = tar_of(("./", None), ("./conf", None), ("./conf/x", b"new"))


@pytest.mark.shows("RestoreVolume", "fails", "read_only")
def test_a_volume_that_is_there_is_not_touched_unasked(place: Place) -> None:
    with place.volume("dear", FILES) as reader:
        before = facts(place.members(reader, "/data/."))
        body = {"volume": "dear", "attachment": "b"}
        assert "is there already" in place.fails(RESTORE, body, "WouldDestroy", {"b": FOREIGN})
        text = place.fails(RESTORE, {**body, "mode": "replace"}, "WouldDestroy", {"b": FOREIGN})
        assert "dear-user use it" in text
        place.fails(RESTORE, {**body, "mode": "replace"}, "WouldDestroy", {"b": FOREIGN}, dryRun=True)
        place.fails(RESTORE, {**body, "mode": "merge"}, "ReadOnly", {"b": FOREIGN}, accessMode="readOnly")
        assert facts(place.members(reader, "/data/.")) == before
    assert not place.helpers()


def test_files_come_into_a_volume_that_is_there(place: Place) -> None:
    with place.volume("mixed", tar_of(("old", b"1"), ("conf", None), ("conf/x", b"old"))) as reader:
        body = {"volume": "mixed", "attachment": "b", "mode": "merge"}
        for data in (FOREIGN, gzip.compress(FOREIGN)):
            assert place.do(RESTORE, body, {"b": data})["action"] == "merged"
        found = place.members(reader, "/data/.")
        assert (found["./old"][1], found["./conf/x"][1]) == (b"1", b"new")
    place.fails(RESTORE, {**body, "volume": "none"}, "NotFound", {"b": FOREIGN})
    assert "none" not in volumes(place)


def test_a_volume_is_replaced_and_keeps_its_labels(place: Place) -> None:
    place.engine.wire.do("POST", "/volumes/create", {"Name": "old", "Labels": {"team": "a"}})
    place.do("CopyFilesIn", {"place": "volume:old", "path": "/gone", "content": "x"})
    body = {"volume": "old", "attachment": "b", "mode": "replace"}
    dry = place.do(RESTORE, body, {"b": FOREIGN}, dryRun=True)
    done = place.do(RESTORE, body, {"b": FOREIGN})
    assert done["plan"] == dry["plan"]
    assert [one["action"] for one in done["plan"]] == ["remove", "create", "write"]
    assert volumes(place)["old"]["Labels"]["team"] == "a"
    with user(place, "old", "look") as look:
        assert {name.strip("./") for name in place.members(look, "/data/.")} == {"", "conf", "conf/x"}
    forget(place, "old")


@pytest.mark.shows("RestoreVolume", "repeat")
def test_a_message_that_comes_again_restores_once(place: Place) -> None:
    body = {"volume": "once", "attachment": "b", "idempotencyKey": "k2"}
    assert place.do(RESTORE, body, {"b": FOREIGN})["action"] == "created"
    again = place.do(RESTORE, body, {"b": FOREIGN})
    assert (again["action"], again["changed"]) == ("none", False)
    # What another step has written since is kept.
    place.do("CopyFilesIn", {"place": "volume:once", "path": "/conf/x", "content": "since"})
    place.do(RESTORE, {**body, "mode": "replace"}, {"b": FOREIGN})
    with user(place, "once", "look2") as look:
        assert place.members(look, "/data/conf/x")["x"][1] == b"since"
    # A step that died before it had filled the volume left it empty, with the label of its run.
    labels = volumes(place)["once"]["Labels"]
    forget(place, "once")
    place.engine.wire.do("POST", "/volumes/create", {"Name": "once", "Labels": labels})
    done = place.do(RESTORE, body, {"b": FOREIGN})
    assert (done["action"], done["changed"]) == ("created", True)
    with user(place, "once", "look3") as look:
        assert place.members(look, "/data/conf/x")["x"][1] == b"new"
    assert not place.helpers()
    forget(place, "once")


def special(kind: bytes, link: str = "") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo("odd")
        info.type, info.linkname = kind, link
        archive.addfile(info)
    return target.getvalue()


def of_ours(*members: tuple[str, bytes | str | None]) -> bytes:
    manifest = json.dumps({"volume": "x", "driver": "local", "options": {}, "labels": {}}).encode()
    return tar_of(("manifest.json", manifest), *members)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "BadInput"),
        (b"nothing", "BadInput"),
        (gzip.compress(FOREIGN, mtime=0)[:-9], "BadInput"),
        (FOREIGN[:1600], "BadInput"),
        (tar_of(("../x", b"1")), "UnsafeArchive"),
        (tar_of(("/etc/x", b"1")), "UnsafeArchive"),
        (special(tarfile.BLKTYPE), "UnsafeArchive"),
        (special(tarfile.LNKTYPE, "../../etc/passwd"), "UnsafeArchive"),
        (of_ours(("etc/x", b"1")), "UnsafeArchive"),
        (of_ours(("volume", "/etc")), "UnsafeArchive"),
        (of_ours(("volumes", b"1")), "UnsafeArchive"),
    ],
)
@pytest.mark.shows("RestoreVolume", "fails")
def test_a_bad_archive_changes_nothing(place: Place, data: bytes, name: str) -> None:
    place.engine.wire.do("POST", "/volumes/create", {"Name": "safe", "Labels": {"mine": "1"}})
    body = {"volume": "safe", "attachment": "b", "mode": "replace"}
    place.fails(RESTORE, body, name, {"b": data})
    assert volumes(place)["safe"]["Labels"] == {"mine": "1"}
    forget(place, "safe")


def test_a_wrong_hash_and_a_long_archive_change_nothing(place: Place) -> None:
    body = {"volume": "safe2", "attachment": "b"}
    wrong = hashlib.sha256(b"other").hexdigest()
    assert "sha256" in place.fails(RESTORE, {**body, "sha256": wrong}, "BadInput", {"b": FOREIGN})
    bomb = gzip.compress(tar_of(("zeros", bytes(10_000_000))))
    place.fails(RESTORE, body, "LimitReached", {"b": bomb}, maxBytes="1000000")
    place.fails(RESTORE, body, "LimitReached", {"b": FOREIGN}, maxBytes="1000")
    assert "safe2" not in volumes(place)


def test_options_of_a_backup_are_taken_only_where_the_input_says_so(place: Place) -> None:
    """They could make a volume of any folder of the engine's host."""
    options = {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    labels = {"team": "b", "docker-engine-connector.run": "forged"}
    manifest = json.dumps({"volume": "x", "driver": "local", "options": options, "labels": labels}).encode()
    data = tar_of(("manifest.json", manifest), ("volume", None), ("volume/f", b"1"))
    for chosen in (False, True):
        body = {"volume": "opt", "attachment": "b", "useOptions": chosen}
        done = place.do(RESTORE, body, {"b": data})
        made = volumes(place)["opt"]
        assert (made["Options"] or {}) == (options if chosen else {})
        assert made["Labels"]["team"] == "b"
        assert made["Labels"]["docker-engine-connector.run"] != "forged"
        assert len(done["warnings"]) == (0 if chosen else 1)
        forget(place, "opt")


def test_a_volume_that_could_not_be_filled_is_not_left(place: Place) -> None:
    """A file where the archive has a folder of the same name cannot be unpacked."""
    data = tar_of(("x", b"1"), ("x/y", b"2"))
    outcome = place.step(
        RESTORE, {"volume": "half", "attachment": "b"}, {"b": data}, errorPolicy="throwError"
    )
    assert outcome.errors
    wait_until(lambda: "half" not in volumes(place), "the volume to go")
    assert not place.helpers()
