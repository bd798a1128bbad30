"""The AMQP side of the seam: what workers and the main thread call; the I/O thread is behind it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from lib.sailor.amqp.consumer import Consumer
from lib.sailor.amqp.link import Link
from lib.sailor.amqp.loop import Loop
from lib.sailor.amqp.publisher import Letter, Outcome, Publisher
from lib.sailor.errors import StorageError, TransportError, Undeliverable
from lib.sailor.logging import Logger
from lib.sailor.settings import Settings
from lib.sailor.transport import Delivery, Kind, Outgoing

HOPELESS = (Outcome.UNROUTABLE, Outcome.IMPOSSIBLE)
ATTEMPTS_WHEN_HOPELESS = 5
CLOSING_SECONDS = 3.0


class Objects(Protocol):
    """The object storage beside the broker."""

    def get_object(self, object_id: str, request_id: str) -> bytes: ...

    def put_object(self, data: bytes, request_id: str) -> str: ...


class AmqpTransport:
    """Two connections, so that acks travel while the broker blocks the publishing one (protocol 3.1)."""

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
        self._deliveries: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._loop = Loop(failed)
        self._reading = Link(self._loop, settings, "read", logger)
        self._writing = Link(self._loop, settings, "write", logger)
        self._consumer = Consumer(self._reading, settings, logger, self._deliveries.put, self._consume_failed)
        self._publisher = Publisher(self._writing)
        self._addresses = {
            Kind.DATA: settings.data_routing_key,
            Kind.ERROR: settings.error_routing_key,
            Kind.REBOUND: settings.rebound_routing_key,
            Kind.SNAPSHOT: settings.snapshot_routing_key,
        }
        self._attempts = settings.amqp_publish_retry_attempts or float("inf")
        self._consume_error: TransportError | None = None

    def open(self) -> None:
        """Begin to connect; returns at once."""
        self._loop.start()
        self._reading.open(self._consumer)
        self._writing.open(self._publisher)

    def wait_open(self) -> None:
        """Return when both connections are open; TransportError when one cannot be opened."""
        for link in (self._reading, self._writing):
            link.is_ready.wait()
            if link.error is not None:
                raise link.error

    def consume(self) -> None:
        """Return when the broker has agreed to deliver; TransportError when it has not."""
        self._loop.call(self._consumer.consume)
        self._consumer.consuming.wait()
        if self._consume_error is not None:
            raise self._consume_error

    def cancel(self) -> None:
        """Take no further inputs; the workers' `receive` ends. Returns when the broker knows, or after a moment."""
        agreed = threading.Event()
        self._loop.call(partial(self._consumer.cancel, agreed.set))
        agreed.wait(CLOSING_SECONDS)

    def release(self, workers: int) -> None:
        """Make `receive` return None to so many workers, and drop inputs that none of them has taken."""
        while True:
            try:
                self._deliveries.get_nowait()
            except queue.Empty:
                break
        for _ in range(workers):
            self._deliveries.put(None)

    def abandon(self) -> None:
        """Let every publish under way fail and finish nothing any more: inputs in work go back to the queue."""
        self._stopped.set()
        self._loop.call(self._publisher.give_up)

    def close(self) -> None:
        """Close both connections after everything written so far, within a moment."""
        self._stopped.set()
        left = threading.Semaphore(0)
        self._loop.call(partial(self._writing.close, left.release))
        self._loop.call(partial(self._reading.close, left.release))
        for _ in range(2):
            left.acquire(timeout=CLOSING_SECONDS)
        self._loop.stop()

    def receive(self) -> Delivery | None:
        return self._deliveries.get()

    def publish(self, outgoing: Outgoing) -> None:
        """Publish and wait for the confirm; refusals are repeated with growing pauses (protocol 3.4)."""
        from lib.sailor.amqp.properties import Properties  # late: it loads the client library

        address = outgoing.address or self._addresses[outgoing.kind]
        properties = self._properties(Properties, outgoing)
        attempt = hopeless = 0
        while True:
            letter = Letter(self._settings.publish_messages_to, address, properties, outgoing.body)
            self._loop.call(partial(self._publisher.send, letter))
            letter.wait()
            if letter.outcome is Outcome.CONFIRMED:
                return
            attempt += 1
            hopeless += letter.outcome in HOPELESS
            if self._stopped.is_set() or attempt >= self._attempts or hopeless >= ATTEMPTS_WHEN_HOPELESS:
                name = outgoing.headers.get("messageId")
                raise Undeliverable(f"Failed on publishing {name} message to MQ: {letter.text} ({address})")
            self._pause(attempt, letter)
            properties.headers = {**outgoing.headers, "retry": attempt}

    def finish(self, delivery: Delivery, ok: bool) -> None:
        if not self._stopped.is_set():
            self._loop.call(partial(self._consumer.finish, delivery.origin[0], ok))

    def get_object(self, object_id: str, request_id: str) -> bytes:
        return self._storage().get_object(object_id, request_id)

    def put_object(self, data: bytes, request_id: str) -> str:
        return self._storage().put_object(data, request_id)

    def _storage(self) -> Objects:
        if self._objects is None:
            raise StorageError("There is no object storage: ELASTICIO_OBJECT_STORAGE_URI is not set")
        return self._objects

    def _properties(self, make: Any, outgoing: Outgoing) -> Any:
        mode = 2 if self._settings.amqp_persistent_messages else 1
        if outgoing.kind is not Kind.REBOUND or outgoing.of is None:
            return make("application/json", "utf8", outgoing.headers, mode)
        came = outgoing.of.origin[1]
        changed = {"headers": outgoing.headers, "delivery_mode": mode, "expiration": str(outgoing.expiration)}
        return make(**{**vars(came), **changed})

    def _pause(self, attempt: int, letter: Letter) -> None:
        settings = self._settings
        pause = min(
            settings.amqp_publish_retry_delay * 2 ** min(attempt - 1, 30),
            settings.amqp_publish_max_retry_delay,
        )
        log = self._logger.warning if attempt == 1 else self._logger.debug
        log(
            f"A message is not delivered yet, it will be published again: {letter.text}",
            retry=attempt,
            pause=pause,
        )
        if letter.outcome is Outcome.LOST:
            self._writing.is_ready.wait(pause / 1000)
        else:
            self._stopped.wait(pause / 1000)

    def _consume_failed(self, error: TransportError) -> None:
        self._consume_error = error
        if self._consumer.consuming.is_set():
            self._failed(error)
        else:
            self._consumer.consuming.set()
