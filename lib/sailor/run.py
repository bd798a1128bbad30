"""`python -m lib.sailor.run`: run one step of a flow until the platform ends it (protocol 2 and 9).

The main thread starts the thread `startup` and then only waits for events in one queue: the start is done, a thread
failed, a signal came, all workers are done, or the deadline is over. So a signal is handled at any time. The picture
of the states is in docs/architecture.md#the-lifetime-of-a-step.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import signal
import threading
import time
from collections.abc import Mapping
from enum import Enum
from typing import Any

from lib.sailor.ending import end_process
from lib.sailor.errors import SettingsError
from lib.sailor.logging import Logger, catch_uncaught, open_logger
from lib.sailor.settings import Settings
from lib.sailor.stdlog import forward_library_logs

LONGEST_WAIT = 0.25
"""Upper bound of one wait, in seconds: a signal just before `get` blocks does not wake it."""
COLLECTED_AFTER = 10_000
"""New objects before a garbage collection (Python: 700). One list of the engine has thousands of objects."""
ASKED_AFTER = 0.8
"""Part of the shutdown deadline after which `context.cancelled` is set (protocol 9)."""


class Event(Enum):
    """The events of the main thread; signals and exceptions are put into the same queue."""

    STARTED = "started"
    IDLE = "idle"
    TIME_IS_UP = "time is up"


class Run:
    """One step from its start to its end; call it once, on the main thread."""

    def __init__(self, settings: Settings, logger: Logger) -> None:
        from lib.sailor.startup import Startup

        self._settings = settings
        self._logger = logger
        # A signal handler may interrupt `get` and call `put`; SimpleQueue allows that, Queue does not.
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._startup = Startup(settings, logger, self._events.put, lambda: self._events.put(Event.IDLE))

    def __call__(self) -> int:
        """Run the step to its end and return the exit code."""
        for wanted in (signal.SIGTERM, signal.SIGINT):
            signal.signal(wanted, lambda number, _: self._events.put(signal.Signals(number)))
        threading.Thread(target=self._start, name="startup", daemon=True).start()
        event = self._next()
        started = event is Event.STARTED
        if started:
            event = self._next()
        if isinstance(event, BaseException):
            return self._failed(event)
        return self._stop(event, started=started)

    def _start(self) -> None:
        try:
            self._startup.run()
        except BaseException as error:  # noqa: BLE001 - the main thread handles it
            self._events.put(error)
        else:
            self._events.put(Event.STARTED)

    def _failed(self, error: BaseException) -> int:
        self._logger.fatal("putOutToSea.catch", err=error)
        self._startup.transport.abandon()
        self._startup.transport.close()
        return 1

    def _stop(self, received: signal.Signals, *, started: bool) -> int:
        """Take no new inputs, wait for those in work, close the connections; give up at the deadline.

        Returns the exit code.
        """
        self._logger.info(f"Received {received.name}")
        seconds = self._settings.shutdown_deadline / 1000
        now = time.monotonic()
        if not started:
            event = self._wait(now + seconds, Event.STARTED)
            if event is not Event.STARTED:
                return self._failed(event) if isinstance(event, BaseException) else self._give_up(event)
        transport, workers = self._startup.transport, self._startup.workers
        transport.cancel()
        transport.release(workers.count if workers else 0)
        event = self._wait(now + seconds * ASKED_AFTER, Event.IDLE)
        if event is Event.TIME_IS_UP:
            self._logger.warning("Messages are still in work; their functions are asked to end")
            self._startup.cancelled.set()
            event = self._wait(now + seconds, Event.IDLE)
        if event is not Event.IDLE:
            return self._failed(event) if isinstance(event, BaseException) else self._give_up(event)
        transport.close()
        self._logger.info("Ended in order")
        return 0

    def _wait(self, deadline: float, wanted: Event) -> Any:
        """Return the wanted event, an exception, SIGINT, or TIME_IS_UP at the deadline (seconds, time.monotonic())."""
        while True:
            event = self._next(deadline)
            if (
                event is Event.TIME_IS_UP
                or event is wanted
                or event is signal.SIGINT
                or isinstance(event, BaseException)
            ):
                return event

    def _next(self, deadline: float = float("inf")) -> Any:
        """Return the next event, TIME_IS_UP when none comes by the deadline (seconds, time.monotonic())."""
        while (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                return self._events.get(timeout=min(left, LONGEST_WAIT))
        return Event.TIME_IS_UP

    def _give_up(self, why: Event | signal.Signals) -> int:
        """End at once, without acks: the broker puts inputs in work back into the queue. Returns the exit code."""
        self._logger.warning(
            f"Ended before everything was finished ({why.name}); inputs in work go back to the queue"
        )
        self._startup.cancelled.set()
        self._startup.transport.abandon()
        self._startup.transport.close()
        return 0


def main(environment: Mapping[str, str]) -> int:
    """Run the step that the environment describes and return the exit code."""
    gc.set_threshold(COLLECTED_AFTER)
    logger = open_logger(environment)
    catch_uncaught(logger)
    try:
        settings = Settings.read(environment)
    except SettingsError as error:
        logger.fatal("process.uncaughtException", err=error)
        return 1
    logger.secrets.add(settings.secrets())
    forward_library_logs(logger)
    for doubt in settings.doubts:
        logger.warning(doubt)
    if settings.hook_shutdown:
        return _shut_down(settings, logger)
    return Run(settings, logger)()


def _shut_down(settings: Settings, logger: Logger) -> int:
    from lib.sailor.hooks import run_shutdown

    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # protocol 2.5: the platform ends the container after 60 s
    try:
        run_shutdown(settings, logger)
    except Exception as error:  # noqa: BLE001 - the hook may raise anything
        logger.fatal("putOutToSea.catch", err=error)
        return 1
    return 0


if __name__ == "__main__":
    end_process(main(os.environ))  # a worker may still run a function
