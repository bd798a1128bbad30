"""The end of an output: its bytes, its characters, and a room that is too small."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import jsontext
from lib.job.run.tail import Tail

PIECES = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(min_size=1, max_size=40)), max_size=30
)


def tail_of(most: int, *pieces: tuple[str, bytes]) -> Tail:
    tail = Tail(most)
    for stream, data in pieces:
        tail.add(stream, data)
    return tail


@given(PIECES, st.integers(0, 300))
def test_each_output_keeps_its_end(pieces: list[tuple[str, bytes]], most: int) -> None:
    pieces = [(stream, data.hex().encode()) for stream, data in pieces]
    told = tail_of(most, *pieces).body(10**6)
    whole = {
        name: "".join(data.decode() for stream, data in pieces if stream == name)
        for name in ("stdout", "stderr")
    }
    size = sum(map(len, whole.values()))
    assert len(told["stdout"]) + len(told["stderr"]) == min(size, most)
    for name, text in whole.items():
        assert text.endswith(told[name])
        assert len(told[name]) >= min(len(text), most // 2)
    assert ("truncated" in told) == (size > most)
    assert sorted(told["text"]) == sorted(told["stdout"] + told["stderr"])


@given(st.text(max_size=200), st.integers(1, 50), st.integers(0, 100))
def test_no_character_is_halved(text: str, piece: int, most: int) -> None:
    data = text.encode("utf-8", "replace")
    pieces = [("stdout", data[start : start + piece]) for start in range(0, len(data), piece)]
    assert data.decode().endswith(tail_of(most, *pieces).body(10**6)["stdout"])


@pytest.mark.parametrize("room", [0, 50, 60, 100, 1000, 5000])
def test_what_fills_the_message_is_cut(room: int) -> None:
    told = tail_of(10**6, ("stdout", b'"' * 10_000), ("stderr", b"end")).body(room)
    assert told.pop("truncated") == "messageSize"
    assert told["stdout"] == "" or len(jsontext.encode(told)) <= room


def test_what_is_no_output_counts_for_nothing() -> None:
    assert tail_of(10, ("stdin", b"x")).body(1000) == {"stdout": "", "stderr": "", "text": ""}
