"""Headers of tars that lie (fault 8.17): every form of a number, of every kind of header, ends in StreamFailed."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.answer.tar_check import LONGEST_META, MOST_META, whole
from lib.engine.answer.tar_header import LARGEST, pax_size, size_of
from lib.engine.answer.tar_reader import members
from lib.engine.errors import EngineError, StreamCut, StreamFailed
from tests.engine.chunkings import bytewise, many

END = bytes(1024)
FORMS: dict[str, bytes] = {
    "negative octal": b"-0000007777\0",
    "minus one": b"         -1\0",
    "plus": b"+0000000777\0",
    "prefix of the language": b"0o000000777\0",
    "underscores": b"0_000000777\0",
    "decimal": b"00000000089\0",
    "hexadecimal": b"0x000000fff\0",
    "letters": b"garbage    \0",
    "two numbers": b"0000 000777\0",
    "binary, negative": b"\xff" * 12,
    "binary, minus 2**95": b"\xff" + bytes(11),
    "binary, huge": b"\x80" + b"\xff" * 11,
    "binary, huge by its first byte": b"\x81" + bytes(11),
}
KINDS = [b"0", b"7", b"5", b"2", b"x", b"g", b"L", b"K", b"S", b"?"]


def header(size: bytes = b"00000000000\0", kind: bytes = b"0", name: bytes = b"f") -> bytes:
    """A header with its checksum right, whatever it says."""
    block = bytearray(512)
    block[: len(name)], block[124:136], block[156:157] = name, size, kind
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def octal(size: int) -> bytes:
    return b"%011o\0" % size


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def record(name: bytes, value: bytes) -> bytes:
    rest = b" " + name + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(b"%d" % length) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


def pax(content: bytes, kind: bytes = b"x") -> bytes:
    return header(octal(len(content)), kind) + padded(content)


def both(data: bytes) -> Iterator[EngineError | None]:
    """What the walk and the reader say."""
    for read in (whole, lambda chunks: (piece for _, content in members(chunks) for piece in content)):
        for chunks in ([data], bytewise(data)):
            try:
                for _ in read(chunks):
                    pass
                yield None
            except EngineError as error:
                yield error


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_a_size_that_is_none_ends_the_archive(form: str, kind: bytes) -> None:
    """Fault 8.17: a negative one spun for ever."""
    data = header(FORMS[form], kind) + bytes(512) + header(name=b"next") + END
    assert [type(error) for error in both(data)] == [StreamFailed] * 4


@pytest.mark.parametrize(
    ("field", "size"),
    [
        (b"00000000017\0", 15),
        (b"         17 ", 15),
        (b" 17\0\0\0\0\0\0\0\0\0", 15),
        (b"17\0garbage  ", 15),
        (b"777777777777", 8**12 - 1),
        (b" " * 12, 0),
        (b"\0" * 12, 0),
        (b"\x80" + bytes(10) + b"\x0f", 15),
        (b"\x80" + LARGEST.to_bytes(11), LARGEST),
    ],
)
def test_sizes_are_read_in_every_form_that_writers_use(field: bytes, size: int) -> None:
    assert size_of(field) == size


@given(st.binary(min_size=12, max_size=12))
@many
def test_any_field_is_a_size_or_an_error(field: bytes) -> None:
    with suppress(StreamFailed):
        assert 0 <= size_of(field) <= LARGEST


@pytest.mark.parametrize(
    "content",
    [
        *(
            record(b"size", value)
            for value in (b"-5", b"+5", b"5_0", b"0x5", b"5e1", b"", b" ", b"9" * 25, b"9" * 5000)
        ),
        b"9" * 5000 + b" size=5\n",
        b"0 size=5\n",
        b"-9 size=5\n",
        b"99 size=5\n",
        b"size=5\n",
        b"9 size=5\n" + b"x" * 20,
    ],
)
def test_a_pax_header_that_is_none_ends_the_archive(content: bytes) -> None:
    """Fault 8.17; int() takes more than a tar may say, and fails on 5,000 digits."""
    data = pax(content) + header(octal(5)) + padded(b"abcde") + END
    assert all(isinstance(error, StreamFailed) for error in both(data))


def test_a_global_header_must_not_give_all_members_a_size() -> None:
    data = pax(record(b"size", b"1000"), b"g") + header(octal(5)) + padded(b"abcde") + END
    assert [type(error) for error in both(data)] == [StreamFailed] * 4


def test_a_pax_header_of_many_records_is_read_in_linear_time() -> None:
    """A megabyte of the shortest records; copying the rest for each would be 100 GB."""
    short, size = record(b"a", b""), record(b"size", b"5")
    content = short * ((LONGEST_META - len(size)) // len(short)) + size
    assert pax_size(content) == 5
    data = pax(content) + header(octal(0)) + padded(b"abcde") + END
    assert next(both(data)) is None


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K", b"X"])
def test_headers_before_a_member_are_bounded_in_bytes(kind: bytes) -> None:
    """Fault 8.17's kind: a long name of 8 GB was read into memory."""
    data = header(octal(LONGEST_META + 1), kind) + bytes(512)
    assert [type(error) for error in both(data)] == [StreamFailed] * 4


