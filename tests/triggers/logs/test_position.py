from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.engine.errors import StreamFailed
from lib.trigger.clock import iso
from lib.trigger.logs.frames import Frame, framed, terminal
from lib.trigger.logs.position import Position, Tail, read

BIG = 1 << 30
LATE = 1 << 62


def frame(time: int, text: str, stream: str = "stdout", *, ended: bool = True) -> Frame:
    return Frame(stream, time, text.encode() + (b"\n" if ended else b""), ended)


def since(frames: list[Frame], position: Position) -> list[Frame]:
    """As the engine reads: from the first frame that is not older, all that follows."""
    for place, one in enumerate(frames):
        if one.time >= position.time:
            return frames[place:]
    return []


def follow(frames: list[Frame], position: Position, *, settled: int = LATE, limit: int = BIG) -> Tail:
    return read(since(frames, position), position, settled=settled, limit=limit)


def texts(tail: Tail) -> list[str]:
    return [line.text for line in tail.lines]


def test_lines_with_one_timestamp_are_told_once_however_they_are_read() -> None:
    log = [frame(7, f"line {number}") for number in range(5)]
    first = follow(log[:2], Position())
    second = follow(log[:3], first.position)
    third = follow(log, second.position)
    assert (texts(first), texts(second), texts(third)) == (
        ["line 0", "line 1"],
        ["line 2"],
        ["line 3", "line 4"],
    )
    assert follow(log, third.position).lines == []


def test_fragments_of_one_time_are_joined() -> None:
    log = [frame(5, "a" * 10, ended=False), frame(5, "b" * 10, ended=False), frame(5, "c")]
    tail = follow(log, Position())
    assert (texts(tail), tail.lines[0].whole) == (["a" * 10 + "b" * 10 + "c"], True)


def test_fragments_of_both_streams_are_not_mixed_up() -> None:
    log = [frame(5, "out", ended=False), frame(6, "err", "stderr"), frame(5, " put")]
    tail = follow(log, Position())
    assert [(line.stream, line.text) for line in tail.lines] == [("stderr", "err"), ("stdout", "out put")]


def test_an_unfinished_last_line_is_held_back_and_not_lost() -> None:
    log = [frame(4, "whole"), frame(5, "begin", ended=False)]
    first = follow(log, Position(), settled=5)
    log.append(frame(5, "-end"))
    second = follow(log, first.position, settled=5)
    assert (texts(first), texts(second)) == (["whole"], ["begin-end"])


def test_what_follows_an_unfinished_line_is_held_back_with_it() -> None:
    log = [frame(5, "begin", ended=False), frame(6, "other", "stderr")]
    first = follow(log, Position(), settled=5)
    log.append(frame(5, "-end"))
    assert (texts(first), texts(follow(log, first.position, settled=5))) == ([], ["other", "begin-end"])


def test_an_unfinished_line_that_never_ends_is_told_as_it_stands() -> None:
    tail = follow([frame(5, "prompt> ", ended=False)], Position(), settled=6)
    assert (texts(tail), tail.lines[0].whole) == (["prompt> "], False)
    assert follow([frame(5, "prompt> ", ended=False)], tail.position, settled=6).lines == []


def test_a_line_that_never_ended_is_not_joined_with_the_next_start_of_the_container() -> None:
    log = [frame(5, "last words", ended=False), frame(9, "started again")]
    assert texts(follow(log, Position())) == ["last words", "started again"]


def test_a_log_rotated_beyond_the_anchor_is_a_gap_and_told_as_a_whole() -> None:
    log = [frame(number, f"line {number}") for number in range(1, 10)]
    position = follow(log[:3], Position()).position
    tail = follow(log[5:], position)
    assert (tail.gap, texts(tail)) == ("rotated", [f"line {number}" for number in range(6, 10)])


def test_a_log_that_was_emptied_is_a_gap_once() -> None:
    position = follow([frame(5, "line")], Position()).position
    tail = follow([], position)
    assert (tail.gap, tail.lines) == ("rotated", [])
    again = follow([frame(9, "new")], tail.position)
    assert (again.gap, texts(again)) == (None, ["new"])


def test_another_log_with_the_same_times_is_a_gap() -> None:
    position = follow([frame(5, "one"), frame(5, "two")], Position()).position
    tail = follow([frame(5, "other"), frame(5, "lines"), frame(6, "here")], position)
    assert (tail.gap, texts(tail)) == ("rewritten", ["here"])


def test_a_log_with_fewer_frames_than_were_told_is_a_gap() -> None:
    position = follow([frame(5, "one"), frame(5, "two"), frame(5, "three")], Position()).position
    assert follow([frame(5, "one")], position).gap == "rewritten"


