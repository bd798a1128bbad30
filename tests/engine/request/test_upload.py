from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.request.upload import PIECE, Upload, UploadBroken, pieces
from tests.engine.chunkings import cut, many, places


@many
@given(st.binary(max_size=400), places, st.integers(1, 50))
def test_pieces_have_one_size_and_hold_the_same_bytes(data, where, size):
    found = list(pieces(cut(data, where), size))
    assert b"".join(found) == data
    assert {len(piece) for piece in found[:-1]} <= {size}
    assert all(0 < len(piece) <= size for piece in found)


def test_an_upload_has_a_length_only_if_the_size_is_known():
    assert len(Upload([b"abc"], 3)) == 3
    assert len(Upload(b"abcd")) == 4
    assert not hasattr(Upload([b"abc"]), "__len__")


def test_an_empty_upload_is_an_upload():
    upload = Upload(b"")
    assert upload
    assert list(upload) == []


def test_what_can_be_opened_anew_can_be_sent_twice():
    upload = Upload(lambda: iter([b"a", b"b"]), 2, "application/json")
    assert [list(upload), list(upload)] == [[b"ab"], [b"ab"]]
    assert upload.repeatable
    assert upload.content_type == "application/json"


def test_what_can_be_read_once_is_not_sent_twice():
    upload = Upload(iter([b"abc"]))
    assert not upload.repeatable
    assert not upload.started
    assert list(upload) == [b"abc"]
    assert upload.started
    with pytest.raises(UploadBroken, match="only once"):
        list(upload)


def test_a_source_that_ends_early_is_told_from_a_whole_one():
    upload = Upload([b"x" * PIECE, b"y"], PIECE + 2)
    with pytest.raises(UploadBroken, match=f"ended after {PIECE + 1} of {PIECE + 2} bytes"):
        list(upload)


def test_a_source_that_gives_more_than_announced_sends_none_of_it():
    sent = []
    with pytest.raises(UploadBroken, match="more than the 2 bytes"):
        sent.extend(Upload([b"abc"], 2))
    assert sent == []


def test_an_upload_shows_its_size_and_not_its_content():
    assert repr(Upload(b"secret")) == "<Upload application/x-tar, 6 bytes>"
