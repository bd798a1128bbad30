"""Publishes until the broker confirms, with growing pauses between attempts (protocol 3.4).

`Publisher` makes one attempt on the I/O thread and settles it with an `Outcome`. What comes next depends on `done`:

- Without it the caller's thread waits for the outcome, and repeats the publish itself.
- With it nobody waits. On a confirm the I/O thread calls `done`. On another outcome a worker repeats the publish
  (`_later`), because the I/O thread must not pause.

The picture of the outcomes is in docs/architecture.md#states-of-a-publish.
"""

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
"""Attempts with one of these outcomes, after which a publish fails (protocol D-07)."""
LONGEST_NAMES = 500
"""Characters of header names in a log line."""

Job = Callable[[], None]


class ReliablePublisher:
    """Publishes for the workers, and repeats what is not confirmed; safe for threads."""

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
        """Runs a job on the next free worker."""
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
        """Publish, and return when it is confirmed; with `done` see `Transport.publish`.

        Raises Undeliverable after the last attempt, or when the step ends.
        """
        if done is not None and self._begin():
            self._send(self._entry(outgoing, partial(self._settled, outgoing, done)))
            return
        entry = self._send(self._entry(outgoing))
        entry.wait()
        self._persist(outgoing, entry)
        if done is not None:
            done(None)

    def when_quiet(self, job: Job) -> None:
        """Run a job when no publish with `done` is unconfirmed; from now on all publishes wait for their confirm."""
        with self._lock:
            self._quiet = job
            waits = self._unconfirmed
        if not waits:
            job()

    def stop(self) -> None:
        """Make all publishes fail, those under way and later ones."""
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
        """Called on the I/O thread with the outcome: call `done` after a confirm, else have a worker repeat it."""
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
        """Publish again until it is confirmed; Undeliverable after the last attempt.

        While the exchange is missing no error could be published either, so the input waits, as with a full queue.
        """
        attempt = hopeless = 0
        while entry.outcome is not Outcome.CONFIRMED:
            attempt += 1
            # The error about a failed start belongs to no input; it must not keep the process from ending.
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
        pause = max(growing_pause(attempt, base, longest), 1)  # ms; without one repeats flood the broker
        log = self._logger.warning if attempt == 1 else self._logger.debug
        text = f"A message is not delivered yet, it will be published again: {entry.text}"
        log(text, retry=attempt, pause=pause)
        if entry.outcome in (Outcome.LOST, Outcome.SUSPECT):
            self._link.is_ready.wait(pause / 1000)
        else:
            self._stopped.wait(pause / 1000)

    def _properties(self, outgoing: Outgoing) -> Any:
        from lib.sailor.amqp.pika_properties import Properties  # imported late: it loads the client library

        make: Any = Properties
        mode = 2 if self._settings.amqp_persistent_messages else 1
        if outgoing.kind is not Kind.REBOUND or outgoing.of is None:
            properties = make("application/json", "utf8", outgoing.headers, mode)
            properties.sheds = outgoing.kind is Kind.ERROR or ERROR_REPLY in outgoing.headers
            return properties
        came = vars(outgoing.of.origin[1])
        changed = {"headers": outgoing.headers, "delivery_mode": mode, "expiration": str(outgoing.expiration)}
        changed["user_id"] = (
            None  # the broker closes the channel when another user than this one publishes it
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
