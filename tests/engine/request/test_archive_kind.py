"""What is no archive is refused before it is sent, and called by its name (fault 8.33)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.archive_kind import check_archive


def tar(kind: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        member = tarfile.TarInfo("a/file.txt")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    return buffer.getvalue()


def old_tar() -> bytes:
    """As tar of Unix V7 wrote it: no magic, only the sum of the header."""
    head = bytearray(tar(tarfile.USTAR_FORMAT)[:512])
    head[257:512] = bytes(255)
    head[148:156] = b" " * 8
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    return bytes(head) + bytes(1024)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "b")
    return buffer.getvalue()


PLAIN = tar(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        tar(tarfile.GNU_FORMAT),
        tar(tarfile.PAX_FORMAT),
        old_tar(),
        bytes(1024),
        gzip.compress(PLAIN, mtime=0),
        bz2.compress(PLAIN),
        lzma.compress(PLAIN),
        b"\x28\xb5\x2f\xfd rest",
        b"\x5e\x2a\x4d\x18 rest",
    ],
)
def test_archives_of_all_kinds_pass(data: bytes) -> None:
    check_archive(data[:65536], "attachment")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (zipped(), "a zip archive"),
        (b"FROM busybox\nRUN true\n", "a Dockerfile"),
        (b"# syntax=docker/dockerfile:1\nFROM x", "a Dockerfile"),
        (b'{"Id": "x"}', "JSON text"),
        (b"<!doctype html><html>", "a web page"),
        (b"hello\n", "plain text"),
        ("grüße\n" * 200, "plain text"),
        (b"H4sIAAAAAAAAA", "a gzip archive in base64 text"),
        (b"\x7fELF\x02", "a program"),
        (b"\x89PNG\r\n\x1a\n\x00", "something else"),
        (PLAIN[:511], "something else"),
        (b"\xff" * 600, "something else"),
    ],
)
def test_what_is_none_is_called_by_its_name(data: bytes | str, kind: str) -> None:
    """Fault 8.33."""
    with pytest.raises(BadInput) as caught:
        check_archive(data.encode() if isinstance(data, str) else data, "attachment")
    assert caught.value.field == "attachment"
    assert f"no tar archive but {kind}" in str(caught.value)
    assert "dockerfileText" in str(caught.value)


@given(st.binary(max_size=700))
def test_any_bytes_pass_or_are_refused(data: bytes) -> None:
    """Fault 8.33: no other error leaves."""
    with suppress(BadInput):
        check_archive(data, "url")
