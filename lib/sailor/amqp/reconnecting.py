"""One AMQP connection with one channel; after a loss it connects again, for ever, with growing pauses (protocol 3.6).

What the channel is used for is the `Role`: the consumer, the publisher, or the local runner's queues. The picture of
the states is in docs/architecture.md#states-of-the-two-amqp-connections.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from lib.backoff import growing_pause, spread
from lib.sailor.amqp.io_thread import Loop
from lib.sailor.amqp.parameters import parameters, reason
from lib.sailor.errors import TransportError
from lib.sailor.logging import Logger
from lib.sailor.settings import Settings

LONGEST_PAUSE = 30.0
"""Seconds, after the channel was ready for the first time."""
LONGEST_FIRST_PAUSE = 5.0
"""Seconds, before that."""
LONGEST_OPENING = 60.0
"""Seconds for one try to connect. The client library limits only the wait for each address, not that for the name."""


class Role(Protocol):
    """The user of a channel; its methods are called on the I/O thread."""

    def opened(self, channel: Any) -> None:
        """Set up the new channel, then call `ReconnectingChannel.ready`."""

    def lost(self, error: BaseException) -> None:
        """Forget the channel and all that was under way on it."""


class ReconnectingChannel:
    """Opens a channel for a role, and a new one after each loss; gives up only if none was ready before.

    `is_ready` is set while the channel is ready; it is also set when the first open has failed, with `error`.
    """

    def __init__(self, loop: Loop, settings: Settings, name: str, logger: Logger) -> None:
        self.is_ready = threading.Event()
        self.error: TransportError | None = None
        self._loop = loop
        self._settings = settings
        self._name = name
        self._logger = logger
        self._role: Role | None = None
        self._connection: Any = None
        self._failures = 0
        self._told = ""
        """Last connect error; repeats are logged at DEBUG."""
        self._was_ready = False
        self._closing: Callable[[], None] | None = None

    def open(self, role: Role) -> None:
        """Begin to connect, and return at once; may be called on any thread."""
        self._role = role
        self._loop.call(self._connect)

    def ready(self) -> None:
        """Called by the role, on the I/O thread, when its channel is set up."""
        if self._was_ready:
            self._logger.info(f"The AMQP connection {self._name} is back")
        self._was_ready = True
        self._failures = 0
        self._told = ""
        self.is_ready.set()

    def close(self, closed: Callable[[], None]) -> None:
        """Close the connection after all data written so far; `closed` is called when it is closed. I/O thread only."""
        if self._connection is None or not self._connection.is_open:
            self._closing = _nothing
            closed()
            return
        self._closing = closed
        self._connection.close()

    def _connect(self) -> None:
        from lib.sailor.amqp.pika_connection import connection_class

        if self._closing is not None:
            return
        try:
            wanted = parameters(self._settings.amqp_uri, self._name)
        except TransportError as error:
            self._fail(error)
            return
        self._connection = connection_class()(
            wanted,
            on_open_callback=self._open_channel,
            on_open_error_callback=self._not_connected,
            on_close_callback=self._disconnected,
            custom_ioloop=self._loop.poller,
        )
        self._loop.later(LONGEST_OPENING, partial(self._overdue, self._connection))
        self._connection.add_on_connection_blocked_callback(self._blocked)
        self._connection.add_on_connection_unblocked_callback(self._unblocked)

    def _overdue(self, connection: Any) -> None:
        """End a try to connect that takes too long; the library then calls `_not_connected`."""
        if connection is self._connection and not (connection.is_open or connection.is_closing):
            connection.close(reply_text=f"it took longer than {LONGEST_OPENING:g} s; is its name resolved?")

    def _open_channel(self, connection: Any) -> None:
        """Open the channel, unless the connection was lost meanwhile."""
        if self._closing is None and connection is self._connection and connection.is_open:
            connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Any) -> None:
        channel.add_on_close_callback(self._channel_closed)
        if self._role is not None:
            self._role.opened(channel)

    def _channel_closed(self, _: Any, error: BaseException) -> None:
        self.is_ready.clear()
        if self._role is not None:
            self._role.lost(error)
        if self._closing is None and self._connection is not None and self._connection.is_open:
            self._logger.warning(f"The AMQP channel {self._name} was closed: {reason(error)}")
            self._again(partial(self._open_channel, self._connection))

    def _not_connected(self, _: Any, error: BaseException) -> None:
        self._connection = None
        text = f"AMQP connection {self._name} cannot be opened: {reason(error)}"
        if self._gives_up(text):
            return
        log = self._logger.debug if self._was_ready and text == self._told else self._logger.warning
        log(text)
        self._told = text
        self._again(self._connect)

    def _disconnected(self, _: Any, error: BaseException) -> None:
        self._connection = None
        self.is_ready.clear()
        if self._closing is not None:
            self._closing()
            return
        text = f"The AMQP connection {self._name} is lost, it will be opened again: {reason(error)}"
        if not self._gives_up(text):
            self._logger.warning(text)
            self._again(self._connect)

    def _gives_up(self, text: str) -> bool:
        """Return whether to give up: only at the start, after 1 + AMQP_RECONNECT_ATTEMPTS tries (protocol 1.2)."""
        if self._was_ready or self._failures < self._settings.amqp_reconnect_attempts:
            return False
        self._fail(TransportError(text))
        return True

    def _again(self, call: Callable[[], None]) -> None:
        """Call after a pause: first * 2^(failures - 1), up to the longest, a quarter more or less by chance."""
        longest = LONGEST_PAUSE if self._was_ready else LONGEST_FIRST_PAUSE
        first = max(self._settings.amqp_reconnect_timeout, 1) / 1000
        self._failures += 1
        self._loop.later(spread(growing_pause(self._failures, first, longest), 0.75, 1.25), call)

    def _fail(self, error: TransportError) -> None:
        self.error = error
        self.is_ready.set()

    def _blocked(self, *_: Any) -> None:
        self._logger.warning(f"The broker blocks the AMQP connection {self._name}; publishing waits")

    def _unblocked(self, *_: Any) -> None:
        self._logger.info(f"The broker takes messages again on the AMQP connection {self._name}")


def _nothing() -> None:
    pass
