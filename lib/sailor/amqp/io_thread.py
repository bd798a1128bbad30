"""The one thread that does all AMQP input and output; others hand it calls."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

Call = Callable[[], None]


class Loop:
    """Runs calls on the I/O thread in the order in which they were handed over."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._calls: deque[Call] = deque()
        self._scheduled = False
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="amqp", daemon=True)
        self.poller: Any = None

    def start(self) -> None:
        """Start the thread; calls handed over from now on are run."""
        self._thread.start()

    def call(self, call: Call) -> None:
        """Run a call on the thread, at once when this is it; bind arguments with functools.partial, not a lambda."""
        if threading.get_ident() == self._thread.ident and self._ready.is_set():
            call()
            return
        self._calls.append(call)
        if not self._scheduled and self._ready.is_set():
            self._scheduled = True  # one wake-up serves everything that gathers until it is heard
            self.poller.add_callback_threadsafe(self._drain)

    def later(self, seconds: float, call: Call) -> None:
        """Run a call after a while; on the thread only."""
        self.poller.call_later(seconds, call)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the thread after the calls that are there, and wait for it a moment."""
        self.call(self._stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(1)

    def _stop(self) -> None:
        self.poller.stop()

    def _run(self) -> None:
        try:  # imported late and on this thread: the others load something else meanwhile
            from pika.adapters.select_connection import IOLoop

            from lib.sailor.amqp.pika_properties import install

            install()
            self.poller = IOLoop()
            self._ready.set()
            self.poller.add_callback_threadsafe(self._drain)
            self.poller.start()
        except BaseException as error:  # noqa: BLE001 - without this thread the process is deaf; it must not live on
            self._failed(error)

    def _drain(self) -> None:
        self._scheduled = False
        for _ in range(len(self._calls)):
            self._calls.popleft()()
        if self._calls and not self._scheduled:
            self._scheduled = True
            self.poller.add_callback_threadsafe(self._drain)
