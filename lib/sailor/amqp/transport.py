"""The Transport over AMQP: the calls of workers and of the main thread, each handed to the I/O thread.

Workers take from one queue: inputs, and publishes that must be repeated (`Job`). None in it ends a worker.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

from lib.sailor.amqp.consumer import Consumer
from lib.sailor.amqp.io_thread import Loop
from lib.sailor.amqp.publish_retry import Job, ReliablePublisher
from lib.sailor.amqp.reconnecting import ReconnectingChannel
from lib.sailor.errors import StorageError, TransportError
from lib.sailor.logging import Logger
from lib.sailor.settings import Settings
from lib.sailor.transport import Delivery, Done, Outgoing

CANCEL_SECONDS = 1.0
CLOSING_SECONDS = 2.0


class Objects(Protocol):
    """The object storage; its methods are those of `Transport`."""

    def get_object(self, object_id: str, request_id: str, most: int) -> bytes: ...

    def put_object(self, data: bytes, request_id: str) -> str: ...


class AmqpTransport:
    """A Transport with two connections: acks can go out while the broker blocks publishes (protocol 3.1).

    `failed` is called, on any thread, with an error that ends the process.
    """

    def __init__(
        self,
        settings: Settings,
        logger: Logger,
        failed: Callable[[BaseException], None],
        objects: Objects | None = None,
    ) -> None:
        self._settings = settings
        self._logger = logger
        self._objects = objects
        self._failed = failed
        self._stopped = threading.Event()
        self._waiting: queue.SimpleQueue[Delivery | Job | None] = queue.SimpleQueue()
        self._loop = Loop(failed)
        self._reading = ReconnectingChannel(self._loop, settings, "read", logger)
        self._writing = ReconnectingChannel(self._loop, settings, "write", logger)
        self._consumer = Consumer(self._reading, settings, logger, self._waiting.put, self._consume_failed)
        self._publisher = ReliablePublisher(self._loop, self._writing, settings, logger, self._waiting.put)
        self._consume_error: TransportError | None = None

    def open(self) -> None:
        """Begin to connect, and return at once."""
        self._loop.start()
        self._reading.open(self._consumer)
        self._writing.open(self._publisher.publisher)

    def wait_open(self) -> None:
        """Return when both connections are open; TransportError when one cannot be opened."""
        for link in (self._reading, self._writing):
            link.is_ready.wait()
            if link.error is not None:
                raise link.error

    def consume(self) -> None:
        """Return when the broker delivers inputs; TransportError when it refuses, for example without the queue."""
        self._loop.call(self._consumer.consume)
        self._consumer.consuming.wait()
        if self._consume_error is not None:
            raise self._consume_error

    def cancel(self) -> None:
        """Stop consuming; return when the broker has agreed, after CANCEL_SECONDS at most."""
        agreed = threading.Event()
        self._loop.call(partial(self._consumer.cancel, agreed.set))
        agreed.wait(CANCEL_SECONDS)

    def release(self, workers: int) -> None:
        """Drop inputs that no worker has taken, and end `workers` workers when no publish is unconfirmed any more."""
        kept = []
        with contextlib.suppress(queue.Empty):
            while True:
                if not isinstance(item := self._waiting.get_nowait(), Delivery):
                    kept.append(item)
        for item in kept:
            self._waiting.put(item)
        self._publisher.when_quiet(partial(self._end_workers, workers))

    def abandon(self) -> None:
        """Make all publishes fail, and ack nothing any more: inputs in work go back to the queue."""
        self._stopped.set()
        self._publisher.stop()

    def close(self) -> None:
        """Close both connections after all data written so far, within CLOSING_SECONDS."""
        self._stopped.set()
        if not self._loop.alive:
            return
        left = threading.Semaphore(0)
        self._loop.call(partial(self._writing.close, left.release))
        self._loop.call(partial(self._reading.close, left.release))
        deadline = time.monotonic() + CLOSING_SECONDS
        for _ in range(2):
            left.acquire(timeout=max(deadline - time.monotonic(), 0))
        self._loop.stop()

    def receive(self) -> Delivery | None:
        """Return the next input, None when no more will come; repeat publishes meanwhile."""
        while True:
            item = self._waiting.get()
            if item is None or isinstance(item, Delivery):
                return item
            item()

    def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
        self._publisher.publish(outgoing, done)

    def finish(self, delivery: Delivery, ok: bool) -> None:
        if not self._stopped.is_set():
            self._loop.call(partial(self._consumer.finish, delivery.origin[0], ok))

    def get_object(self, object_id: str, request_id: str, most: int) -> bytes:
        return self._storage().get_object(object_id, request_id, most)

    def put_object(self, data: bytes, request_id: str) -> str:
        return self._storage().put_object(data, request_id)

    def _storage(self) -> Objects:
        if self._objects is None:
            raise StorageError("There is no object storage: ELASTICIO_OBJECT_STORAGE_URI is not set")
        return self._objects

    def _end_workers(self, count: int) -> None:
        for _ in range(count):
            self._waiting.put(None)

    def _consume_failed(self, error: TransportError) -> None:
        self._consume_error = error
        if self._consumer.consuming.is_set():
            self._failed(error)
        else:
            self._consumer.consuming.set()
