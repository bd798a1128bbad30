"""A bounded number of calls at once, their outcomes in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Outcomes that wait behind a slow one, for each call at once."""


def parallel(
    things: Sequence[T], work: Callable[[T], R], at_once: int, stopped: Callable[[], bool] = lambda: False
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Yield each thing and a function that returns what `work` gave for it, or raises what it raised, in order.

    At most `at_once` calls run at the same time, each on a thread. After `stopped` none is begun any more: the rest
    of the things is not yielded. Closing the iterator waits for the calls that run.
    """
    if len(things) <= 1 or at_once <= 1:
        for thing in things:
            if stopped():
                return
            yield thing, lambda thing=thing: work(thing)  # type: ignore[misc]
        return
    from concurrent.futures import Future, ThreadPoolExecutor  # late: a quiet poll needs none

    waiting: deque[tuple[T, Future[R]]] = deque()
    rest = iter(things)
    pool = ThreadPoolExecutor(min(at_once, len(things)), "poll")
    try:
        while True:
            for thing in islice(rest, at_once * AHEAD - len(waiting)):
                waiting.append((thing, pool.submit(_unless, stopped, work, thing)))
            if not waiting:
                return
            thing, future = waiting.popleft()
            if isinstance(future.exception(), _Stopped):
                return
            yield thing, future.result
    finally:
        pool.shutdown(cancel_futures=True)


class _Stopped(Exception):
    """The call was not begun."""


def _unless(stopped: Callable[[], bool], work: Callable[[T], R], thing: T) -> R:
    if stopped():
        raise _Stopped
    return work(thing)
