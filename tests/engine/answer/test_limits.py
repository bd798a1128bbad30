from __future__ import annotations

from collections.abc import Iterator

import pytest

from lib.engine.answer.jsonlines import records
from lib.engine.answer.limits import Limits, Paced, bounded
from lib.engine.errors import LimitReached, NoAnswer, StreamCut


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Slow:
    """A source under a clock of our own: takes `seconds` for each chunk, or the time it is allowed."""

    def __init__(self, clock: Clock, steps: list[tuple[float, bytes]]) -> None:
        self.clock, self.steps = clock, steps
        self.timeouts: list[float | None] = []

    def set_timeout(self, seconds: float | None) -> None:
        self.timeouts.append(seconds)

    def __iter__(self) -> Iterator[bytes]:
        for seconds, chunk in self.steps:
            allowed = self.timeouts[-1] if self.timeouts else None
            if allowed is not None and seconds > allowed:
                self.clock.now += allowed
                raise TimeoutError
            self.clock.now += seconds
            yield chunk


def paced(steps: list[tuple[float, bytes]]) -> tuple[Paced, Slow, Clock]:
    clock = Clock()
    source = Slow(clock, steps)
    return Paced(source, source, clock), source, clock


def test_without_limits_everything_comes_and_nothing_is_truncated():
    items = bounded(iter([1, 2, 3]), Limits())
    assert list(items) == [1, 2, 3]
    assert items.truncated is None


def test_the_number_of_items_is_limited_without_asking_for_one_more():
    def source() -> Iterator[int]:
        yield from (1, 2)
        pytest.fail("asked for a third item, which might take for ever")

    items = bounded(source(), Limits(max_items=2))
    assert list(items) == [1, 2]
    assert items.truncated == "maxItems"


def test_an_item_that_would_pass_the_bytes_allowed_is_left_out():
    items = bounded(iter([b"abc", b"def", b"g"]), Limits(max_bytes=6), size=len)
    assert list(items) == [b"abc", b"def"]
    assert items.truncated == "maxBytes"


def test_time_is_looked_at_between_items_of_any_source():
    clock = Clock()

    def source() -> Iterator[int]:
        for item in range(10):
            clock.now += 1
            yield item

    items = bounded(source(), Limits(max_seconds=3), clock=clock)
    assert list(items) == [0, 1, 2]
    assert items.truncated == "maxSeconds"


def test_silence_ends_a_stream_that_waits():
    chunks, source, clock = paced([(1, b"a"), (2, b"b"), (9, b"c")])
    items = bounded(chunks, Limits(idle_seconds=5), clock=clock)
    assert list(items) == [b"a", b"b"]
    assert items.truncated == "idleSeconds"
    assert source.timeouts == [5, 5, 5]


def test_the_total_time_ends_a_stream_that_waits():
    chunks, source, clock = paced([(4, b"a"), (4, b"b"), (4, b"c")])
    items = bounded(chunks, Limits(max_seconds=10, idle_seconds=7), clock=clock)
    assert list(items) == [b"a", b"b"]
    assert items.truncated == "maxSeconds"
    assert source.timeouts == [7, 6, 2]


def test_the_total_time_holds_while_parts_of_an_item_trickle_in():
    chunks, _, clock = paced([(1, b'{"a": ')] + [(1, b" ")] * 100)
    chunks.pace(None, 10)
    stream = records(chunks)
    with pytest.raises(LimitReached) as caught:
        next(stream)
    assert caught.value.limit == "maxSeconds"
    assert clock.now == 110


def test_an_item_without_its_end_is_handed_out_before_the_limit_ends_the_stream():
    chunks, _, clock = paced([(1, b'{"a":1}\n{"b":2}'), (60, b"\n")])
    items = bounded(records(chunks), Limits(idle_seconds=5), pace=chunks.pace, clock=clock)
    assert list(items) == [{"a": 1}, {"b": 2}]
    assert items.truncated == "idleSeconds"


def test_a_source_that_breaks_before_its_time_is_no_limit():
    def source() -> Iterator[bytes]:
        yield b"a"
        raise NoAnswer("reset")

    chunks = Paced(source())
    chunks.pace(5, 50)
    assert next(chunks) == b"a"
    with pytest.raises(NoAnswer, match="reset"):
        next(chunks)


def test_an_error_of_the_stream_is_passed_on():
    items = bounded(records([b'{"a":1}\n{"b']), Limits(max_items=5))
    assert next(items) == {"a": 1}
    with pytest.raises(StreamCut):
        next(items)


def test_leaving_a_bounded_stream_closes_its_source():
    closed = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(True)

    with bounded(source(), Limits(max_items=1)) as items:
        assert list(items) == [0]
        assert not closed
    assert closed == [True]


def test_a_stream_that_ended_stays_ended():
    items = bounded(iter([1, 2, 3]), Limits(max_items=1))
    assert list(items) == [1]
    assert list(items) == []


def test_a_limit_of_bytes_without_a_size_is_refused():
    with pytest.raises(ValueError, match="max_bytes"):
        bounded(iter([b"x"]), Limits(max_bytes=1))
