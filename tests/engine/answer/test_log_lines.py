from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.answer.frames import Frame, raw
from lib.engine.answer.log_lines import LogLine, log_lines
from lib.engine.errors import StreamFailed
from tests.engine.chunkings import cut, many, places

FIRST = "2026-11-24T08:52:04.537276478Z"
SECOND = "2026-11-24T08:52:05.000000001Z"


def stamped(time: str, payload: bytes, stream: str = "stdout") -> Frame:
    return stream, time.encode() + b" " + payload


texts = st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=20), max_size=8)


@many
@given(texts, places, st.sampled_from(["\n", "\r\n"]))
def test_any_cutting_of_a_terminal_gives_the_same_lines(lines, where, end):
    data = "".join(line + end for line in lines).encode()
    found = list(log_lines(raw(cut(data, where)), tty=True))
    assert found == [LogLine("stdout", None, line) for line in lines]


@many
@given(texts, texts, places)
def test_streams_cut_into_frames_are_put_together_each_for_itself(out, err, where):
    frames: list[Frame] = []
    for name, lines in (("stdout", out), ("stderr", err)):
        data = "".join(f"{line}\n" for line in lines).encode()
        frames += [(name, piece) for piece in cut(data, where)]
    frames = frames[::2] + frames[1::2] if len(frames) < 3 else frames
    found = list(log_lines(frames))
    assert [line.text for line in found if line.stream == "stdout"] == out
    assert [line.text for line in found if line.stream == "stderr"] == err


@many
@given(st.binary(max_size=200), places, st.booleans(), st.booleans())
def test_any_bytes_give_lines(data, where, timestamps, tty):
    lines = list(log_lines(raw(cut(data, where)), timestamps, tty))
    assert all(isinstance(line.text, str) and "\n" not in line.text for line in lines)


def test_interleaved_streams_do_not_mix_their_unfinished_lines():
    frames = [("stdout", b"o1 "), ("stderr", b"e1 "), ("stdout", b"o2\n"), ("stderr", b"e2\n")]
    assert [line.as_dict() for line in log_lines(frames)] == [
        {"stream": "stdout", "time": None, "text": "o1 o2"},
        {"stream": "stderr", "time": None, "text": "e1 e2"},
    ]


def test_a_character_split_over_frames_is_whole_again():
    euro = "€".encode()
    assert list(log_lines([("stdout", euro[:1]), ("stdout", euro[1:] + b"\n")])) == [
        LogLine("stdout", None, "€")
    ]


def test_several_lines_of_one_frame_and_an_unfinished_last_one():
    lines = log_lines([("stdout", b"a\n\nb\nrest")])
    assert [line.text for line in lines] == ["a", "", "b", "rest"]


def test_times_are_kept_as_the_engine_wrote_them():
    frames = [stamped(FIRST, b"one\n"), stamped(SECOND, b"two\n", "stderr")]
    assert list(log_lines(frames, timestamps=True)) == [
        LogLine("stdout", FIRST, "one"),
        LogLine("stderr", SECOND, "two"),
    ]


def test_fragments_of_a_long_line_are_joined_and_lose_their_times():
    frames = [stamped(FIRST, b"x" * 16384), stamped(FIRST, b"y" * 16384), stamped(FIRST, b"z\n")]
    (line,) = log_lines(frames, timestamps=True)
    assert (line.time, line.text) == (FIRST, "x" * 16384 + "y" * 16384 + "z")


def test_fragments_of_two_streams_at_the_same_time_stay_apart():
    frames = [
        stamped(FIRST, b"out", "stdout"),
        stamped(FIRST, b"err", "stderr"),
        stamped(FIRST, b" more\n", "stdout"),
    ]
    assert [(line.stream, line.text) for line in log_lines(frames, timestamps=True)] == [
        ("stdout", "out more"),
        ("stderr", "err"),
    ]


def test_a_restarted_container_begins_a_new_line_behind_an_unfinished_one():
    frames = [stamped(FIRST, b"unfinished"), stamped(SECOND, b"again\n")]
    assert [(line.time, line.text) for line in log_lines(frames, timestamps=True)] == [
        (FIRST, "unfinished"),
        (SECOND, "again"),
    ]


def test_a_terminals_fragments_lose_the_times_in_their_midst():
    data = f"{FIRST} {'x' * 16384}{FIRST} {'y' * 7000}\r\n{SECOND} hi\r\n{SECOND} end".encode()
    found = list(log_lines(raw(cut(data, list(range(0, len(data), 999)))), timestamps=True, tty=True))
    assert [(line.time, line.text) for line in found] == [
        (FIRST, "x" * 16384 + "y" * 7000),
        (SECOND, "hi"),
        (SECOND, "end"),
    ]


def test_a_time_in_the_text_is_text_when_no_times_were_asked_for():
    frames = [("stdout", f"{FIRST} said the program\n".encode())]
    assert next(log_lines(frames)).text == f"{FIRST} said the program"


def test_a_line_without_the_time_that_was_asked_for_has_none():
    assert next(log_lines([("stdout", b"no time here\n")], timestamps=True)) == LogLine(
        "stdout", None, "no time here"
    )


def test_bytes_that_are_no_text_are_replaced_and_told():
    (line,) = log_lines([("stdout", b"a\xffb\n")])
    assert line.as_dict() == {"stream": "stdout", "time": None, "text": "a\ufffdb", "lossy": True}


def test_a_line_that_never_ends_comes_in_parts_and_keeps_its_characters():
    pieces = "€".encode() * 700_000  # 2.1 MB, cut inside a character by the limit of a part
    lines = list(log_lines(("stdout", pieces[at : at + 65536]) for at in range(0, len(pieces), 65536)))
    assert len(lines) == 3
    assert not any(line.lossy for line in lines)
    assert "".join(line.text for line in lines) == "€" * 700_000


def test_what_a_failing_source_had_brought_comes_before_its_failure():
    def source() -> Iterator[Frame]:
        yield "stdout", b"one\nhalf"
        raise StreamFailed("gone")

    lines = log_lines(source())
    assert [next(lines).text, next(lines).text] == ["one", "half"]
    with pytest.raises(StreamFailed):
        next(lines)