def test_a_place_of_version_1_knows_the_last_frame_only_and_is_read_on_from() -> None:
    log = [frame(5, "one"), frame(5, "two"), frame(5, "three")]
    old = Position(5, 2, log[1].hash, of_last=True)
    first = follow(log[:2], old)
    assert (first.gap, first.lines, first.position.of_last) == (None, [], False)
    for position in (old, first.position):
        tail = follow(log, position)
        assert (tail.gap, texts(tail)) == (None, ["three"])
        assert follow(log, tail.position).gap is None


def test_times_that_go_back_lose_and_repeat_nothing() -> None:
    times = [10, 20, 30, 5, 6, 7, 31, 32]
    log = [frame(time, f"line {place}") for place, time in enumerate(times)]
    position, told = Position(), []
    for end in range(1, len(log) + 1):
        tail = follow(log[:end], position)
        assert tail.gap is None
        told += texts(tail)
        position = tail.position
    assert told == [f"line {place}" for place in range(len(times))]


def test_a_limit_of_bytes_ends_a_reading_and_the_next_goes_on() -> None:
    log = [frame(number, "x" * 100 + str(number)) for number in range(1, 8)]
    position, told, rounds = Position(), [], 0
    while True:
        tail = follow(log, position, limit=250)
        told += texts(tail)
        position = tail.position
        rounds += 1
        if not tail.more:
            break
    assert told == [line.data.decode().strip() for line in log]
    assert rounds == 3


def test_one_line_longer_than_the_limit_still_gets_through() -> None:
    log = [frame(1, "x" * 1000), frame(2, "y")]
    assert texts(follow(log, Position(), limit=10)) == ["x" * 1000]


def test_a_moment_is_a_start_too_and_what_is_not_later_is_passed_over() -> None:
    log = [frame(5, "old"), frame(6, "old too"), frame(7, "new")]
    tail = follow(log, Position(6))
    assert (texts(tail), tail.gap) == (["new"], None)


def test_frames_begin_with_their_times() -> None:
    payload = b"2026-01-01T00:00:00.000000007Z hello\n"
    assert list(framed([("stderr", payload)])) == [
        Frame("stderr", 1_767_225_600_000_000_007, b"hello\n", ended=True)
    ]


@pytest.mark.parametrize("size", [1, 7, 100, 16384, 1 << 20])
def test_a_terminals_output_is_parted_at_line_ends_wherever_it_is_cut(size: int) -> None:
    first, second = (
        f"{iso(1_767_225_600_000_000_001)} ".encode(),
        f"{iso(1_767_225_600_000_000_002)} ".encode(),
    )
    output = first + b"short\r\n" + second + b"a" * 16384 + second + b"b" * 20 + b"\r\n"
    chunks = [("stdout", output[start : start + size]) for start in range(0, len(output), size)]
    tail = read(terminal(chunks), Position(), settled=LATE, limit=BIG)
    assert texts(tail) == ["short", "a" * 16384 + "b" * 20]


@dataclass
class Writer:
    """A container's log in the making: lines of both streams, some in fragments, some without an end."""

    chance: random.Random
    log: list[Frame] = field(default_factory=list)
    whole: list[str] = field(default_factory=list)
    time: int = 100

    def write(self, count: int) -> None:
        for _ in range(count):
            self.time += self.chance.choice((0, 0, 1, 5))
            stream = self.chance.choice(("stdout", "stderr"))
            fragments = self.chance.choice((1, 1, 1, 3))
            name = f"{len(self.whole)}"
            for piece in range(fragments):
                self.log.append(frame(self.time, f"{name}.{piece};", stream, ended=piece == fragments - 1))
            self.whole.append("".join(f"{name}.{piece};" for piece in range(fragments)))


@settings(max_examples=200)
@given(st.lists(st.integers(0, 6), max_size=12), st.randoms(use_true_random=False), st.integers(1, 60))
def test_every_line_is_told_once_whenever_it_is_looked_at(
    bursts: list[int], chance: random.Random, limit: int
) -> None:
    writer, position, told = Writer(chance), Position(), []
    for burst in (*bursts, 0):
        writer.write(burst)
        cut = len(writer.log) if burst == 0 else chance.randint(0, len(writer.log))
        visible = writer.log[: max(cut, _seen(position, writer.log))]
        tail = follow(visible, position, settled=0, limit=limit)
        assert tail.gap is None
        told += texts(tail)
        position = tail.position
    while (tail := follow(writer.log, position, settled=0, limit=limit)).lines:
        told += texts(tail)
        position = tail.position
    assert told == writer.whole


def _seen(position: Position, log: list[Frame]) -> int:
    """How much of a log lies before a position: a log never becomes shorter by itself."""
    start = next((place for place, one in enumerate(log) if one.time >= position.time), len(log))
    return start + position.count


@pytest.mark.parametrize(
    "time", ["9999-99-99T99:99:99Z", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-12:00"]
)
def test_a_log_time_that_is_none_is_a_failed_stream(time: str) -> None:
    """Fault 8.30: it was a ValueError."""
    for frames in (framed, terminal):
        with pytest.raises(StreamFailed, match="time"):
            list(frames([("stdout", f"{time} a\n".encode())]))
