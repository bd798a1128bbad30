from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.answer.frames import frames, raw
from lib.engine.errors import EngineError, StreamCut, StreamFailed
from tests.engine.chunkings import bytewise, cut, many, places

NAMES = ("stdin", "stdout", "stderr")


def frame(kind: int, payload: bytes) -> bytes:
    return struct.pack(">BxxxI", kind, len(payload)) + payload


parts = st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=60)), max_size=12)


@many
@given(parts, places)
def test_any_cutting_gives_the_same_frames(items, where):
    data = b"".join(frame(kind, payload) for kind, payload in items)
    expected = [(NAMES[kind], payload) for kind, payload in items if payload]
    assert list(frames(cut(data, where))) == expected
    assert list(frames(bytewise(data))) == expected


@many
@given(st.binary(max_size=200), places)
def test_rubbish_ends_in_an_error_of_ours_or_in_frames(data, where):
    try:
        found = list(frames(cut(data, where)))
    except EngineError:
        return
    assert all(name in NAMES and payload for name, payload in found)


@many
@given(parts, st.integers(1, 7), places)
def test_an_end_inside_a_frame_is_a_cut_that_counts_the_whole_ones(items, missing, where):
    data = b"".join(frame(kind, payload) for kind, payload in items) + frame(1, b"1234567")[:-missing]
    with pytest.raises(StreamCut, match=f"inside frame {len(items) + 1}; {len(items)} came whole"):
        list(frames(cut(data, where)))


def test_an_end_inside_a_header_is_a_cut():
    with pytest.raises(StreamCut) as caught:
        list(frames([frame(1, b"a") + b"\1\0\0"]))
    assert caught.value.records == 1


def test_the_engines_own_error_is_raised_after_the_frames_before_it():
    stream = frames([frame(1, b"a") + frame(3, b"error grabbing logs: broken\n") + frame(1, b"b")])
    assert next(stream) == ("stdout", b"a")
    with pytest.raises(StreamFailed, match=r"^error grabbing logs: broken$"):
        next(stream)


def test_the_output_of_a_terminal_is_told_from_frames():
    with pytest.raises(StreamFailed, match="no frame") as caught:
        list(frames([b"total 12\r\ndrwxr-xr-x 2 root"]))
    assert "Tty" in str(caught.value)


def test_an_absurd_length_fails_at_once_instead_of_filling_the_memory():
    stream = frames(iter([b"\1\0\0\0\xff\xff\xff\xff", b"never read"]))
    with pytest.raises(StreamFailed):
        next(stream)


def test_a_terminals_output_is_passed_on_as_stdout():
    assert list(raw([b"a\r\n", b"", b"\1\0\0\0"])) == [("stdout", b"a\r\n"), ("stdout", b"\1\0\0\0")]


def test_a_megabyte_in_small_pieces_is_one_frame():
    data = frame(2, b"z" * (1 << 20))
    assert [len(payload) for _, payload in frames(cut(data, list(range(0, len(data), 100))))] == [1 << 20]
