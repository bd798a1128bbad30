"""The I/O thread: it alone calls the AMQP client library; other threads hand it calls through a queue."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

Call = Callable[[], None]


class Loop:
    """Runs calls on the I/O thread, in the order in which they were handed over.

    `failed` is called when the thread ends with an exception, also with that of a call.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._calls: deque[Call] = deque()
        self._scheduled = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="amqp", daemon=True)
        self.poller: Any = None

    def start(self) -> None:
        """Start the thread; it also runs the calls that were handed over before."""
        self._thread.start()

    def call(self, call: Call) -> None:
        """Run a call on the I/O thread: at once if that is the present thread, else later; it does not wait for it.

        Bind arguments with functools.partial: a lambda would see later values of its variables.
        """
        if threading.get_ident() == self._thread.ident and self._ready.is_set():
            call()
            return
        self._calls.append(call)
        if not self._scheduled and self._ready.is_set():
            self._scheduled = True  # one wake-up is enough for all calls until `_drain` runs
            self.poller.add_callback_threadsafe(self._drain)

    def later(self, seconds: float, call: Call) -> None:
        """Run a call after so many seconds; may be called on the I/O thread only."""
        self.poller.call_later(seconds, call)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread after the calls handed over so far, and wait for its end, 1 s at most."""
        self.call(self._stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(1)

    def _stop(self) -> None:
        self.poller.stop()

    def _run(self) -> None:
        try:  # imported on this thread, while other threads import something else
            from pika.adapters.select_connection import IOLoop

            from lib.sailor.amqp.pika_properties import install

            install()
            self.poller = IOLoop()
            self._ready.set()
            self.poller.add_callback_threadsafe(self._drain)
            self.poller.start()
        except BaseException as error:  # noqa: BLE001 - the process ends: without this thread it gets no inputs
            self._failed(error)

    def _drain(self) -> None:
        self._scheduled = False
        for _ in range(len(self._calls)):
            self._calls.popleft()()
        if self._calls and not self._scheduled:
            self._scheduled = True
            self.poller.add_callback_threadsafe(self._drain)
