"""Publishing until it is done: refusals are repeated with growing pauses (protocol 3.4)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from lib.backoff import growing_pause
from lib.sailor.amqp.io_thread import Loop
from lib.sailor.amqp.publisher import Outcome, PendingPublish, Publisher
from lib.sailor.amqp.reconnecting import ReconnectingChannel
from lib.sailor.errors import Undeliverable
from lib.sailor.logging import Logger
from lib.sailor.message.headers import ERROR_REPLY
from lib.sailor.settings import Settings
from lib.sailor.transport import Done, Kind, Outgoing

HOPELESS = (Outcome.UNROUTABLE, Outcome.IMPOSSIBLE)
ATTEMPTS_WHEN_HOPELESS = 5
LONGEST_NAMES = 500

Job = Callable[[], None]


class ReliablePublisher:
    """Takes what workers publish; whoever does not want to wait is called when it is confirmed."""

    def __init__(
        self,
        loop: Loop,
        link: ReconnectingChannel,
        settings: Settings,
        logger: Logger,
        later: Callable[[Job], None],
    ) -> None:
        self.publisher = Publisher(link)
        self._loop = loop
        self._link = link
        self._settings = settings
        self._logger = logger
        self._later = later
        """Runs a job on a worker: repeating takes time that the I/O thread does not have."""
        self._attempts = settings.amqp_publish_retry_attempts or float("inf")
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._unconfirmed = 0
        self._quiet: Job | None = None
        self._addresses = {
            Kind.DATA: settings.data_routing_key,
            Kind.ERROR: settings.error_routing_key,
            Kind.REBOUND: settings.rebound_routing_key,
            Kind.SNAPSHOT: settings.snapshot_routing_key,
        }

    def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
        """Publish; without `done` return when it is confirmed, Undeliverable when that cannot be had."""
        if done is not None and self._begin():
            self._send(self._entry(outgoing, partial(self._settled, outgoing, done)))
            return
        entry = self._send(self._entry(outgoing))
        entry.wait()
        self._persist(outgoing, entry)
        if done is not None:
            done(None)

    def when_quiet(self, job: Job) -> None:
        """Run a job when nothing unconfirmed is left; from now on every publish is waited for."""
        with self._lock:
            self._quiet = job
            waits = self._unconfirmed
        if not waits:
            job()

    def stop(self) -> None:
        """Let everything under way fail, now and from now on."""
        self._stopped.set()
        self._loop.call(self.publisher.give_up)

    def _entry(
        self,
        outgoing: Outgoing,
        settled: Callable[[PendingPublish], None] | None = None,
        *,
        alone: bool = False,
    ) -> PendingPublish:
        address = outgoing.address or self._addresses[outgoing.kind]
        exchange, properties = self._settings.publish_messages_to, self._properties(outgoing)
        return PendingPublish(exchange, address, properties, outgoing.body, settled, alone=alone)

    def _send(self, entry: PendingPublish) -> PendingPublish:
        self._loop.call(partial(self.publisher.send, entry))
        return entry

    def _settled(self, outgoing: Outgoing, done: Done, entry: PendingPublish) -> None:
        """Go on on the I/O thread when it was confirmed, on a worker when it has to be repeated."""
        if entry.outcome is Outcome.CONFIRMED:
            done(None)
            self._end()
        else:
            self._later(partial(self._repeat, outgoing, done, entry))

    def _repeat(self, outgoing: Outgoing, done: Done, entry: PendingPublish) -> None:
        try:
            self._persist(outgoing, entry)
        except Undeliverable as error:
            done(error)
        else:
            done(None)
        finally:
            self._end()

    def _persist(self, outgoing: Outgoing, entry: PendingPublish) -> None:
        """Publish again until it is confirmed; Undeliverable when it was in vain.

        While the exchange is away nothing can be told to anyone: the input waits, as before a full queue.
        """
        attempt = hopeless = 0
        while entry.outcome is not Outcome.CONFIRMED:
            attempt += 1
            # A failed start, which belongs to no input, has to come to an end.
            hopeless += entry.outcome in HOPELESS or outgoing.of is None
            if self._stopped.is_set() or attempt >= self._attempts or hopeless >= ATTEMPTS_WHEN_HOPELESS:
                name = str(outgoing.headers.get("messageId"))[:100]
                raise Undeliverable(
                    f"Failed on publishing {name} message to MQ: {entry.text} ({entry.routing_key[:255]})"
                )
            self._pause(attempt, entry)
            entry = self._entry(outgoing, alone=entry.alone or entry.outcome is Outcome.SUSPECT)
            entry.properties.headers = {**outgoing.headers, "retry": attempt}
            self._send(entry).wait()
        if left_out := entry.properties.left_out:
            names = ", ".join(left_out)[:LONGEST_NAMES]
            self._logger.warning(f"An error was sent without headers that would not go with it: {names}")

    def _pause(self, attempt: int, entry: PendingPublish) -> None:
        base, longest = self._settings.amqp_publish_retry_delay, self._settings.amqp_publish_max_retry_delay
        pause = max(growing_pause(attempt, base, longest), 1)  # a negative one must not become a storm
        log = self._logger.warning if attempt == 1 else self._logger.debug
        text = f"A message is not delivered yet, it will be published again: {entry.text}"
        log(text, retry=attempt, pause=pause)
        if entry.outcome in (Outcome.LOST, Outcome.SUSPECT):
            self._link.is_ready.wait(pause / 1000)
        else:
            self._stopped.wait(pause / 1000)

    def _properties(self, outgoing: Outgoing) -> Any:
        from lib.sailor.amqp.pika_properties import Properties  # late: it loads the client library

        make: Any = Properties
        mode = 2 if self._settings.amqp_persistent_messages else 1
        if outgoing.kind is not Kind.REBOUND or outgoing.of is None:
            properties = make("application/json", "utf8", outgoing.headers, mode)
            properties.sheds = outgoing.kind is Kind.ERROR or ERROR_REPLY in outgoing.headers
            return properties
        came = vars(outgoing.of.origin[1])
        changed = {"headers": outgoing.headers, "delivery_mode": mode, "expiration": str(outgoing.expiration)}
        changed["user_id"] = (
            None  # only whoever it names may send it; the broker closes the channel for others
        )
        return make(**{**came, **changed})

    def _begin(self) -> bool:
        with self._lock:
            if self._quiet is not None:
                return False
            self._unconfirmed += 1
            return True

    def _end(self) -> None:
        with self._lock:
            self._unconfirmed -= 1
            job = None if self._unconfirmed else self._quiet
        if job is not None:
            job()
