"""Attachments become files under their names, and no name or address leads anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.local.attachments import SavedAttachments, plain_name
from tests.local.running import run


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("build.tar", "build.tar"),
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\x.txt", "x.txt"),
        ("..", "attachment"),
        ("", "attachment"),
        (".bashrc", "bashrc"),
        ("a\nb\x1b[2J\x00c", "a_b__2J_c"),
        ("a:b*c?", "a_b_c_"),
        ("x" * 500 + ".tar", "x" * 96 + ".tar"),
        ("." + "x" * 500, "x" * 100),
    ],
)
def test_a_name_is_made_a_plain_one(name: str, file: str) -> None:
    assert plain_name(name) == file


def test_a_name_of_many_bytes_fits_a_folder() -> None:
    assert len(plain_name("漢" * 500).encode()) <= 200


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    folder = tmp_path / "attachments"
    folder.mkdir()
    (folder / "id").write_text("content")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    return folder


def test_no_file_is_overwritten(tmp_path: Path, stored: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    (tmp_path / "a-2.txt").symlink_to(tmp_path / "nowhere")

    saved = SavedAttachments(tmp_path, stored).save({"a.txt": {"url": f"file://{stored}/id"}})

    assert saved == {"a.txt": tmp_path / "a-3.txt"}
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert (tmp_path / "a-3.txt").read_text() == "content"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"url": "file:///etc/passwd"},
        {"url": "http://[/id"},
        {"url": "file://x/link"},
        {"url": "file://x/.."},
        {"url": "file://x/%2e%2e%2fsecret"},
        {"url": "file://x/a%00b"},
        {"url": 7},
        {},
        "file",
        None,
    ],
)
def test_what_the_run_has_not_stored_is_no_file(tmp_path: Path, stored: Path, entry: object) -> None:
    before = sorted(tmp_path.iterdir())

    assert SavedAttachments(tmp_path, stored).save({"a": entry}) == {}
    assert sorted(tmp_path.iterdir()) == before


def test_people_are_told_where_an_attachment_lies(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")

    ended = run("action", "store", "--attachment", f"in={tmp_path / 'file'}", "--data", tmp_path / "data")

    assert f"attachment out is saved as {tmp_path / 'data' / 'out'}" in ended.err
    assert (tmp_path / "data" / "out").read_text() == "content"
