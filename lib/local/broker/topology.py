"""Makes the exchange and queues of one flow at the broker, as the platform does, and removes them at the end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

from lib.sailor.amqp.io_thread import Loop
from lib.sailor.amqp.reconnecting import ReconnectingChannel
from lib.sailor.errors import TransportError
from lib.sailor.logging import Logger
from lib.sailor.settings import Settings

KINDS = ("data", "error", "rebound", "snapshot")
MARKER = "marker"
_SECONDS = 15.0
_EXPIRES = {"x-expires": 3_600_000}  # ms; after a kill of this process the broker removes the queues


class Topology:
    """One direct exchange, an input queue and a queue for rebounds of each step, and one queue for all publishes.

    The queue for rebounds has no consumer: expired messages go back to the input queue (protocol 5.5).
    """

    def __init__(self, uri: str, name: str, steps: Sequence[str], logger: Logger) -> None:
        self.exchange = name
        self.events = f"{name}.events"
        self._steps = steps
        self._channel: Any = None
        self._loop = Loop(lambda _: None)
        self._link = ReconnectingChannel(self._loop, Settings(amqp_uri=uri), "layout", logger)

    def input_of(self, step: str) -> str:
        """Return the name of the step's input queue, which is also its routing key."""
        return f"{self.exchange}.{step}"

    def rebounds_of(self, step: str) -> str:
        return f"{self.exchange}.{step}.rebound"

    def open(self) -> None:
        """Declare the exchange and all queues; raises TransportError when the broker cannot be reached or refuses."""
        self._loop.start()
        self._link.open(self)
        self._link.is_ready.wait()
        if self._link.error is not None:
            raise self._link.error
        self._call("exchange_declare", exchange=self.exchange, exchange_type="direct")
        for queue, arguments, keys in self._queues():
            self._call("queue_declare", queue=queue, arguments=_EXPIRES | arguments)
            for key in keys:
                self._call("queue_bind", queue=queue, exchange=self.exchange, routing_key=key)

    def waiting(self, queue: str) -> int:
        """Return how many messages wait in a queue; those in work do not count."""
        declared = self._call("queue_declare", queue=queue, passive=True)
        count: int = declared.method.message_count
        return count

    def close(self) -> None:
        """Delete the queues and the exchange, and close the connection."""
        if self._channel is not None and self._channel.is_open:
            for queue, _, _ in self._queues():
                self._call("queue_delete", queue=queue)
            self._call("exchange_delete", exchange=self.exchange)
        closed = threading.Event()
        self._loop.call(partial(self._link.close, closed.set))
        closed.wait(_SECONDS)
        self._loop.stop()

    def opened(self, channel: Any) -> None:
        self._channel = channel
        self._link.ready()

    def lost(self, error: BaseException) -> None:
        """Do nothing: the steps have connections of their own, and a call under way ends at its time limit."""

    def _queues(self) -> list[tuple[str, dict[str, Any], list[str]]]:
        keys = [f"{step}.{kind}" for step in self._steps for kind in KINDS]
        queues: list[tuple[str, dict[str, Any], list[str]]] = [(self.events, {}, [*keys, MARKER])]
        for step in self._steps:
            back = {"x-dead-letter-exchange": self.exchange, "x-dead-letter-routing-key": self.input_of(step)}
            queues.append((self.input_of(step), {}, [self.input_of(step)]))
            queues.append((self.rebounds_of(step), back, [f"{step}.rebound"]))
        return queues

    def _call(self, method: str, **arguments: Any) -> Any:
        """Make one call of the channel on the I/O thread and return the broker's answer; TransportError after 15 s."""
        answers: list[Any] = []
        answered = threading.Event()

        def answer(frame: Any) -> None:
            answers.append(frame)
            answered.set()

        def ask() -> None:
            getattr(self._channel, method)(**arguments, callback=answer)

        self._loop.call(ask)
        if not answered.wait(_SECONDS):
            raise TransportError(f"The broker did not answer {method} within {_SECONDS:.0f} seconds")
        return answers[0]
