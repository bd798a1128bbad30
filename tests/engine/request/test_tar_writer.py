from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.tar_writer import File, archive, file_archive
from lib.engine.request.upload import PIECE, UploadBroken
from tests.engine.chunkings import cut, many, places


def unpacked(data: bytes) -> dict[str, tuple[bytes, int]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {info.name: (tar.extractfile(info).read(), info.mode) for info in tar}


@many
@given(st.binary(max_size=2000), places, st.booleans())
def test_what_goes_in_comes_out_and_the_size_is_told(content, where, known):
    upload = archive([File("a/b.txt", cut(content, where), len(content) if known else None, 0o600)])
    data = b"".join(upload)
    assert unpacked(data) == {"a/b.txt": (content, 0o600)}
    assert upload.size == (len(data) if known else None)


def test_several_files_follow_one_another():
    upload = archive([File("a", b"1"), File("b", b"", mode=0o755), File("c" * 300, b"3" * 1000)])
    data = b"".join(upload)
    assert len(data) == len(upload)
    assert unpacked(data) == {"a": (b"1", 0o644), "b": (b"", 0o755), "c" * 300: (b"3" * 1000, 0o644)}


def test_names_may_be_any_text():
    assert unpacked(b"".join(file_archive("größe/€.txt", b"x"))) == {"größe/€.txt": (b"x", 0o644)}


def test_a_file_of_known_text_can_be_sent_twice():
    upload = file_archive("Dockerfile", b"FROM scratch\n")
    assert upload.repeatable
    assert b"".join(upload) == b"".join(upload)
    assert unpacked(b"".join(upload)) == {"Dockerfile": (b"FROM scratch\n", 0o644)}


def test_a_large_file_streams_in_pieces():
    count = 100
    upload = file_archive("big", (b"x" * PIECE for _ in range(count)), size=count * PIECE)
    sizes = [len(piece) for piece in upload]
    assert max(sizes) == PIECE
    assert sum(sizes) == len(upload)
    assert not upload.repeatable


def test_a_file_that_is_shorter_than_announced_breaks_the_upload():
    with pytest.raises(UploadBroken, match="ended after 3 of 4 bytes"):
        list(file_archive("a", iter([b"abc"]), size=4))


@pytest.mark.parametrize(
    "name", ["", "/", ".", "..", "../x", "a/../../x", "/etc/passwd", "dir/", "a\0b", "//x"]
)
def test_a_name_outside_of_the_target_is_refused(name):
    with pytest.raises(BadInput) as caught:
        file_archive(name, b"")
    assert caught.value.field == "name"
