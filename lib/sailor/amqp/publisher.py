"""The write connection: publishes with confirms, many at the same time (protocol 3.4).

Each publish gets the next number of the channel and is pending until the broker acks or nacks that number, or until
the channel is lost. When the broker closes the channel because of one message, it does not say which one. If several
are pending, all of them are SUSPECT and are published again one by one ("alone"): if the channel is closed then, it is
because of this one. While one is alone, all others are held.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any

from lib.sailor.amqp.parameters import reason
from lib.sailor.amqp.reconnecting import ReconnectingChannel

NOT_FOR_THIS_MESSAGE = frozenset((403, 404))
"""Reply codes, ACCESS_REFUSED and NOT_FOUND, with which the broker closes the channel because of the exchange."""
HEADER_FRAME = 20
"""Bytes of a frame beside the properties in it."""


class Outcome(Enum):
    """The result of one attempt to publish."""

    CONFIRMED = "confirmed"
    REFUSED = "refused by the broker"
    """A nack: the queue is full. So the platform slows a flow down (protocol 3.4)."""
    UNROUTABLE = "returned by the broker: no queue takes this routing key"
    IMPOSSIBLE = "not possible on this channel"
    SUSPECT = "not confirmed before the broker closed the channel for one of several"
    AWAY = "the exchange is missing or forbidden"
    LOST = "not confirmed before the connection was lost"


class PendingPublish:
    """One attempt to publish. Its sender calls `wait`, or gives `settled`, which is called on the I/O thread."""

    __slots__ = (
        "_done",
        "alone",
        "body",
        "exchange",
        "outcome",
        "properties",
        "routing_key",
        "settled",
        "text",
    )

    def __init__(
        self,
        exchange: str,
        routing_key: str,
        properties: Any,
        body: bytes,
        settled: Callable[[PendingPublish], None] | None = None,
        *,
        alone: bool = False,
    ) -> None:
        self.exchange = exchange
        self.routing_key = routing_key
        self.properties = properties
        self.body = body
        self.outcome: Outcome | None = None
        self.text = ""
        self.alone = alone
        """Publish it while no other is pending, so that a closed channel is known to be because of this one."""
        self.settled = settled
        if settled is None:
            self._done = threading.Lock()
            self._done.acquire()

    def settle(self, outcome: Outcome, text: str = "") -> None:
        """Set the outcome and inform the sender; called once."""
        self.outcome = outcome
        self.text = text or outcome.value
        if self.settled is None:
            self._done.release()
        else:
            self.settled(self)

    def wait(self) -> None:
        """Return when the outcome is known."""
        self._done.acquire()


class Publisher:
    """The Role of the publish channel; all methods run on the I/O thread."""

    def __init__(self, link: ReconnectingChannel) -> None:
        self._link = link
        self._channel: Any = None
        self._count = 0
        self._pending: dict[int, PendingPublish] = {}
        self._held: deque[PendingPublish] = deque()
        """Publishes that wait until one that must be alone can be sent, or is done; in order."""
        self._is_alone = False
        """Whether the last publish that was sent must be alone."""
        self._returned: set[int] = set()
        self._gave_up = False
        self._longest = 0

    def opened(self, channel: Any) -> None:
        channel.add_on_return_callback(self._came_back)
        channel.confirm_delivery(self._answered, callback=lambda _: self._ready(channel))

    def lost(self, error: BaseException) -> None:
        from pika.exceptions import ChannelClosedByBroker

        self._channel = None
        outcome = Outcome.LOST
        if isinstance(error, ChannelClosedByBroker):
            if error.reply_code in NOT_FOR_THIS_MESSAGE:
                outcome = Outcome.AWAY
            else:
                outcome = Outcome.IMPOSSIBLE if len(self._pending) == 1 else Outcome.SUSPECT
        self._settle_all(outcome, reason(error))

    def send(self, entry: PendingPublish) -> None:
        """Publish with the flag `mandatory`, or hold it; the broker's answer or the loss of the channel settles it."""
        if self._gave_up or self._channel is None or not self._channel.is_open:
            entry.settle(Outcome.LOST, "no connection")
        elif self._held or self._has_to_wait(entry):
            self._held.append(entry)
        else:
            self._publish(entry)

    def _publish(self, entry: PendingPublish) -> None:
        entry.properties.longest = self._longest
        try:
            self._channel.basic_publish(
                entry.exchange, entry.routing_key, entry.body, entry.properties, mandatory=True
            )
        except Exception as error:  # noqa: BLE001 - such as headers that AMQP has no form for
            entry.settle(Outcome.IMPOSSIBLE, reason(error))
            return
        self._count += 1
        self._pending[self._count] = entry
        self._is_alone = entry.alone

    def give_up(self) -> None:
        """Settle all publishes as LOST, those under way and later ones: the step ends."""
        self._gave_up = True
        self._settle_all(Outcome.LOST, "the step is being ended")

    def _ready(self, channel: Any) -> None:
        self._channel = channel
        self._longest = max(channel.connection.params.frame_max - HEADER_FRAME, 0)
        self._count = 0
        self._link.ready()

    def _answered(self, frame: Any) -> None:
        """Called with an ack or a nack; with the flag `multiple` it is for all numbers up to its own."""
        from pika.spec import Basic

        confirmed = isinstance(frame.method, Basic.Ack)
        tag = frame.method.delivery_tag
        tags = [number for number in self._pending if number <= tag] if frame.method.multiple else [tag]
        for number in tags:
            if (entry := self._pending.pop(number, None)) is None:
                continue
            if number in self._returned:
                self._returned.discard(number)
                entry.settle(Outcome.UNROUTABLE)
            else:
                entry.settle(Outcome.CONFIRMED if confirmed else Outcome.REFUSED)
        if self._held and not self._pending:
            self._publish_held()

    def _publish_held(self) -> None:
        """Publish held ones in order: one that must be alone, or all before the next of these."""
        while self._held and not self._has_to_wait(self._held[0]):
            self._publish(self._held.popleft())

    def _has_to_wait(self, entry: PendingPublish) -> bool:
        return bool(self._pending) and (entry.alone or self._is_alone)

    def _came_back(self, _: Any, method: Any, properties: Any, __: bytes) -> None:
        """Called with a returned message: mark the oldest pending publish with its routing key and message id.

        The broker returns messages in order, each before its confirm. If no id is equal (NaN and broken characters
        come back changed), the oldest with the routing key is marked, so that none counts as delivered by mistake.
        """
        message_id = (properties.headers or {}).get("messageId")
        possible = {
            number: entry.properties.headers.get("messageId")
            for number, entry in self._pending.items()
            if number not in self._returned and entry.routing_key == method.routing_key
        }
        same = (number for number, sent in possible.items() if sent == message_id)
        if (found := next(same, next(iter(possible), None))) is not None:
            self._returned.add(found)

    def _settle_all(self, outcome: Outcome, text: str) -> None:
        pending, self._pending = self._pending, {}
        returned, self._returned = self._returned, set()
        held, self._held = self._held, deque()
        for number, entry in pending.items():
            if number in returned:
                entry.settle(Outcome.UNROUTABLE)
            else:
                entry.settle(outcome, text)
        for entry in held:
            entry.settle(Outcome.LOST, text)
