"""The connection's own course of things, where no broker can be made to hit the moment."""

from __future__ import annotations

from typing import Any

from lib.sailor.amqp.io_thread import Loop
from lib.sailor.amqp.reconnecting import ReconnectingChannel
from lib.sailor.logging import open_logger
from lib.sailor.settings import Settings


class Connection:
    """Counts the channels that are asked of it."""

    is_open = True

    def __init__(self) -> None:
        self.channels = 0

    def channel(self, **_: Any) -> None:
        self.channels += 1


def test_a_channel_that_was_to_be_opened_on_a_lost_connection_is_not_a_second_one_on_the_next() -> None:
    """Two consuming channels would mix up their delivery tags: the wrong input would be acked."""
    link = ReconnectingChannel(Loop(lambda _: None), Settings(), "read", open_logger({"LOG_LEVEL": "fatal"}))
    lost, present = Connection(), Connection()
    link._connection = present

    link._open_channel(present)
    link._open_channel(lost)

    assert (present.channels, lost.channels) == (1, 0)
