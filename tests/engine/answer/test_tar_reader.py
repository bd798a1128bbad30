from __future__ import annotations

import io
import json
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.answer.tar_check import whole
from lib.engine.answer.tar_reader import NotOneFile, UnsafeArchive, members, single_file
from lib.engine.errors import EngineError, StreamCut, StreamFailed
from lib.engine.request.tar_writer import File, archive, file_archive
from tests.engine.chunkings import bytewise, cut, many, places

contents = st.lists(st.binary(max_size=1500), max_size=4)


def packed(items: list[bytes], form: int = tarfile.PAX_FORMAT, name: str = "f{}") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as tar:
        for index, content in enumerate(items):
            info = tarfile.TarInfo(name.format(index))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


def one(kind: bytes, name: str, link: str = "") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info.tobuf() + bytes(1024)


@many
@given(
    contents,
    places,
    st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    st.sampled_from(["f{}", "long-" * 60 + "{}"]),
)
def test_a_whole_tar_goes_by_unchanged_however_it_is_cut(items, where, form, name):
    data = packed(items, form, name)
    assert b"".join(whole(cut(data, where))) == data
    read = [(info.name, b"".join(content)) for info, content in members(cut(data, where))]
    assert read == [(name.format(index), content) for index, content in enumerate(items)]


@many
@given(contents, st.integers(0, 1 << 30), places)
def test_a_cut_tar_is_noticed_wherever_it_is_cut(items, place, where):
    data = b"".join(archive([File(f"f{index}", content) for index, content in enumerate(items)]))
    end = place % (len(data) - 1023)  # the first of the two blocks at the end is enough of an end
    with pytest.raises(StreamCut):
        list(whole(cut(data[:end], where)))
    with pytest.raises(EngineError):
        [list(content) for _, content in members(cut(data[:end], where))]


@many
@given(st.binary(max_size=2000), places)
def test_rubbish_is_never_a_whole_tar(data, where):
    with pytest.raises(EngineError):
        list(whole(cut(b"\1" + data, where)))


def test_a_tar_that_comes_byte_by_byte_is_whole():
    data = packed([b"abc", b""])
    assert b"".join(whole(bytewise(data))) == data


@pytest.mark.parametrize("place", [0, 512, 700, 2000])
@pytest.mark.parametrize(
    "error",
    [{"errorDetail": {"message": "disk full"}, "error": "disk full"}, {"message": "disk full"}],
    ids=["stream", "answer"],
)
def test_an_error_that_the_engine_appended_is_raised_with_its_text(place, error):
    data = b"".join(archive([File("a", b"x" * 1500), File("b", b"y")]))
    broken = data[:place] + json.dumps(error).encode() + b"\r\n"
    with pytest.raises(StreamFailed, match="disk full"):
        list(whole(cut(broken, [place + 3, 100])))


def test_an_error_behind_the_end_counts():
    data = packed([b"x"]) + b'{"message":"too late"}\n'
    with pytest.raises(StreamFailed, match="too late"):
        list(whole([data]))
    with pytest.raises(StreamFailed, match="too late"):
        [list(content) for _, content in members([data])]


def test_a_page_of_a_proxy_is_no_tar():
    with pytest.raises(StreamFailed, match="no tar"):
        list(whole([b"<html>" * 200]))


def test_an_empty_answer_is_cut():
    with pytest.raises(StreamCut):
        list(whole([]))


def test_sizes_beyond_eight_gigabytes_are_understood_in_both_notations():
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        info = tarfile.TarInfo("huge")
        info.size = 9 << 30
        stream = whole([info.tobuf(form), bytes(1024)])  # were the size not read, this would be an end
        with pytest.raises(StreamCut):
            list(stream)


def test_links_and_directories_have_no_content():
    data = one(tarfile.DIRTYPE, "d")[:512] + one(tarfile.SYMTYPE, "d/l", "x")[:512] + packed([b"z"])
    assert [info.name for info, _ in members([data])] == ["d", "d/l", "f0"]


def test_a_single_file_gives_its_stat_and_content():
    info, content = single_file(cut(b"".join(file_archive("a.txt", b"hello" * 50_000, mode=0o640)), [9, 999]))
    assert (info.name, info.size, info.mode) == ("a.txt", 250_000, 0o640)
    assert b"".join(content) == b"hello" * 50_000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (one(tarfile.DIRTYPE, "d"), "'d' is a directory"),
        (one(tarfile.SYMTYPE, "l", "x"), "'l' is no regular file"),
        (bytes(1024), "empty"),
    ],
    ids=["directory", "link", "empty"],
)
def test_what_is_no_single_file_is_said(data, reason):
    with pytest.raises(NotOneFile, match=reason):
        single_file([data])


def test_a_second_file_is_an_error_after_the_content_of_the_first():
    _, content = single_file([packed([b"one", b"two"])])
    assert next(content) == b"one"
    with pytest.raises(NotOneFile, match="more than one file"):
        next(content)


def test_a_single_file_that_is_cut_is_no_file():
    data = b"".join(file_archive("a", b"x" * 5000))
    _, content = single_file([data[:3000]])
    with pytest.raises(StreamCut):
        list(content)


@pytest.mark.parametrize(
    ("kind", "name", "link"),
    [
        (tarfile.REGTYPE, "../x", ""),
        (tarfile.REGTYPE, "a/../../x", ""),
        (tarfile.REGTYPE, "/etc/passwd", ""),
        (tarfile.SYMTYPE, "l", "/etc/passwd"),
        (tarfile.SYMTYPE, "l", "../x"),
        (tarfile.SYMTYPE, "a/l", "../../x"),
        (tarfile.LNKTYPE, "a/l", "../x"),
        (tarfile.LNKTYPE, "l", "/x"),
        (tarfile.CHRTYPE, "null", ""),
        (tarfile.FIFOTYPE, "pipe", ""),
    ],
)
def test_members_that_lead_outside_are_refused(kind, name, link):
    with pytest.raises(UnsafeArchive):
        list(members([one(kind, name, link)]))


@pytest.mark.parametrize(
    ("kind", "name", "link"),
    [
        (tarfile.SYMTYPE, "a/b/l", "../c"),
        (tarfile.LNKTYPE, "a/l", "b"),
        (tarfile.REGTYPE, "a/../b", ""),
        (tarfile.REGTYPE, "..x", ""),
    ],
)
def test_members_that_stay_inside_are_fine(kind, name, link):
    assert len(list(members([one(kind, name, link)]))) == 1
