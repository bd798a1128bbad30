"""The read connection: hands deliveries to the workers, and acks and rejects inputs (protocol 3.2, 3.3, 3.6).

A channel can be lost at any time. `opened` consumes again on the new one; `Inflight` knows the inputs across channels,
so that a redelivery is not worked on twice, and an input that was finished without a channel is acked when it comes
again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lib.sailor.amqp.parameters import reason
from lib.sailor.amqp.reconnecting import ReconnectingChannel
from lib.sailor.amqp.unacked import Inflight, Input, fingerprint
from lib.sailor.errors import TransportError
from lib.sailor.logging import Logger
from lib.sailor.settings import Settings
from lib.sailor.transport import Delivery

MOST_PREFETCHED = 65_535
LONGEST_ABSENCE = 6
"""How many times in a row consuming may fail, for a queue that was there, before the process ends."""


class Consumer:
    """The Role of the read channel: consumes one queue from `consume` to `cancel`. All methods run on the I/O thread.

    `deliver` gets each new input, `failed` the error when the queue is gone.
    """

    def __init__(
        self,
        link: ReconnectingChannel,
        settings: Settings,
        logger: Logger,
        deliver: Callable[[Delivery], None],
        failed: Callable[[TransportError], None],
    ) -> None:
        self.consuming = threading.Event()
        self._link = link
        self._settings = settings
        self._logger = logger
        self._deliver = deliver
        self._failed = failed
        self._inflight = Inflight()
        self._channel: Any = None
        self._tag: str | None = None
        self._wanted = False
        self._was_consuming = False
        self._absences = 0

    def opened(self, channel: Any) -> None:
        self._channel = channel
        channel.add_on_cancel_callback(self._cancelled)
        channel.basic_qos(
            prefetch_count=min(max(self._settings.rabbitmq_prefetch_sailor, 1), MOST_PREFETCHED)
        )
        if not self._was_consuming:
            self._link.ready()
        if self._wanted:
            self._consume()

    def lost(self, error: BaseException) -> None:
        self._channel = None
        self._tag = None
        self._inflight.channel_lost()
        if not self._wanted or not _by_broker(error):
            return
        self._absences += 1
        if not self._was_consuming or self._absences > LONGEST_ABSENCE:
            self._wanted = False
            self._failed(TransportError(_consume_error(error)))

    def consume(self) -> None:
        """Begin to consume, on the present channel and on all later ones."""
        self._wanted = True
        if self._channel is not None:
            self._consume()

    def cancel(self, done: Callable[[], None]) -> None:
        """Stop consuming; `done` is called when the broker has answered, or at once when nothing is consumed."""
        self._wanted = False
        if self._channel is None or not self._channel.is_open or self._tag is None:
            done()
            return
        tag, self._tag = self._tag, None
        self._channel.basic_cancel(tag, callback=lambda _: done())

    def finish(self, done: Input, ok: bool) -> None:
        """Ack (`ok`) or reject an input; if its channel is lost, when it is delivered again."""
        if self._inflight.finished(done, ok):
            self._settle(done.tag, ok)
        else:
            self._logger.debug("A message was finished without a channel; its redelivery will be acked")

    def _consume(self) -> None:
        self._tag = self._channel.basic_consume(
            self._settings.listen_messages_on, self._arrived, callback=self._consuming
        )

    def _consuming(self, _: Any) -> None:
        if self._was_consuming:
            self._link.ready()
        self._was_consuming = True
        self._absences = 0
        self.consuming.set()

    def _arrived(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        headers = properties.headers or {}
        key = fingerprint(headers, body)
        entry, is_new = self._inflight.arrived(key, method.delivery_tag, redelivered=method.redelivered)
        if is_new:
            self._deliver(Delivery(body, headers, _facts(method), (entry, properties)))
        elif entry.ok is None:
            self._logger.warning("Duplicate message detected: it is still in work", messageId=key[0])
        else:
            self.finish(entry, entry.ok)
            self._logger.debug("A message is finished, now that it came again", messageId=key[0])

    def _settle(self, tag: int, ok: bool) -> None:
        if not self._channel.is_open:  # the broker puts the input back into the queue
            return
        if ok:
            self._channel.basic_ack(tag)
        else:
            self._channel.basic_reject(tag, requeue=False)
        self._logger.trace("took an input off the queue", ok=ok)

    def _cancelled(self, _: Any) -> None:
        """Called when the broker ends the consumer: the queue was deleted, or its node is down (protocol D-13)."""
        self._logger.warning("The broker cancelled the consumer; the queue is asked for again")
        self._tag = None
        channel, self._channel = self._channel, None
        self._inflight.channel_lost()
        if channel is not None and channel.is_open:
            channel.close(0, "consumer cancelled")


def _by_broker(error: BaseException) -> bool:
    from pika.exceptions import ChannelClosedByBroker

    return isinstance(error, ChannelClosedByBroker)


def _facts(method: Any) -> dict[str, Any]:
    return {
        "deliveryTag": method.delivery_tag,
        "consumerTag": method.consumer_tag,
        "redelivered": method.redelivered,
        "exchange": method.exchange,
        "routingKey": method.routing_key,
    }


def _consume_error(error: BaseException) -> str:
    code = getattr(error, "reply_code", "")
    text = getattr(error, "reply_text", reason(error))
    name = text.split(" ", 1)[0].replace("_", "-")
    return f'Operation failed: BasicConsume; {code} ({name}) with message "{text}"'
