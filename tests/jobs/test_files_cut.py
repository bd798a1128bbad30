"""Files on their way that are cut or broken: nothing half is kept, and what can be had again is read again."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from lib.engine.answer.pathstat import HEADER
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import Outcome, forget_engines, run_step
from tests.engine.scripted import Act, Scripted, answer, say, say_and_close
from tests.jobs.places import tar_of

CONTAINER = say(answer(json.dumps({"Id": "c" * 64}).encode()))
NOT_THERE = say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
FOLDER, FILE = 1 << 31 | 0o755, 0o644
WHOLE = tar_of(("./a", b"x" * 5000))


def stat(kind: int, size: int = 4096, link: str = "") -> Act:
    told = {"name": "x", "size": size, "mode": kind, "mtime": "2026-01-01T00:00:00Z", "linkTarget": link}
    header = base64.b64encode(json.dumps(told).encode()).decode()
    return say(f"HTTP/1.1 200 OK\r\n{HEADER}: {header}\r\nContent-Length: 0\r\n\r\n".encode())


def tar(data: bytes) -> Act:
    """A tar that ends with the connection, as engines send it."""
    return say_and_close(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n\r\n" + data)


def step(
    tmp_path: Path, key: str, body: dict[str, Any], *acts: Act, **config: Any
) -> tuple[Outcome, Scripted]:
    with Scripted(tmp_path, CONTAINER, *acts) as engine:
        settings = {"server": "2", "otherServer": engine.url, **config}
        try:
            outcome = run_step(key, body, settings, storage=FolderStorage(str(tmp_path / "storage")))
        finally:
            forget_engines()
    return outcome, engine


def stored(tmp_path: Path) -> list[bytes]:
    return [path.read_bytes() for path in tmp_path.glob("storage/*")]


OUT = {"place": "web", "path": "/data"}


def test_trap_14_a_broken_archive_is_read_again(tmp_path: Path) -> None:
    looks = (stat(FOLDER), stat(FOLDER))
    outcome, engine = step(tmp_path, "CopyFilesOut", OUT, *looks, tar(WHOLE[:3000]), tar(WHOLE))
    assert not outcome.errors
    assert outcome.bodies[0]["size"] == len(WHOLE)
    assert stored(tmp_path) == [WHOLE]
    assert len(engine.requests) == 5


def test_trap_14_an_archive_that_stays_broken_is_no_answer(tmp_path: Path) -> None:
    looks, broken = (stat(FOLDER), stat(FOLDER)), [tar(WHOLE[:3000])] * 3
    outcome, engine = step(tmp_path, "CopyFilesOut", OUT, *looks, *broken, errorPolicy="throwError")
    (error,) = outcome.errors
    assert error["name"] == "StreamCut"
    assert "pause the container" in error["message"]
    assert stored(tmp_path) == []
    assert len(engine.requests) == 6


IN = {"place": "web", "path": "/data", "content": "x" * 200_000}


def test_trap_14_a_cut_upload_comes_again(tmp_path: Path) -> None:
    owner = tar(tar_of(("/", None)))
    looks = (stat(FOLDER), NOT_THERE, CONTAINER, owner, NOT_THERE, CONTAINER)
    outcome, engine = step(tmp_path, "CopyFilesIn", IN, *looks, say_and_close(b""))
    assert not outcome.errors
    assert "a repeat writes them again" in outcome.rebounds[0]
    assert engine.requests[-1].startswith(b"PUT ")


@pytest.mark.parametrize("links", [3, 11])
def test_links_are_followed_ten_times_at_most(tmp_path: Path, links: int) -> None:
    chain = [stat(1 << 27 | 0o777, 1, "/data")] * links
    ending = [stat(FILE, 2), tar(tar_of(("data", b"hi")))] if links < 10 else []
    body = {**OUT, "as": "text"}
    outcome, _ = step(tmp_path, "CopyFilesOut", body, stat(FOLDER), *chain, *ending, errorPolicy="throwError")
    if links < 10:
        assert outcome.bodies[0]["text"] == "hi"
    else:
        assert outcome.errors[0]["name"] == "BadInput"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (tar_of(("data", b"hi"), ("more", b"hi")), "NotOneFile"),
        (tar_of(("../data", b"hi")), "UnsafeArchive"),
        (tar_of(("data", "link")), "NotOneFile"),
        (bytes(1024), "NotOneFile"),
        (b"nothing of the kind" * 100, "StreamFailed"),
    ],
)
def test_an_answer_that_is_not_the_file_is_an_error(tmp_path: Path, data: bytes, name: str) -> None:
    looks = (stat(FOLDER), stat(FILE, 2))
    outcome, _ = step(tmp_path, "CopyFilesOut", OUT, *looks, tar(data), errorPolicy="throwError")
    assert outcome.errors[0]["name"] == name
    assert stored(tmp_path) == []
