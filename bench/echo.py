"""The limit of the stack: consume, publish with confirm, ack, with the same client library and nothing else.

Reads the platform's variables, so that it can be measured like any step.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from typing import Any

import pika


class Echo:
    """Publishes what it consumes under the data routing key; the input is acked when the broker has confirmed."""

    def __init__(self) -> None:
        self._variables = {name.removeprefix("ELASTICIO_"): value for name, value in os.environ.items()}
        self._published = 0
        self._waiting: dict[int, int] = {}
        parameters = pika.URLParameters(self._variables["AMQP_URI"])
        self._connection = pika.SelectConnection(parameters, on_open_callback=self._opened)

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        self._connection.ioloop.start()

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._reading)
        connection.channel(on_open_callback=self._writing)

    def _reading(self, channel: Any) -> None:
        self._in = channel
        channel.basic_qos(prefetch_count=int(self._variables.get("RABBITMQ_PREFETCH_SAILOR", "1")))

    def _writing(self, channel: Any) -> None:
        self._out = channel
        channel.confirm_delivery(self._confirmed, callback=partial(self._consume))

    def _consume(self, _: Any) -> None:
        self._in.basic_consume(self._variables["LISTEN_MESSAGES_ON"], self._arrived)

    def _arrived(self, _: Any, method: Any, properties: Any, body: bytes) -> None:
        self._published += 1
        self._waiting[self._published] = method.delivery_tag
        exchange, key = self._variables["PUBLISH_MESSAGES_TO"], self._variables["DATA_ROUTING_KEY"]
        self._out.basic_publish(exchange, key, body, properties, mandatory=True)

    def _confirmed(self, frame: Any) -> None:
        tag = frame.method.delivery_tag
        tags = [known for known in self._waiting if known <= tag] if frame.method.multiple else [tag]
        for known in tags:
            self._in.basic_ack(self._waiting.pop(known))


if __name__ == "__main__":
    Echo().run()
