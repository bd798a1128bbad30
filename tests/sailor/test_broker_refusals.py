"""What the broker refuses: it costs the message that is refused, and no other."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.broker import Broker
from tests.lab.waiting import wait_until
from tests.sailor.stage import Stage

LARGEST = 50_000


@pytest.fixture
def small(broker: Broker) -> Iterator[None]:
    """New channels of the broker take small messages only."""
    broker.ctl("eval", f"application:set_env(rabbit, max_message_size, {LARGEST}).")
    yield
    broker.ctl("eval", "application:set_env(rabbit, max_message_size, 134217728).")


@pytest.mark.usefixtures("small")
def test_a_message_that_the_broker_closes_the_channel_for_is_an_error_and_others_pass(stage: Stage) -> None:
    process = stage.start(
        rabbitmq_prefetch_sailor="10",
        data_rate_limit="1000",
        error_rate_limit="1000",
        amqp_publish_retry_delay="20",
        amqp_reconnect_timeout="1",
    )
    for n in range(200):
        if n % 50 == 10:
            stage.do("sized", size=LARGEST)
        stage.do("several", n=1, which=n)

    stage.all("data", 200)
    errors = [got.error["message"] for got in stage.all("error", 4)]
    assert all("larger than configured max size" in text for text in errors)
    process.wait_message("The AMQP channel write was closed")
    stage.settled()
    assert stage.wires.peek("error") is None


def test_a_blocked_broker_does_not_hold_up_the_end(stage: Stage, broker: Broker, tmp_path: Path) -> None:
    process = stage.start(shutdown_deadline="1000", rabbitmq_prefetch_sailor="3")
    for n in range(3):
        stage.do("wait_for_file", n=n, file=str(tmp_path / "go"))
    process.wait_message("at work")
    broker.alarm()
    try:
        (tmp_path / "go").touch()
        process.wait_message("blocks the AMQP connection write")
        process.signal(signal.SIGTERM)
        assert process.exit_code(10) == 0
        wait_until(lambda: stage.wires.depth("in") == 3, "the inputs to be back in the queue")
    finally:
        broker.calm()


def test_negative_delays_are_no_storm(stage: Stage) -> None:
    stage.wires.fill_up("data")
    process = stage.start(
        amqp_publish_retry_delay="-1000", amqp_publish_retry_attempts="50", LOG_LEVEL="debug"
    )
    stage.do("echo")

    assert "refused by the broker" in stage.take("error").error["message"]
    assert {line["pause"] for line in process.lines if "pause" in line} == {1}
