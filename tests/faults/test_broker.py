"""The broker itself dies, or blocks whoever publishes, under load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.broker import Broker
from tests.lab.waiting import wait_until
from tests.sailor.platform_queues import seal
from tests.sailor.step_harness import StepHarness

pytestmark = pytest.mark.broker
INPUTS = 400


def send(stage: StepHarness) -> None:
    for n in range(INPUTS):
        headers = {"messageId": f"m-{n}", "threadId": "t-1", "stepId": "step_0"}
        stage.wires.send_raw(seal({"body": {"do": "echo", "n": n}}), headers, delivery_mode=2)


def inputs_of(stage: StepHarness) -> set[int]:
    """The inputs whose data came out, read until all did."""
    found: set[int] = set()
    while len(found) < INPUTS:
        found.add(stage.take("data").payload["body"]["echo"]["n"])
    return found


def test_a_broker_that_is_killed_and_comes_back(stage: StepHarness, broker: Broker) -> None:
    process = stage.start(
        rabbitmq_prefetch_sailor="20", data_rate_limit="100000", amqp_persistent_messages="true"
    )
    send(stage)

    broker.kill()
    process.wait_message("is lost")
    broker.start()
    stage.wires.connect()

    assert inputs_of(stage) == set(range(INPUTS))
    wait_until(lambda: broker.depth(stage.wires.name("in")) == 0, "the inputs to be acknowledged")
    assert process.stop() == 0


def test_a_broker_that_blocks_publishers_still_hears_acks(
    stage: StepHarness, broker: Broker, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    inputs = stage.wires.name("in")
    process = stage.start(rabbitmq_prefetch_sailor="2", data_rate_limit="100000")
    stage.do("emit_then_wait", n=1, file=str(go))
    assert stage.take("data").payload["body"]["n"] == 1
    stage.do("wait_for_file", n=2, file=str(go))
    wait_until(lambda: sum(line["msg"] == "at work" for line in process.lines) == 2, "both to be at work")
    broker.alarm()
    try:
        go.touch()
        process.wait_message("blocks the AMQP connection write")
        wait_until(lambda: broker.depth(inputs) == 1, "the first input to be acknowledged")
        assert stage.wires.peek("data") is None
    finally:
        broker.calm()

    assert stage.take("data").payload["body"]["n"] == 2
    wait_until(lambda: broker.depth(inputs) == 0, "the second input to be acknowledged")
    assert process.stop() == 0
