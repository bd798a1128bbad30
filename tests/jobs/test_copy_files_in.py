"""CopyFilesIn on real engines: what comes in, what stays, and what is refused."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.engines import own
from tests.jobs.places import Place, tar_of
from tests.lab.at_once import at_once
from tests.lab.engine import LabEngine
from tests.lab.socket_proxy import POSTS, READS, SocketProxy

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "CopyFilesIn"


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Place:
    return Place(own, tmp_path)


@pytest.fixture
def box(own: LabEngine) -> Iterator[str]:
    """A container that was never started."""
    made = own.create()
    yield made
    own.remove(made)


def zip_of(*members: tuple[str, bytes, int]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in members:
            info = zipfile.ZipInfo(name, (2024, 2, 3, 4, 5, 6))
            info.external_attr = mode << 16
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return target.getvalue()


@pytest.mark.shows("CopyFilesIn", "succeeds", "repeat")
def test_a_text_comes_into_a_container_once(place: Place, box: str) -> None:
    body = {
        "place": box,
        "path": "/srv/conf/grüße.txt",
        "content": "Grüße\n",
        "mode": "0640",
        "uid": 7,
        "gid": 8,
    }
    dry = place.do(KEY, body, dryRun=True, accessMode="readOnly")
    assert (dry["changed"], dry["dryRun"]) == (False, True)
    assert place.engine.wire.ask("HEAD", f"/containers/{box}/archive?path=/srv").status == 404
    done = place.do(KEY, body)
    assert (
        done["plan"]
        == dry["plan"]
        == [{"action": "write", "kind": "file", "name": "/srv/conf/grüße.txt", "reason": "it is not there"}]
    )
    assert (done["changed"], done["path"], done["size"]) == (True, "/srv/conf/grüße.txt", 8)
    info, data = place.members(box, "/srv/conf/grüße.txt")["grüße.txt"]
    assert (data, info.mode & 0o7777, info.uid, info.gid) == ("Grüße\n".encode(), 0o640, 7, 8)
    again = place.do(KEY, body)
    assert (again["changed"], again["plan"]) == (False, [])
    assert again["files"] == [{"name": "grüße.txt", "size": 8, "action": "kept"}]
    assert again["sha256"] == done["sha256"]


def test_what_is_there_keeps_its_mode_and_owner(place: Place, box: str) -> None:
    place.put(box, "/tmp", tar_of(("secret", b"old"), mode=0o600, owner=42))
    for text, changed in (("new", True), ("new", False), ("newer", True)):
        done = place.do(KEY, {"place": box, "path": "/tmp/secret", "content": text})
        assert done["changed"] is changed
        info, data = place.members(box, "/tmp/secret")["secret"]
        assert (data, info.mode & 0o7777, info.uid, info.gid) == (text.encode(), 0o600, 42, 42)
    assert place.do(KEY, {"place": box, "path": "/tmp/secret", "content": "newer", "mode": "0644"})["changed"]


def test_a_new_file_has_the_owner_of_its_folder(place: Place, box: str) -> None:
    place.put(box, "/tmp", tar_of(("home", None), owner=1000))
    place.do(KEY, {"place": box, "path": "/tmp/home/a/b", "content": "x"})
    found = place.members(box, "/tmp/home")
    assert {name: info.uid for name, (info, _) in found.items()} == {
        "home": 1000,
        "home/a": 1000,
        "home/a/b": 1000,
    }


@pytest.mark.parametrize(
    ("policy", "changed", "text"),
    [("ifDifferent", True, b"new"), ("replace", True, b"new"), ("keep", False, b"old")],
)
def test_what_becomes_of_what_is_there(
    place: Place, box: str, policy: str, changed: bool, text: bytes
) -> None:
    place.put(box, "/tmp", tar_of(("f", b"old")))
    done = place.do(KEY, {"place": box, "path": "/tmp/f", "content": "new", "ifExists": policy})
    assert done["changed"] is changed
    assert place.members(box, "/tmp/f")["f"][1] == text


def test_nothing_is_written_where_one_is_there_and_must_not_be(place: Place, box: str) -> None:
    place.put(box, "/tmp", tar_of(("b", b"old")))
    files = [{"name": "a", "content": "1"}, {"name": "b", "content": "2"}]
    text = place.fails(
        KEY, {"place": box, "path": "/tmp", "files": files, "ifExists": "fail"}, "WouldDestroy"
    )
    assert "/tmp/b is there already" in text
    assert set(place.members(box, "/tmp")) == {"tmp", "tmp/b"}


def test_a_folder_is_never_replaced_by_a_file_nor_a_file_by_a_folder(place: Place, box: str) -> None:
    place.put(box, "/tmp", tar_of(("d", None), ("d/x", b"1"), ("f", b"2")))
    body = {"place": box, "path": "/tmp", "ifExists": "replace"}
    place.fails(KEY, {**body, "files": [{"name": "d", "content": "1"}]}, "WouldDestroy")
    place.fails(KEY, {**body, "archive": "a"}, "WouldDestroy", {"a": tar_of(("f", None))})
    text = place.fails(KEY, {**body, "files": [{"name": "f/y", "content": "1"}]}, "BadInput")
    assert "/tmp/f is a file" in text
    text = place.fails(KEY, {"place": box, "path": "/tmp/f/y", "content": "1"}, "BadInput")
    assert "/tmp/f is no folder" in text


def test_attachments_are_written_as_they_are(place: Place, box: str) -> None:
    data = bytes(range(256)) * 1000
    body = {"place": box, "path": "/tmp/", "attachment": "logo.png"}
    done = place.do(KEY, body, {"logo.png": data})
    assert (done["path"], done["size"]) == ("/tmp/logo.png", 256_000)
    assert place.members(box, "/tmp/logo.png")["logo.png"][1] == data
    assert not place.do(KEY, body, {"logo.png": data})["changed"]
    files = [{"name": "a/b.bin", "attachment": "b", "mode": "0755"}, {"name": "c.txt", "content": "c"}]
    place.do(KEY, {"place": box, "path": "/tmp", "files": files}, {"b": b"\0\1"})
    found = place.members(box, "/tmp")
    assert (found["tmp/a/b.bin"][1], found["tmp/a/b.bin"][0].mode & 0o777) == (b"\0\1", 0o755)


LONG = "ö" * 60 + "/" + "long" * 30


@pytest.mark.parametrize("form", ["tar", "gzip", "zip"])
@pytest.mark.shows("CopyFilesIn", "succeeds")
def test_archives_are_unpacked(place: Place, box: str, form: str) -> None:
    members = [("./", None), ("deep", None), ("deep/run", b"#!"), (LONG, b"long"), ("empty", None)]
    archive = tar_of(*members, ("link", "deep/run"), mode=0o750, owner=33)
    if form == "gzip":
        archive = gzip.compress(archive[:1000]) + gzip.compress(archive[1000:])
    elif form == "zip":
        archive = zip_of(
            ("deep/run", b"#!", stat.S_IFREG | 0o750),
            (LONG, b"long", 0),
            ("empty/", b"", 0),
            ("link", b"deep/run", stat.S_IFLNK | 0o777),
        )
    body = {"place": box, "path": "/opt/app", "archive": "a"}
    done = place.do(KEY, body, {"a": archive})
    found = place.members(box, "/opt/app")
    assert found["app/deep/run"][1] == b"#!"
    assert found["app/deep/run"][0].mode & 0o777 == 0o750
    assert found["app/deep/run"][0].uid == (0 if form == "zip" else 33)
    assert found[f"app/{LONG}"][1] == b"long"
    assert found["app/empty"][0].isdir()
    assert found["app/link"][0].linkname == "deep/run"
    assert done["changed"]
    assert len(done["plan"]) == len([one for one in done["plan"] if one["name"].startswith("/opt/app/")])
    assert not place.do(KEY, body, {"a": archive})["changed"]


HARD = io.BytesIO()
with tarfile.open(fileobj=HARD, mode="w") as _tar:
    _first, _second = tarfile.TarInfo("one"), tarfile.TarInfo("two")
    _first.size, _second.type, _second.linkname = 3, tarfile.LNKTYPE, "one"
    _tar.addfile(_first, io.BytesIO(b"abc"))
    _tar.addfile(_second)


def test_a_hard_link_is_a_file_of_its_own(place: Place, box: str) -> None:
    body = {"place": box, "path": "/opt/hard", "archive": "a"}
    assert place.do(KEY, body, {"a": HARD.getvalue()})["changed"]
    assert place.members(box, "/opt/hard")["hard/two"][1] == b"abc"
    assert not place.do(KEY, body, {"a": HARD.getvalue()})["changed"]


def device() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        info = tarfile.TarInfo("null")
        info.type = tarfile.CHRTYPE
        archive.addfile(info)
    return target.getvalue()


@pytest.mark.parametrize(
    ("archive", "name"),
    [
        (tar_of(("../evil", b"x")), "UnsafeArchive"),
        (tar_of(("/etc/evil", b"x")), "UnsafeArchive"),
        (tar_of(("a/../../evil", b"x")), "UnsafeArchive"),
        (tar_of(("out", "../../etc")), "UnsafeArchive"),
        (tar_of(("out", "/etc"), ("out/evil", b"x")), "UnsafeArchive"),
        (tar_of(("in", "deep"), ("in/evil", b"x")), "BadInput"),
        (device(), "UnsafeArchive"),
        (zip_of(("../evil", b"x", 0)), "BadInput"),
        (zip_of(("..\\evil", b"x", 0)), "BadInput"),
        (zip_of(("/evil", b"x", 0)), "BadInput"),
        (zip_of(("out", b"../etc", stat.S_IFLNK | 0o777)), "BadInput"),
        (zip_of(("out", b"/etc", stat.S_IFLNK | 0o777)), "BadInput"),
        (zip_of(("pipe", b"", stat.S_IFIFO | 0o777)), "BadInput"),
        (zip_of(("a", b"x" * 5000, 0))[:-30], "BadInput"),
        (gzip.compress(tar_of(("a", b"x" * 5000)), mtime=0)[:-20], "BadInput"),
        (tar_of(("a", b"x" * 5000))[:3000], "BadInput"),
        (b"no archive at all", "BadInput"),
    ],
)
def test_what_leads_outside_or_is_broken_is_refused(
    place: Place, box: str, archive: bytes, name: str
) -> None:
    place.fails(KEY, {"place": box, "path": "/tmp", "archive": "a"}, name, {"a": archive})
    assert set(place.members(box, "/tmp")) == {"tmp"}


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda data: zip_of(("zeros", data, 0))], ids=["gzip", "zip"]
)
@pytest.mark.shows("CopyFilesIn", "fails")
def test_what_unpacks_to_more_than_the_limit_is_an_error(place: Place, box: str, pack: Any) -> None:
    bomb = pack(tar_of(("zeros", bytes(20_000_000))))
    assert len(bomb) < 100_000
    text = place.fails(
        KEY, {"place": box, "path": "/tmp", "archive": "a"}, "LimitReached", {"a": bomb}, maxBytes="1000000"
    )
    assert "1000000 bytes" in text
    place.fails(KEY, {"place": box, "path": "/tmp/a", "content": "abc"}, "LimitReached", maxBytes="2")


def test_a_zip_whose_list_is_longer_than_the_limit_is_not_read(place: Place, box: str) -> None:
    many = zip_of(*((str(number), b"", 0) for number in range(20_001)))
    text = place.fails(KEY, {"place": box, "path": "/tmp", "archive": "a"}, "LimitReached", {"a": many})
    assert "more than 20000 files" in text
    # A second end of the list, of the kind for large archives, which would count for its reader.
    end = many.rfind(b"PK\x05\x06")
    sly = many[:end] + b"PK\x06\x07" + bytes(16) + many[end : end + 8] + b"\1\0\1\0" + many[end + 12 :]
    place.fails(KEY, {"place": box, "path": "/tmp", "archive": "a"}, "LimitReached", {"a": sly})


def test_many_files_are_one_line_of_the_plan(place: Place, box: str) -> None:
    many = tar_of(*((f"{number}", b"") for number in range(501)))
    done = place.do(KEY, {"place": box, "path": "/tmp/many", "archive": "a"}, {"a": many})
    (entry,) = done["plan"]
    assert entry["reason"].startswith("501 files")
    assert (len(done["files"]), len(done["warnings"])) == (500, 1)


def test_links_in_the_path_are_followed(place: Place, box: str) -> None:
    place.put(box, "/tmp", tar_of(("real", None), ("real/f", b"old"), ("way", "real"), ("file", "real/f")))
    for path, text in (("/tmp/way/f", "one"), ("/tmp/file", "two")):
        assert place.do(KEY, {"place": box, "path": path, "content": text})["changed"]
        assert place.members(box, "/tmp/real/f")["f"][1] == text.encode()
    assert place.members(box, "/tmp")["tmp/file"][0].issym()


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/" + "a/" * 65])
def test_paths_are_absolute_and_lead_down(place: Place, box: str, path: str) -> None:
    place.fails(KEY, {"place": box, "path": path, "content": "x"}, "BadInput")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": "a", "url": "http://example.org"},
        {"content": "a", "mode": "0999"},
        {"content": "a", "mode": "77777"},
        {"attachment": "none"},
        {"files": [{"name": "../a", "content": "x"}]},
        {"files": [{"name": "/a", "content": "x"}]},
        {"files": [{"name": "a"}]},
        {"files": [{"name": "a", "content": "x", "attachment": "y"}]},
        {"content": "a", "makeFolders": False},
    ],
)
def test_what_the_input_cannot_be(place: Place, box: str, body: dict[str, Any]) -> None:
    place.fails(KEY, {"place": box, "path": "/tmp/none/f", **body}, "BadInput")
    assert set(place.members(box, "/tmp")) == {"tmp"}


@pytest.mark.shows("CopyFilesIn", "fails")
def test_a_place_that_is_not_there(place: Place) -> None:
    place.fails(KEY, {"place": "none", "path": "/a", "content": "x"}, "NotFound")
    place.fails(KEY, {"place": "volume:none", "path": "/a", "content": "x"}, "NotFound")
    place.fails(KEY, {"place": "volume:", "path": "/a", "content": "x"}, "BadInput")
    names = [one["Name"] for one in place.engine.wire.do("GET", "/volumes").json()["Volumes"] or []]
    assert "none" not in names


@pytest.mark.shows("CopyFilesIn", "read_only")
def test_a_credential_that_may_only_read_sends_nothing(place: Place, box: str) -> None:
    place.fails(KEY, {"place": box, "path": "/tmp/f", "content": "x"}, "ReadOnly", accessMode="readOnly")
    with place.volume("guarded"):
        body = {"place": "volume:guarded", "path": "/f", "content": "x"}
        place.fails(KEY, body, "ReadOnly", accessMode="readOnly")
        assert place.do(KEY, body, accessMode="readOnly", dryRun=True)["plan"]
    assert not place.helpers()


def test_trap_15_a_volume_is_written_through_a_container_that_never_runs(place: Place) -> None:
    with place.volume("site", tar_of(("conf", None), ("conf/a", b"old"), owner=5)) as user:
        body = {"place": "volume:site", "path": "/conf", "files": [{"name": "a", "content": "new"}]}
        dry = place.do(KEY, body, dryRun=True, accessMode="readOnly")
        done = place.do(KEY, body)
        assert done["plan"] == dry["plan"]
        assert [one["name"] for one in done["plan"]] == ["/conf/a"]
        info, data = place.members(user, "/data/conf/a")["a"]
        assert (data, info.uid) == (b"new", 5)
        assert not place.do(KEY, body)["changed"]
        assert not place.helpers()
        state = place.engine.wire.do("GET", f"/containers/{user}/json").json()["State"]
        assert state["StartedAt"].startswith("0001-")


def test_trap_15_a_read_only_root_says_where_files_can_go(place: Place) -> None:
    made = place.engine.create(HostConfig={"ReadonlyRootfs": True})
    outcome = place.step(KEY, {"place": made, "path": "/tmp/f", "content": "x"}, errorPolicy="throwError")
    text = outcome.errors[0]["message"]
    assert "read-only" in text
    assert "volume:NAME" in text
    place.engine.remove(made)


def test_links_do_not_lead_out_of_a_volume(place: Place) -> None:
    links = tar_of(("out", "/etc"), ("nowhere", "none"), ("in", "conf"), ("conf", None))
    with place.volume("linked", links) as user:
        for path in ("/out/f", "/nowhere"):
            body = {"place": "volume:linked", "path": path, "content": "x"}
            assert "the link" in place.fails(KEY, body, "BadInput")
        text = place.fails(
            KEY,
            {"place": "volume:linked", "path": "/", "files": [{"name": "out/f", "content": "x"}]},
            "BadInput",
        )
        assert "/out is a link" in text
        assert place.do(KEY, {"place": "volume:linked", "path": "/in/f", "content": "x"})["changed"]
        assert place.members(user, "/data/conf/f")["f"][1] == b"x"
    assert not place.helpers()


def test_a_dry_run_says_when_it_cannot_look_into_a_volume(place: Place) -> None:
    place.engine.wire.do("POST", "/volumes/create", {"Name": "alone"})
    done = place.do(KEY, {"place": "volume:alone", "path": "/f", "content": "x"}, dryRun=True)
    assert "cannot be seen" in done["plan"][0]["reason"]
    assert done["warnings"]
    assert not place.helpers()
    assert place.do(KEY, {"place": "volume:alone", "path": "/f", "content": "x"})["changed"]
    place.engine.wire.do("DELETE", "/volumes/alone")


def test_a_helper_that_an_earlier_delivery_left_is_found(place: Place) -> None:
    """The name is the lock: a step that died left its helper, and the next delivery goes on with it."""
    with place.volume("again") as user:
        wire = place.engine.wire
        body = {"place": "volume:again", "path": "/f", "content": "x", "idempotencyKey": "one"}
        place.do(KEY, body)
        helper = place.created("job-")[-1]
        mount = {"Type": "volume", "Source": "again", "Target": "/volume", "VolumeOptions": {"NoCopy": True}}
        labels = {name: text for name, text in helper.items() if name.startswith("docker-engine-connector.")}
        place.engine.create(name=helper["name"], Labels=labels, HostConfig={"Mounts": [mount]})
        before = len(place.created("job-"))
        assert place.do(KEY, {**body, "content": "y"})["changed"]
        assert len(place.created("job-")) == before
        assert place.members(user, "/data/f")["f"][1] == b"y"
        assert not place.helpers()
        stranger = place.engine.create(name=helper["name"])
        assert helper["name"] in place.fails(KEY, {**body, "content": "z"}, "NotSettled")
        assert wire.ask("GET", f"/containers/{stranger}/json").status == 200
        place.engine.remove(stranger)


def test_two_deliveries_at_once_write_one_file(place: Place) -> None:
    with place.volume("twice") as user:
        body = {"place": "volume:twice", "path": "/f", "content": "x" * 100_000, "idempotencyKey": "same"}
        outcomes = at_once(*[lambda: place.step(KEY, body, errorPolicy="throwError")] * 4)
        assert [outcome.errors for outcome in outcomes] == [[]] * 4
        assert place.members(user, "/data/f")["f"][1] == b"x" * 100_000
    assert not place.helpers()


GONE = (
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    b'{"message":"Error after fallback to chroot: no such file or directory"}'
)
"""What engines answer where the container of an upload is removed under it."""


@pytest.mark.parametrize("times", [1, 3])
def test_a_helper_that_another_delivery_takes_away_under_the_upload_is_made_again(
    place: Place, times: int
) -> None:
    left = [times]

    def taken_away(call: str) -> bytes | None:
        if not call.startswith("PUT ") or not left[0]:
            return None
        left[0] -= 1
        for name in place.helpers():
            if name.startswith("/job-"):
                place.engine.remove(name.removeprefix("/"))
        return GONE

    with place.volume("shared") as user, SocketProxy(place.engine.socket, READS, POSTS) as proxy:
        proxy.before = taken_away
        body = {"place": "volume:shared", "path": "/f", "content": "whole"}
        assert place.do(KEY, body, server="2", otherServer=proxy.url)["changed"]
        assert left == [0]
        assert place.members(user, "/data/f")["f"][1] == b"whole"
    assert not place.helpers()


REPLACED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\nConnection: close\r\n"
    b"Content-Length: 1024\r\n\r\n" + bytes(1024)
)
"""What engines send of a file that is put in its place anew between their look and their read: no member."""


@pytest.mark.parametrize(("times", "ends"), [(1, "kept"), (2, "kept"), (3, "NotOneFile")])
def test_a_file_that_another_delivery_writes_at_the_look_is_looked_at_again(
    place: Place, box: str, times: int, ends: str
) -> None:
    place.put(box, "/tmp", tar_of(("same", b"whole")))
    left = [times]

    def replaced(call: str) -> bytes | None:
        if not call.startswith("GET ") or "/archive" not in call or not left[0]:
            return None
        left[0] -= 1
        return REPLACED

    with SocketProxy(place.engine.socket, READS, POSTS) as proxy:
        proxy.before = replaced
        body = {"place": box, "path": "/tmp/same", "content": "whole", "uid": 0, "gid": 0}
        outcome = place.step(KEY, body, server="2", otherServer=proxy.url, errorPolicy="throwError")
    found = [error["name"] for error in outcome.errors] or [outcome.body["files"][0]["action"]]
    assert (found, left) == ([ends], [0])


def test_trap_14_what_a_cut_upload_left_is_replaced(place: Place, box: str) -> None:
    body = {"place": box, "path": "/tmp/f", "content": "whole" * 1000}
    place.put(box, "/tmp", tar_of(("f", b"whole" * 300)))
    assert place.do(KEY, body)["plan"][0]["reason"] == "its size differs"
    assert place.members(box, "/tmp/f")["f"][1] == b"whole" * 1000
