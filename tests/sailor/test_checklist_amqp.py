"""Statements 24 to 39 of the platform's checklist: the broker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.broker import Broker
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.waiting import wait_until
from tests.sailor.platform_queues import seal
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness


@pytest.fixture
def cut(broker: Broker) -> Iterator[FaultyProxy]:
    """A port between the step (and only the step) and the broker."""
    with FaultyProxy(("127.0.0.1", broker.port)) as cut:
        yield cut


def through(cut: FaultyProxy, stage: StepHarness) -> str:
    return f"amqp://guest:guest@127.0.0.1:{cut.port}/%2F"


def works(process: Process) -> int:
    """How often the function of the component began to work."""
    return sum(line["msg"] == "at work" for line in process.lines)


def connections(broker: Broker) -> set[str]:
    """A line for each: its name, which no other has, and what the client says of itself."""
    return set(broker.ctl("list_connections", "--no-table-headers", "name", "client_properties").splitlines())


def test_24_two_connections_are_named_for_the_host(stage: StepHarness, broker: Broker) -> None:
    before = connections(broker)

    process = stage.start()

    own = "".join(connections(broker) - before)  # those of an earlier test may just be going
    host = process.lines[0]["hostname"]
    assert own.count(f"{host}-read") == own.count(f"{host}-write") == 1


def test_25_as_many_messages_are_worked_on_as_the_prefetch_says(
    stage: StepHarness, broker: Broker, tmp_path: Path
) -> None:
    process = stage.start(rabbitmq_prefetch_sailor="3")
    for n in range(4):
        stage.do("wait_for_file", n=n, file=str(tmp_path / "go"))

    wait_until(lambda: works(process) == 3, "three messages to be in work")
    assert stage.wires.depth("in") == 1
    assert "3\n" in broker.ctl("list_consumers", "--no-table-headers", "prefetch_count") + "\n"
    (tmp_path / "go").touch()

    assert sorted(got.payload["body"]["n"] for got in stage.all("data", 4)) == [0, 1, 2, 3]
    stage.settled()


def test_26_nothing_is_ever_declared(stage: StepHarness, broker: Broker) -> None:
    broker.ctl("add_user", stage.wires.prefix, "password-of-the-user")
    broker.ctl("set_permissions", stage.wires.prefix, "^$", ".*", ".*")

    stage.start(amqp_uri=f"amqp://{stage.wires.prefix}:password-of-the-user@127.0.0.1:{broker.port}/%2F")
    stage.do("echo")

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    stage.settled()
    broker.ctl("delete_user", stage.wires.prefix)


def test_27_one_ack_on_success_and_one_reject_on_error(stage: StepHarness) -> None:
    stage.wires.delete("in")
    dead = {
        "x-dead-letter-exchange": stage.wires.exchange,
        "x-dead-letter-routing-key": stage.wires.name("other"),
    }
    stage.wires.declare("in", **dead)
    process = stage.start()

    stage.do("echo", n=1)
    stage.do("fail", n=2)
    stage.take("data")
    stage.take("error")

    rejected = stage.take("other")
    assert rejected.payload["body"] == {"do": "fail", "n": 2}
    assert rejected.headers["x-death"][0]["reason"] == "rejected"
    stage.settled()
    assert not [
        line for line in process.lines if "channel" in line["msg"]
    ]  # a second ack would have closed it
    assert stage.wires.peek("other") is None


def test_28_undecodable_input_is_rejected_and_reported(stage: StepHarness) -> None:
    stage.start()

    stage.wires.send_raw(b"no base64 !!", {"messageId": "m-1", "threadId": "t-1"})
    stage.wires.send_raw(b"AAAAAAAAAAAAAAAAAAAAAA==", {"messageId": "m-2"})
    stage.wires.send_raw(b"", {"messageId": "m-3"})
    stage.wires.send_raw(b"123", None)
    stage.do("echo")

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    errors = stage.all("error", 4)
    assert [got.headers.get("parentMessageId") for got in errors] == ["m-1", "m-2", "m-3", None]
    assert all(got.error["message"].startswith("The message cannot be decoded: ") for got in errors)
    assert errors[0].plain["errorInput"] == "no base64 !!"
    assert errors[0].headers["threadId"] == "t-1"
    stage.settled()


def test_29_publish_properties(stage: StepHarness) -> None:
    stage.start()
    stage.do("everything", {"reply_to": stage.wires.name("reply")})

    for kind in ("data", "snapshot", "reply", "error"):
        properties = stage.take(kind).properties
        assert (properties.content_type, properties.content_encoding) == ("application/json", "utf8")
        assert properties.delivery_mode == 1
        assert properties.message_id is properties.correlation_id is properties.priority is None
        assert properties.timestamp is properties.expiration is properties.reply_to is None


def test_29_persistent_messages(stage: StepHarness) -> None:
    stage.start(amqp_persistent_messages="1")
    stage.do("rebound")
    stage.do("echo")

    assert stage.take("data").properties.delivery_mode == 2
    assert stage.take("rebound").properties.delivery_mode == 2


def test_31_a_full_queue_slows_the_step_down_and_loses_nothing(stage: StepHarness) -> None:
    stage.wires.fill_up("data")
    process = stage.start(LOG_LEVEL="debug")
    stage.do("echo", n=1)

    process.wait_line(lambda line: line.get("retry") == 4)
    assert stage.wires.depth("in") == 0  # taken, and not acked: a stop would bring it back
    stage.wires.peek("data")  # makes room

    got = stage.take("data")
    assert got.payload["body"]["echo"]["n"] == 1
    stage.settled()
    retries = [(line["retry"], line["pause"]) for line in process.lines if "retry" in line]
    assert retries == [(n, 100 * 2 ** (n - 1)) for n in range(1, got.headers["retry"] + 1)]
    assert len(retries) >= 4  # and one for each pause in which there was still no room


def test_30_an_input_is_not_acked_before_its_data_are_confirmed(stage: StepHarness) -> None:
    stage.wires.fill_up("data")
    process = stage.start()
    stage.do("echo", n=1)
    process.wait_message("not delivered yet")

    process.close()  # killed: what was not acked comes again

    wait_until(lambda: stage.wires.depth("in") == 1, "the input to come back")


def test_32_limited_publish_attempts_end_as_an_error(stage: StepHarness) -> None:
    stage.wires.fill_up("data")
    process = stage.start(amqp_publish_retry_attempts="2", LOG_LEVEL="debug")
    stage.do("echo")

    error = stage.take("error").error
    assert error["message"].startswith("Failed on publishing ")
    assert " message to MQ: " in error["message"]
    assert len([line for line in process.lines if "retry" in line]) == 1
    stage.settled()


def test_33_data_are_limited_to_ten_per_100_ms(stage: StepHarness) -> None:
    stage.start()
    begin = time.monotonic()
    stage.do("several", n=30)
    stage.all("data", 30)

    assert time.monotonic() - begin >= 0.2


def test_33_the_limit_can_be_raised(stage: StepHarness) -> None:
    stage.start(
        data_rate_limit="200", rate_interval="1000000000"
    )  # the next two hundred come after eleven days
    stage.do("several", n=200)

    assert len(stage.all("data", 200)) == 200


def test_34_better_an_unroutable_message_is_an_error(stage: StepHarness) -> None:
    stage.wires.delete("data")
    stage.start(amqp_publish_retry_delay="1")
    stage.do("echo")

    got = stage.take("error")
    assert "returned by the broker: no queue takes this routing key" in got.error["message"]
    assert got.error_input["body"] == {"do": "echo"}
    stage.settled()


def test_34_better_a_missing_exchange_loses_nothing(stage: StepHarness) -> None:
    """Neither data nor error could be published, so the input waits."""
    process = stage.start(amqp_publish_retry_delay="1", amqp_reconnect_timeout="1", LOG_LEVEL="debug")
    stage.wires.channel.exchange_delete(stage.wires.exchange)
    stage.wires.send_past_the_exchange({"body": {"do": "echo"}})
    process.wait_line(lambda line: line.get("retry") == 8)

    stage.wires.declare_exchange()

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    stage.settled()
    assert stage.wires.peek("error") is None


def test_34_better_a_start_that_fails_without_an_exchange_ends(stage: StepHarness) -> None:
    process = stage.start(
        "missingFile",
        ready=False,
        amqp_publish_retry_delay="1",
        amqp_reconnect_timeout="1",
        publish_messages_to="nowhere",
    )

    assert process.exit_code() == 1
    process.wait_message("The failed start cannot be reported")


def test_35_the_step_consumes_again_after_a_broker_restart(stage: StepHarness, broker: Broker) -> None:
    process = stage.start()

    broker.stop_app()
    process.wait_message("is lost, it will be opened again")
    broker.start_app()
    stage.wires.connect()
    stage.do("echo")

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    stage.settled()


def test_35_better_an_outage_may_last_longer_than_the_first_attempts(
    stage: StepHarness, cut: FaultyProxy
) -> None:
    process = stage.start(
        amqp_uri=through(cut, stage),
        amqp_reconnect_attempts="1",
        amqp_reconnect_timeout="1",
        LOG_LEVEL="debug",
    )

    cut.refuse()
    wait_until(
        lambda: sum("cannot be opened" in line["msg"] for line in process.lines) >= 8, "eight attempts"
    )
    cut.accept()
    stage.do("echo")

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    stage.settled()


def test_36_a_message_in_work_survives_the_connection(
    stage: StepHarness, cut: FaultyProxy, tmp_path: Path
) -> None:
    process = stage.start(amqp_uri=through(cut, stage), amqp_reconnect_timeout="1")
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    wait_until(lambda: works(process) == 1, "the message to be in work")

    cut.reset()
    process.wait_message("Duplicate message detected")
    (tmp_path / "go").touch()

    assert stage.take("data").payload["body"]["n"] == 1
    stage.settled()
    assert works(process) == 1
    assert stage.wires.peek("data") is None


def test_36_a_message_that_ends_while_the_connection_is_gone_is_acked_when_it_comes_again(
    stage: StepHarness, cut: FaultyProxy, tmp_path: Path
) -> None:
    process = stage.start(amqp_uri=through(cut, stage), amqp_reconnect_timeout="1", LOG_LEVEL="trace")
    stage.do("emit_then_wait", n=1, file=str(tmp_path / "go"))
    wait_until(lambda: works(process) == 1, "the message to be in work")
    stage.take("data")

    cut.refuse()
    process.wait_message("AMQP connection read is lost")
    (tmp_path / "go").touch()
    process.wait_message("finished without a channel")
    cut.accept()

    wait_until(lambda: process.wait_message("finished, now that it came again"), "the ack")
    stage.settled()
    assert works(process) == 1
    assert stage.wires.peek("data") is None


def test_37_better_two_messages_of_one_id_are_both_processed(stage: StepHarness, tmp_path: Path) -> None:
    stage.start(rabbitmq_prefetch_sailor="2")
    for n in (1, 2):
        stage.do("wait_for_file", {"messageId": "the-same"}, n=n, file=str(tmp_path / "go"))
    (tmp_path / "go").touch()

    data = stage.all("data", 2)

    assert sorted(got.payload["body"]["n"] for got in data) == [1, 2]
    assert data[0].headers["messageId"] != data[1].headers["messageId"]
    stage.settled()


def test_38_better_a_message_without_id_is_processed(stage: StepHarness) -> None:
    stage.start()
    stage.do("echo", {"messageId": None})
    stage.wires.send_raw(seal({"body": {"do": "echo", "n": 2}}), None)

    assert [got.payload["body"]["echo"].get("n") for got in stage.all("data", 2)] == [None, 2]
    stage.settled()


def test_39_better_a_queue_that_stays_away_ends_the_process(stage: StepHarness) -> None:
    process = stage.start(amqp_reconnect_timeout="1")

    stage.wires.delete("in")

    assert process.exit_code() == 1
    assert any(line["level"] == 60 and "404 (NOT-FOUND)" in line["err"]["message"] for line in process.lines)
    stage.wires.declare("in")


def test_39_better_a_queue_that_comes_back_is_consumed_again(stage: StepHarness) -> None:
    process = stage.start(amqp_reconnect_timeout="3000")  # it asks six times, and so waits for minutes

    stage.wires.delete("in")
    process.wait_message("The broker cancelled the consumer")
    stage.wires.declare("in")
    stage.do("echo")

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    stage.settled()


def test_publishing_waits_while_the_broker_blocks_it(
    stage: StepHarness, broker: Broker, tmp_path: Path
) -> None:
    process = stage.start()
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    wait_until(lambda: works(process) == 1, "the message to be in work")

    broker.alarm()
    try:
        (tmp_path / "go").touch()
        process.wait_message("The broker blocks the AMQP connection write")
    finally:
        broker.calm()

    assert stage.take("data").payload["body"]["n"] == 1
    stage.settled()
