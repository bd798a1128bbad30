"""Runs a bounded number of calls at once and yields their outcomes in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Calls that may be started ahead of the outcome to yield next, for each of `at_once`."""


def parallel(
    things: Sequence[T], work: Callable[[T], R], at_once: int, stopped: Callable[[], bool] = lambda: False
) -> Iterator[tuple[T, Callable[[], R]]]:
    """Yield (thing, outcome) in the order of `things`; `outcome()` returns or raises what `work(thing)` did.

    At most `at_once` calls run at the same time, each on its own thread. Once `stopped()` is true no call is started,
    and the things without a call are not yielded. Closing the iterator waits for running calls.
    """
    if len(things) <= 1 or at_once <= 1:
        for thing in things:
            if stopped():
                return
            yield thing, lambda thing=thing: work(thing)  # type: ignore[misc]
        return
    from concurrent.futures import Future, ThreadPoolExecutor  # imported late: most polls need no threads

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
    """The call was not started."""


def _unless(stopped: Callable[[], bool], work: Callable[[T], R], thing: T) -> R:
    if stopped():
        raise _Stopped
    return work(thing)
