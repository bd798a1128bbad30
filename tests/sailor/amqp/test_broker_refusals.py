"""What the broker refuses: it costs the message that is refused, and no other."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.broker import Broker
from tests.lab.waiting import wait_until
from tests.sailor.platform_queues import seal
from tests.sailor.step_harness import StepHarness

LARGEST = 50_000


@pytest.fixture
def small(broker: Broker) -> Iterator[None]:
    """New channels of the broker take small messages only."""
    broker.ctl("eval", f"application:set_env(rabbit, max_message_size, {LARGEST}).")
    yield
    broker.ctl("eval", "application:set_env(rabbit, max_message_size, 134217728).")


def inputs_of(stage: StepHarness, kind: str, count: int) -> set[str]:
    """The inputs of the messages in a queue, read until so many are there.

    fault 8.35: what is not confirmed when the channel closes is published again with the same id, and may be there
    twice; so messages are told apart by their ids, and a repeat stands for no other.
    """
    found: dict[str, str] = {}
    while len(found) < count:
        got = stage.take(kind)
        assert kind == "data" or "larger than configured max size" in got.error["message"]
        found[got.headers["messageId"]] = got.headers["parentMessageId"]
    return set(found.values())


def left(stage: StepHarness, kind: str) -> set[str]:
    """The inputs of the messages that are still in a queue."""
    found = set()
    while (got := stage.wires.peek(kind)) is not None:
        found.add(got.headers["parentMessageId"])
    return found


@pytest.mark.usefixtures("small")
def test_a_message_that_the_broker_closes_the_channel_for_is_an_error_and_others_pass(
    stage: StepHarness,
) -> None:
    process = stage.start(
        rabbitmq_prefetch_sailor="10",
        data_rate_limit="1000",
        error_rate_limit="1000",
        amqp_publish_retry_delay="20",
        amqp_reconnect_timeout="1",
    )
    small, large = set(), set()
    for n in range(200):
        if n % 50 == 10:
            large.add(stage.do("sized", size=LARGEST)["messageId"])
        small.add(stage.do("several", n=1)["messageId"])

    assert inputs_of(stage, "data", 200) == small
    assert inputs_of(stage, "error", 4) == large
    process.wait_message("The AMQP channel write was closed")
    stage.settled()
    assert left(stage, "data") <= small
    assert left(stage, "error") <= large


def test_a_blocked_broker_does_not_hold_up_the_end(
    stage: StepHarness, broker: Broker, tmp_path: Path
) -> None:
    process = stage.start(shutdown_deadline="1000", rabbitmq_prefetch_sailor="3")
    for n in range(3):
        stage.do("wait_for_file", n=n, file=str(tmp_path / "go"))
    process.wait_message("at work")
    broker.alarm()
    try:
        (tmp_path / "go").touch()
        process.wait_message("blocks the AMQP connection write")
        process.signal(signal.SIGTERM)
        assert process.exit_code() == 0
        wait_until(lambda: stage.wires.depth("in") == 3, "the inputs to be back in the queue")
    finally:
        broker.calm()


def test_negative_delays_are_no_storm(stage: StepHarness) -> None:
    stage.wires.fill_up("data")
    process = stage.start(
        amqp_publish_retry_delay="-1000", amqp_publish_retry_attempts="50", LOG_LEVEL="debug"
    )
    stage.do("echo")

    assert "refused by the broker" in stage.take("error").error["message"]
    assert {line["pause"] for line in process.lines if "pause" in line} == {1}


@pytest.fixture
def impatient(broker: Broker) -> Iterator[None]:
    """New channels of the broker are closed when an input is not acked within half a second (its default: 30 min)."""
    for name in ("consumer_timeout", "channel_tick_interval"):
        broker.ctl("eval", f"application:set_env(rabbit, {name}, 500).")
    yield
    broker.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
    broker.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 60000).")


@pytest.mark.usefixtures("impatient")
def test_work_that_takes_longer_than_the_broker_waits_is_done_once(
    stage: StepHarness, broker: Broker, tmp_path: Path
) -> None:
    process = stage.start(amqp_reconnect_timeout="1")
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))

    process.wait_message("The AMQP channel read was closed")
    process.wait_message("Duplicate message detected")
    (tmp_path / "go").touch()

    assert stage.take("data").payload["body"]["n"] == 1
    # A channel that is just being closed takes no ack: the input comes again.
    wait_until(lambda: broker.depth(stage.wires.name("in")) == 0, "the input to be acknowledged")
    stage.settled()
    assert stage.wires.peek("data") is None
    assert sum(line["msg"] == "at work" for line in process.lines) == 1


@pytest.fixture
def other_user(broker: Broker) -> Iterator[str]:
    broker.ctl("add_user", "other", "other")
    broker.ctl("set_permissions", "other", ".*", ".*", ".*")
    yield f"amqp://other:other@127.0.0.1:{broker.port}/%2F"
    broker.ctl("delete_user", "other")


def test_a_rebound_does_not_claim_to_be_of_the_user_who_sent_the_input(
    stage: StepHarness, other_user: str
) -> None:
    process = stage.start(amqp_uri=other_user, amqp_publish_retry_delay="1")
    stage.wires.send_raw(seal({"body": {"do": "rebound"}}), {"messageId": "m-1"}, user_id="guest")

    assert stage.take("rebound").properties.user_id is None
    stage.settled()
    assert not any("was closed" in line["msg"] for line in process.lines)


@pytest.mark.parametrize("character", ["x", "ä", "€", "\U0001f40b", "\0"])
@pytest.mark.parametrize("taken", [0, 127_500])
def test_a_long_reason_does_not_cost_the_message_fault_8_5(
    stage: StepHarness, character: str, taken: int
) -> None:
    """A frame of the broker holds 128 kB, with all headers in it."""
    process = stage.start(amqp_publish_retry_delay="1")
    headers = {"x-eio-meta-much": "m" * taken} if taken else {}
    stage.do("rebound", headers, reason=character * 100_000)

    got = stage.take("rebound")
    assert got.headers.get("x-eio-meta-much", "") == headers.get("x-eio-meta-much", "")
    assert got.headers["reboundIteration"] == 1
    told = got.headers.get("reboundReason", "")
    assert len(told.encode()) <= 4_096
    assert taken or told.startswith(character)
    stage.settled()
    assert not any("was closed" in line["msg"] for line in process.lines)
    assert stage.wires.peek("error") is None


FRAME = 131_072 - 20
"""Bytes of properties that fit into a frame of the broker."""
FULL = {
    "one": {"x-eio-meta-much": "m" * (FRAME - 300)},
    "many": {f"x-eio-meta-{n:04}": "m" * 40 for n in range((FRAME - 300) // 61)},
    "thread": {"threadId": "t" * (FRAME - 300)},
    "id": {"messageId": "i" * (FRAME - 300)},
}


@pytest.mark.parametrize("kind", FULL)
def test_an_input_whose_headers_fill_a_frame_ends_in_an_error_fault_8_5(
    stage: StepHarness, kind: str
) -> None:
    """The headers of this step did not go with those that came: neither its message nor the error arrived."""
    process = stage.start(amqp_publish_retry_delay="1")
    headers = {"reply_to": stage.wires.name("reply"), **FULL[kind]}
    sent = stage.do("echo", headers)

    got, reply = stage.take("error"), stage.take("reply")
    assert "a frame of the broker takes 131052" in got.error["message"]
    assert got.error_input["body"] == {"do": "echo"}
    assert reply.headers["x-eio-error-response"] is True
    for one in (got, reply):
        assert {"execId", "taskId", "stepId", "messageId"} <= one.headers.keys()
        assert sum(map(len, one.properties.encode())) <= FRAME
    assert kind in ("thread", "id") or got.headers["parentMessageId"] == sent["messageId"]
    stage.settled()
    assert stage.wires.peek("data") is None
    assert not any("was closed" in line["msg"] or "is lost" in line["msg"] for line in process.lines)
    assert any("without headers that would not go with it" in line["msg"] for line in process.lines)


def test_a_message_that_fills_a_frame_is_published_again_without_the_count_of_it_fault_8_5(
    stage: StepHarness,
) -> None:
    """The header that says how often it was tried made the second try impossible."""
    stage.start(amqp_publish_retry_delay="1")
    stage.do("echo", {"x-eio-meta-much": "m" * 1_000})
    free = FRAME - sum(map(len, stage.take("data").properties.encode()))
    stage.wires.fill_up("data")
    stage.do("echo", {"x-eio-meta-much": "m" * (1_000 + free)})
    stage.process.wait_message("it will be published again: refused by the broker")
    stage.take("data")  # what was in the way

    got = stage.take("data")
    assert len(got.headers["x-eio-meta-much"]) == 1_000 + free
    assert "retry" not in got.headers
    stage.settled()
    assert stage.wires.peek("error") is None
