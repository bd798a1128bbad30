"""CopyFilesOut on real engines, and by an engine that sends broken archives."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.engines import own
from tests.jobs.places import Place, tar_of, unpacked
from tests.jobs.things import things
from tests.lab.engine import LabEngine

__all__ = ["own"]
pytestmark = pytest.mark.engine
KEY = "CopyFilesOut"
NAME = "ä" * 30 + "-" + "long" * 25 + ".txt"
FILES = tar_of(
    ("site", None),
    ("site/index.html", b"<p>Hello</p>"),
    (f"site/{NAME}", b"x"),
    ("site/empty", None),
    ("site/link", "index.html"),
    ("way", "site"),
    ("away", "/nowhere"),
    owner=12,
)


@pytest.fixture
def place(own: LabEngine, tmp_path: Path) -> Place:
    return Place(own, tmp_path)


@pytest.fixture
def box(own: LabEngine, place: Place) -> Iterator[str]:
    made = own.create()
    place.put(made, "/tmp", FILES)
    yield made
    own.remove(made)


@pytest.mark.shows("CopyFilesOut", "succeeds")
def test_a_file_comes_out_as_it_is(place: Place, box: str) -> None:
    done = place.do(KEY, {"place": box, "path": "/tmp/site/index.html"})
    assert place.content(done) == b"<p>Hello</p>"
    assert (done["name"], done["type"], done["mode"]) == ("index.html", "file", "0644")
    assert done["attachment"]["content-type"] == "text/html"
    assert (done["changed"], done["plan"]) == (False, [])
    (message,) = place.step(KEY, {"place": box, "path": "/tmp/site/index.html", "into": "a.bin"}).messages
    assert message.attachments == {"a.bin": message.body["attachment"]}


def test_a_file_comes_out_of_containers_that_run_and_that_have_ended(place: Place) -> None:
    made = place.engine.run()
    place.put(made, "/tmp", FILES)
    assert place.do(KEY, {"place": made, "path": "/tmp/site/index.html", "as": "text"})["size"] == 12
    place.engine.remove(made)
    made = place.engine.run(("sh", "-c", "echo hello > /tmp/log"))
    place.engine.wait(made)
    assert place.do(KEY, {"place": made, "path": "/tmp/log", "as": "text"})["text"] == "hello\n"
    place.engine.remove(made)


@pytest.mark.parametrize("form", ["auto", "tar", "tgz"])
def test_a_folder_comes_out_without_its_own_name(place: Place, box: str, form: str) -> None:
    done = place.do(KEY, {"place": box, "path": "/tmp/site", "as": form})
    data = place.content(done)
    found = unpacked(gzip.decompress(data) if form == "tgz" else data)
    assert set(found) == {".", "./index.html", f"./{NAME}", "./empty", "./link"}
    assert found["./index.html"][1] == b"<p>Hello</p>"
    assert found["./index.html"][0].uid == 12
    assert (done["name"], done["type"]) == (f"site.{'tgz' if form == 'tgz' else 'tar'}", "folder")


def test_a_file_comes_out_as_tar_too(place: Place, box: str) -> None:
    done = place.do(KEY, {"place": box, "path": "/tmp/site/index.html", "as": "tar"})
    assert set(unpacked(place.content(done))) == {"index.html"}


def test_links_are_followed_and_told(place: Place, box: str) -> None:
    done = place.do(KEY, {"place": box, "path": "/tmp/way/link", "as": "text"})
    assert (done["text"], done["linkTarget"]) == ("<p>Hello</p>", "/tmp/site/index.html")
    assert "leads nowhere" in place.fails(KEY, {"place": box, "path": "/tmp/away"}, "BadInput")


def test_a_long_text_is_cut_and_a_strange_one_is_replaced(place: Place, box: str) -> None:
    place.put(box, "/tmp", tar_of(("long", b"ab" * 1_000_000), ("odd", b"a\xff\0b")))
    done = place.do(KEY, {"place": box, "path": "/tmp/long", "as": "text"})
    assert (len(done["text"]), done["truncated"], done["size"]) == (1024 * 1024, "maxBytes", 2_000_000)
    assert "sha256" not in done
    assert place.do(KEY, {"place": box, "path": "/tmp/long", "as": "text"}, maxBytes="3")["text"] == "aba"
    odd = place.do(KEY, {"place": box, "path": "/tmp/odd", "as": "text"})
    assert (odd["text"], len(odd["warnings"])) == ("a\ufffd\0b", 1)


@pytest.mark.shows("CopyFilesOut", "fails")
def test_more_than_the_limit_is_an_error(place: Place, box: str) -> None:
    for form in ("file", "tar", "tgz"):
        body = {"place": box, "path": "/tmp/site/index.html", "as": form}
        assert "longer than 5 bytes" in place.fails(KEY, body, "LimitReached", maxBytes="5")


@pytest.mark.shows("CopyFilesOut", "fails")
def test_what_cannot_come_out(place: Place, box: str) -> None:
    place.fails(KEY, {"place": "none", "path": "/tmp"}, "NotFound")
    place.fails(KEY, {"place": "volume:none", "path": "/"}, "NotFound")
    place.fails(KEY, {"place": box, "path": "/tmp/none"}, "NotFound")
    place.fails(KEY, {"place": box, "path": "/tmp/site/index.html/x"}, "BadInput")
    for form in ("file", "text"):
        assert "tar or tgz" in place.fails(KEY, {"place": box, "path": "/tmp/site", "as": form}, "BadInput")
    made = place.engine.run(("mkfifo", "/tmp/pipe"))
    place.engine.wait(made)
    assert "is a pipe" in place.fails(KEY, {"place": made, "path": "/tmp/pipe"}, "BadInput")
    place.engine.remove(made)


def test_a_missing_file_can_be_an_empty_message(place: Place, box: str) -> None:
    assert place.step(KEY, {"place": box, "path": "/tmp/none"}, notFound="emitEmpty").bodies == [{}]


def test_trap_15_a_volume_is_read_through_a_container_that_never_runs(place: Place) -> None:
    with place.volume("media", FILES):
        done = place.do(KEY, {"place": "volume:media", "path": "/"})
        assert "./site/index.html" in unpacked(place.content(done))
        assert (done["name"], done["changed"]) == ("media.tar", False)
        one = place.do(KEY, {"place": "volume:media", "path": "/way/index.html", "as": "text"})
        assert (one["text"], one["linkTarget"]) == ("<p>Hello</p>", "/site/index.html")
        assert "out of volume:media" in place.fails(
            KEY, {"place": "volume:media", "path": "/away"}, "BadInput"
        )
        assert place.created("job-")
        assert not place.helpers()


@pytest.mark.shows("CopyFilesOut", "read_only", "dry_run", "repeat")
def test_a_credential_that_may_only_read_uses_a_container_that_mounts_the_volume(place: Place) -> None:
    before = len(place.created("job-"))
    with place.volume("shared", FILES):
        body = {"place": "volume:shared", "path": "/site/index.html", "as": "text"}
        assert place.do(KEY, body, accessMode="readOnly")["text"] == "<p>Hello</p>"
        assert place.do(KEY, body, dryRun=True)["text"] == "<p>Hello</p>"
        before_all = things(place.engine)
        assert [place.do(KEY, body)["text"] for _ in range(2)] == ["<p>Hello</p>"] * 2
        assert things(place.engine) == before_all
        before += 2  # a helper for each of the two that may change something
    place.engine.wire.do("POST", "/volumes/create", {"Name": "alone"})
    text = place.fails(KEY, {"place": "volume:alone", "path": "/"}, "NotLookedAt", accessMode="readOnly")
    assert "No container mounts alone" in text
    assert len(place.created("job-")) == before
    assert set(unpacked(place.content(place.do(KEY, {"place": "volume:alone", "path": "/"})))) == {"."}
    place.engine.wire.do("DELETE", "/volumes/alone")