@pytest.mark.parametrize("kind", [b"x", b"g", b"L", b"K"])
def test_headers_before_a_member_are_bounded_in_number(kind: bytes) -> None:
    """Readers go a level deeper for each."""
    content = record(b"a", b"b") if kind in b"xg" else b"name\0"
    data = pax(content, kind) * 2000 + header() + END
    assert [type(error) for error in both(data)] == [StreamFailed] * 4
    fine = pax(content, kind) * (MOST_META - 1) + header() + END
    assert list(both(fine)) == [None] * 4


def sparse_header(more: bool) -> bytes:
    block = bytearray(header(octal(512), b"S"))
    block[482] = more
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_the_map_of_a_sparse_file_goes_by_and_is_bounded() -> None:
    extension = bytearray(512)
    extension[504] = 1
    last = bytes(512)
    fine = sparse_header(True) + bytes(extension) + last + b"x" * 512 + header() + END
    assert b"".join(whole([fine])) == fine
    endless = sparse_header(True) + bytes(extension) * 3000
    with pytest.raises(StreamFailed):
        list(whole([endless]))


@pytest.mark.parametrize(
    "data",
    [
        sparse_header(False) + b"x" * 512 + END,
        pax(record(b"GNU.sparse.major", b"1") + record(b"GNU.sparse.minor", b"0"))
        + header(octal(512))
        + padded(b"999999999\n0\n")
        + END,
        pax(record(b"GNU.sparse.map", b"0,1" * 1000)) + header() + END,
    ],
)
def test_sparse_files_pass_and_are_not_read(data: bytes) -> None:
    """Their map could be as long as the archive, and readers hold all of it."""
    assert b"".join(whole([data])) == data
    with pytest.raises(StreamFailed, match="holes"):
        list(members([data]))


@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.binary(min_size=12, max_size=12), st.binary(max_size=600)),
        max_size=5,
    )
)
@many
def test_whatever_headers_say_it_is_read_or_refused(items: list[tuple[bytes, bytes, bytes]]) -> None:
    data = b"".join(header(size, kind) + padded(content) for kind, size, content in items) + END
    assert all(
        error is None or isinstance(error, (StreamFailed, StreamCut, EngineError)) for error in both(data)
    )


def test_members_that_were_read_are_forgotten() -> None:
    """Fault 8.17's kind: an endless archive of small files filled the memory."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for number in range(50):
            tar.addfile(tarfile.TarInfo(f"f{number}"))
    assert [info.name for info, _ in members([target.getvalue()])] == [f"f{number}" for number in range(50)]
