"""What is no answer of an engine becomes an error of the mirror job, and nothing is changed after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.job.mirror.memo import MEMO
from lib.job.repeat import RUN, UNTIL
from tests.actions.stepping import forget_engines, run_step
from tests.engine.scripted import Act, Scripted, answer, chunked, say, told

KEY = "MirrorImage"
ID = f"sha256:{'a' * 64}"
DIGEST = f"sha256:{'b' * 64}"
OTHER = f"sha256:{'c' * 64}"
FROM, TO = "a.example/web:1", "b.example/web:1"
IMAGE = {
    "Id": ID,
    "RepoTags": [],
    "RepoDigests": [f"a.example/web@{DIGEST}"],
    "Os": "linux",
    "Architecture": "amd64",
}
ODD: list[Any] = [5, [], {}, "text", [5], None]


@pytest.fixture(autouse=True)
def engines_forgotten() -> Iterator[None]:
    yield
    forget_engines()


def descriptor(digest: Any, platforms: Any = ()) -> Act:
    return told({"Descriptor": {"digest": digest}, "Platforms": platforms})


MISSING = say(answer(b'{"message": "no such thing"}', "404 Not Found"))
UNKNOWN = say(answer(b'{"message": "manifest unknown: manifest unknown"}', "404 Not Found"))
SOURCE = descriptor(DIGEST, [{"os": "linux", "architecture": "amd64"}])


def run(folder: Path, *acts: Act, **settings: Any) -> tuple[dict[str, Any], list[bytes]]:
    """The only message, and the calls that change something."""
    with Scripted(folder, *acts) as server:
        config = {"server": "2", "otherServer": server.url, "errorPolicy": "emit", **settings}
        body = run_step(KEY, {"from": FROM, "to": TO}, config).body
        calls = [request.split(b" HTTP")[0] for request in server.requests]
    return body, [call for call in calls if not call.startswith((b"GET", b"HEAD"))]


def fault_of(folder: Path, *acts: Act) -> str:
    body, changes = run(folder, *acts)
    assert changes == []
    return str(body["error"]["name"])


@pytest.mark.parametrize(
    "what",
    [
        *ODD,
        *({"Descriptor": one} for one in ODD),
        *(
            {"Descriptor": {"digest": one}}
            for one in (5, "", "sha256:12", "x" * 70, f"{DIGEST}/../x", [DIGEST])
        ),
        *({"Descriptor": {"digest": DIGEST}, "Platforms": one} for one in (5, {"a": 1}, [5], ["x"])),
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("side", ["from", "to"])
def test_a_registry_that_tells_no_digest(tmp_path: Path, side: str, what: Any) -> None:
    acts = [told(what)] if side == "from" else [SOURCE, MISSING, told(what)]
    assert fault_of(tmp_path, *acts) == "EngineFault"


@pytest.mark.parametrize("image", [*ODD, {**IMAGE, "RepoDigests": 5}], ids=json.dumps)
@pytest.mark.parametrize("which", ["source", "target"])
def test_an_image_that_is_none(tmp_path: Path, which: str, image: Any) -> None:
    looks = [told(image)] if which == "source" else [MISSING, told(image)]
    assert fault_of(tmp_path, SOURCE, MISSING, UNKNOWN, *looks) == "EngineFault"


@pytest.mark.parametrize(
    "listed",
    [5, {"a": 1}, [5], [{}], [{"Id": ID, "RepoTags": 5}], [{"Id": ID, "RepoTags": [5]}]],
    ids=json.dumps,
)
def test_a_list_of_images_that_is_none(tmp_path: Path, listed: Any) -> None:
    assert fault_of(tmp_path, SOURCE, MISSING, UNKNOWN, MISSING, MISSING, told(listed)) == "EngineFault"


@pytest.mark.parametrize(
    "labels",
    [
        5,
        {},
        {MEMO: "5", RUN: "x", UNTIL: "1"},
        {MEMO: json.dumps(["other:1", f"x@{DIGEST}", True, True, "", [], []]), RUN: "x", UNTIL: "1"},
        {MEMO: json.dumps([TO, "victim:1", True, True, "", [], []]), RUN: "x", UNTIL: "1"},
        {MEMO: json.dumps([TO, f"x@{DIGEST}", 1, True, "", [], []]), RUN: "x", UNTIL: "1"},
        {MEMO: json.dumps([TO, f"x@{DIGEST}", True, True, "", 5, []]), RUN: "x", UNTIL: "1"},
        {MEMO: json.dumps([TO, f"x@{DIGEST}", True, True, "", [], []]), RUN: "x", UNTIL: "soon"},
        {MEMO: json.dumps([TO, f"x@{DIGEST}", True, True, "", [], []]), UNTIL: "1"},
    ],
    ids=json.dumps,
)
def test_a_memo_that_is_none(tmp_path: Path, labels: Any) -> None:
    assert fault_of(tmp_path, SOURCE, told({"Name": "x", "Labels": labels})) == "EngineFault"


HERE = {**IMAGE, "RepoDigests": [f"a.example/web@{DIGEST}"]}
THERE = {**HERE, "RepoTags": [TO]}


def pushes(*records: Any, after: Act = UNKNOWN, then: tuple[Act, ...] = ()) -> list[Act]:
    """Both names are there already, so a push is the only change."""
    return [SOURCE, MISSING, UNKNOWN, told(HERE), told(THERE), MISSING, say(chunked(*records)), *then, after]


@pytest.mark.parametrize(
    "record",
    [
        {"aux": {"originalIndex": {"digest": 5}}},
        {"aux": {"originalIndex": [5]}},
        {"aux": 5},
        {"status": 5},
        {"status": "1: digest: sha256:zz size: 1"},
        {"progressDetail": {"current": "x"}, "id": "a" * 12, "status": "Pushing"},
    ],
    ids=json.dumps,
)
def test_a_push_that_tells_nothing_is_looked_for(tmp_path: Path, record: Any) -> None:
    body, changes = run(tmp_path, *pushes(record, after=descriptor(DIGEST)))
    assert (body["changed"], body["digestTo"]) == (True, DIGEST)
    assert changes == [b"POST /v1.41/images/b.example/web/push?tag=1"]


def test_a_push_that_the_registry_does_not_show(tmp_path: Path) -> None:
    record = {"status": f"1: digest: {DIGEST} size: 5"}
    body, _ = run(tmp_path, *pushes(record, after=descriptor(OTHER)))
    assert body["error"]["name"] == "NotReached"
    assert OTHER in body["error"]["message"]


def test_a_push_without_an_end_of_names_is_ended(tmp_path: Path) -> None:
    records = [{"status": f"digest: sha256:{number:064x}"} for number in range(10_001)]
    tries = (told(THERE), say(chunked(*records))) * 2  # it may be the registry's fault of a moment
    body, changes = run(tmp_path, *pushes(*records, then=tries, after=told(THERE)))
    assert body["error"]["name"] == "StreamFailed"
    assert len(changes) == 3


def test_an_address_that_leads_to_no_engine(tmp_path: Path) -> None:
    page = say(answer(b"404 page not found\n", "404 Not Found", "text/plain"))
    assert fault_of(tmp_path, page) == "NoSuchOperation"
