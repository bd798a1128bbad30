"""Receives and opens what the steps of a flow publish to the broker, and sends the steps their inputs.

All publishes of all steps arrive in one queue. The routing key, `<step>.<kind>`, names their step and kind. `settle`
sends a marker to the same queue: when it arrives, all earlier publishes have been handled.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from lib.jsontext import encode
from lib.local.broker.topology import MARKER, Topology
from lib.sailor.amqp.consumer import MOST_PREFETCHED
from lib.sailor.amqp.transport import AmqpTransport
from lib.sailor.errors import TransportError
from lib.sailor.logging import Logger
from lib.sailor.message import Message
from lib.sailor.message.cipher import Aes, to_wire
from lib.sailor.message.ids import random_id
from lib.sailor.settings import Settings
from lib.sailor.standalone.in_process import InProcess, Published
from lib.sailor.transport import Delivery, Kind, Outgoing

_SECONDS = 60.0
_MARKED = "marker"

Receiver = Callable[[str, Published], None]


class EventSource:
    """Hands each publish of a step to `receiver`, one after the other, on the thread `events`.

    `failed` is called, on any thread, with an error that ends the run.
    """

    def __init__(
        self,
        topology: Topology,
        uri: str,
        cipher: Aes,
        receiver: Receiver,
        failed: Callable[[BaseException], None],
        logger: Logger,
    ) -> None:
        settings = Settings(
            amqp_uri=uri,
            listen_messages_on=topology.events,
            publish_messages_to=topology.exchange,
            # A rebound expires after its pause in this queue, too. So no message may wait here: take all at once.
            rabbitmq_prefetch_sailor=MOST_PREFETCHED,
        )
        self._topology = topology
        self._cipher = cipher
        self._receiver = receiver
        self._failed = failed
        self._transport = AmqpTransport(settings, logger, failed)
        self._markers: dict[str, threading.Event] = {}
        self._thread = threading.Thread(target=self._receive, name="events", daemon=True)

    def open(self) -> None:
        """Connect and begin to receive; raises TransportError when the broker refuses."""
        self._transport.open()
        self._transport.wait_open()
        self._transport.consume()
        self._thread.start()

    def send(self, step: str, message: Message, headers: Mapping[str, Any]) -> None:
        """Put a message into a step's queue, and return after the broker's confirm; raises Undeliverable."""
        table = {"messageId": random_id(), "threadId": random_id(), **headers}
        body = to_wire(self._cipher, encode(message.payload()), 1)
        self._transport.publish(Outgoing(Kind.DATA, body, table, self._topology.input_of(step)))

    def settle(self) -> None:
        """Return when all publishes so far have been handled; raises TransportError after 60 s."""
        name = random_id()
        self._markers[name] = threading.Event()
        self._transport.publish(Outgoing(Kind.DATA, b"", {_MARKED: name, "messageId": name}, MARKER))
        if not self._markers[name].wait(_SECONDS):
            raise TransportError("The events of the steps do not arrive")

    def close(self) -> None:
        self._transport.cancel()
        self._transport.release(1)
        self._transport.close()

    def _receive(self) -> None:
        try:
            while (delivery := self._transport.receive()) is not None:
                self._open(delivery)
                self._transport.finish(delivery, ok=True)
        except BaseException as error:  # noqa: BLE001 - the run ends when this thread does
            self._failed(error)

    def _open(self, delivery: Delivery) -> None:
        address = str(delivery.facts["routingKey"])
        if address == MARKER:
            self._markers[delivery.headers[_MARKED]].set()
            return
        step, _, kind = address.rpartition(".")
        opener = InProcess(lambda published: self._receiver(step, published), self._cipher)
        opener.publish(Outgoing(Kind(kind), delivery.body, dict(delivery.headers)))
