"""Calls on threads of their own; what each of them returns or raises is handed on to the test that made it.

An exception that stays in a thread fails no test, or the next one, by a warning that does not say what it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from tests.lab.waiting import DEADLINE, ended

T = TypeVar("T")


class Beside(Generic[T]):
    """A call that runs while the test goes on."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._future: Future[T] = Future()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._future.set_result(self._call())
        except BaseException as fault:  # noqa: BLE001 - raised again in the test
            self._future.set_exception(fault)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for its end, return what it returned, and raise what it raised."""
        ended(self._thread)
        return self._future.result()


def beside(call: Callable[..., T], *values: Any, **named: Any) -> Beside[T]:
    """Begin a call; `result()` waits for its end."""
    return Beside(lambda: call(*values, **named))


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Make calls that begin at one moment, and return what they return, in their order.

    All of them have ended, then. What one raised is raised again, what several raised as a group.
    """
    together = threading.Barrier(len(calls))

    def begun(call: Callable[[], T]) -> T:
        together.wait(DEADLINE)
        return call()

    running = [beside(begun, call) for call in calls]
    results: list[T] = []
    faults: list[BaseException] = []
    for one in running:
        try:
            results.append(one.result())
        except BaseException as fault:  # noqa: BLE001 - raised below
            faults.append(fault)
    if len(faults) > 1:
        raise BaseExceptionGroup(f"{len(faults)} of {len(calls)} calls failed", faults)
    for fault in faults:
        raise fault
    return results
