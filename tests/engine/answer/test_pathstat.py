from __future__ import annotations

import base64
import json

import pytest

from lib.engine.answer.pathstat import path_stat
from lib.engine.errors import StreamFailed


def header(**changes) -> str:
    stat = {"name": "x", "size": 5, "mode": 0o644, "mtime": "2026-11-24T08:00:00Z", "linkTarget": ""}
    return base64.b64encode(json.dumps(stat | changes).encode()).decode()


@pytest.mark.parametrize(
    ("mode", "kind", "permissions", "directory", "link"),
    [
        (0o644, "file", "0644", False, False),
        (1 << 31 | 0o755, "directory", "0755", True, False),
        (1 << 27 | 0o777, "link", "0777", False, True),
        (1 << 31 | 1 << 20 | 0o777, "directory", "1777", True, False),
        (1 << 23 | 0o755, "file", "4755", False, False),
        (1 << 22 | 0o755, "file", "2755", False, False),
        (1 << 26 | 1 << 21 | 0o666, "device", "0666", False, False),
        (1 << 25 | 0o600, "pipe", "0600", False, False),
        (1 << 24 | 0o755, "socket", "0755", False, False),
    ],
    ids=["file", "directory", "link", "/tmp", "setuid", "setgid", "/dev/null", "pipe", "socket"],
)
def test_gos_file_modes_are_read(mode, kind, permissions, directory, link):
    stat = path_stat(header(mode=mode))
    assert (stat["kind"], stat["permissions"]) == (kind, permissions)
    assert (stat["isDirectory"], stat["isLink"]) == (directory, link)
    assert stat["mode"] == mode


def test_the_engines_own_fields_are_kept():
    stat = path_stat(header(linkTarget="/target"))
    assert (stat["name"], stat["size"], stat["linkTarget"]) == ("x", 5, "/target")
    assert stat["mtime"] == "2026-11-24T08:00:00Z"


@pytest.mark.parametrize("text", ["", "rubbish", base64.b64encode(b"[]").decode(), header(mode=None)])
def test_a_header_that_is_no_stat_is_a_failure(text):
    with pytest.raises(StreamFailed, match="X-Docker-Container-Path-Stat"):
        path_stat(text)
