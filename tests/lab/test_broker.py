from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPConnectionError, AMQPError, ConnectionClosedByBroker

from tests.lab.broker import Broker
from tests.lab.waiting import DEADLINE, wait_until

QUEUE = "lab-queue"
KEPT = pika.BasicProperties(delivery_mode=2)  # type: ignore[no-untyped-call]


def connect(broker: Broker) -> pika.BlockingConnection:
    return pika.BlockingConnection(pika.URLParameters(broker.uri))


def heard(connection: pika.BlockingConnection, told: list[Any], count: int) -> bool:
    connection.process_data_events(time_limit=0)
    return len(told) >= count


@pytest.fixture
def channel(broker: Broker) -> Iterator[BlockingChannel]:
    connection = connect(broker)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(QUEUE, durable=True)
    yield channel
    with contextlib.suppress(AMQPError):
        connection.close()
    with connect(broker) as another:
        another.channel().queue_delete(QUEUE)


def test_a_message_goes_through_the_broker(broker: Broker, channel: BlockingChannel) -> None:
    channel.basic_publish("", QUEUE, b"hello", KEPT)
    assert broker.depth(QUEUE) == 1
    assert channel.basic_get(QUEUE, auto_ack=True)[2] == b"hello"


def test_closed_connections_are_told_so_and_may_come_again(broker: Broker, channel: BlockingChannel) -> None:
    broker.close_connections()
    with pytest.raises(ConnectionClosedByBroker, match="CONNECTION_FORCED"):
        channel.connection.process_data_events(time_limit=DEADLINE)
    connect(broker).close()


def test_a_stopped_broker_refuses_until_it_is_started(broker: Broker, channel: BlockingChannel) -> None:
    broker.stop_app()
    with pytest.raises(AMQPConnectionError):
        connect(broker)
    broker.start_app()
    connect(broker).close()


def test_a_consumer_is_cancelled_when_its_queue_is_deleted(broker: Broker, channel: BlockingChannel) -> None:
    cancelled: list[Any] = []
    channel.add_on_cancel_callback(cancelled.append)
    channel.basic_consume(QUEUE, lambda *_: None)
    broker.delete_queue(QUEUE)
    wait_until(lambda: heard(channel.connection, cancelled, 1), "the cancellation")


def test_an_alarm_blocks_publishers_until_it_is_over(broker: Broker, channel: BlockingChannel) -> None:
    told: list[str] = []
    connection = channel.connection
    connection.add_on_connection_blocked_callback(lambda *_: told.append("blocked"))
    connection.add_on_connection_unblocked_callback(lambda *_: told.append("unblocked"))
    broker.alarm()
    try:
        connection.channel().basic_publish("", QUEUE, b"too much")
        wait_until(lambda: heard(connection, told, 1), "the alarm")
    finally:
        broker.calm()  # nobody can even close a connection before
    wait_until(lambda: heard(connection, told, 2), "its end")
    assert told == ["blocked", "unblocked"]


def test_durable_messages_outlive_a_killed_broker(broker: Broker, channel: BlockingChannel) -> None:
    channel.basic_publish("", QUEUE, b"kept", KEPT)
    broker.kill()
    with pytest.raises(AMQPConnectionError):
        connect(broker)
    broker.start()
    with connect(broker) as connection:
        assert connection.channel().basic_get(QUEUE, auto_ack=True)[2] == b"kept"
