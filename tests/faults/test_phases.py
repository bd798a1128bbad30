"""The broker's connection is lost while a message is in work, once in each phase of its life: nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.frames import Frame, FrameProxy
from tests.lab.broker import Broker
from tests.lab.waiting import DEADLINE, wait_until
from tests.sailor.platform_queues import Got
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

pytestmark = pytest.mark.broker
AT_WORK = "at work"


def runs(process: Process) -> int:
    return sum(line["msg"] == AT_WORK for line in process.lines)


def connected_again(process: Process) -> None:
    for name in ("read", "write"):
        process.wait_message(f"connection {name} is back")


def everything(stage: StepHarness, broker: Broker, kind: str = "data") -> list[Got]:
    """All of a queue, once no input is left, not even an unacknowledged one, and the step has ended in order."""
    wait_until(lambda: broker.depth(stage.wires.name("in")) == 0, "the inputs to be acknowledged")
    stage.settled()
    got = []
    while (one := stage.wires.peek(kind)) is not None:
        got.append(one)
    return got


def ids(messages: list[Got]) -> set[Any]:
    return {got.headers["messageId"] for got in messages}


def test_before_the_function_is_called(
    stage: StepHarness, broker: Broker, proxy: FrameProxy, uri: str
) -> None:
    process = stage.start(amqp_uri=uri)
    delivery = proxy.stop_at(Frame.DELIVER)
    stage.do("work", n=1)
    assert delivery.reached.wait(DEADLINE)

    proxy.cut()
    connected_again(process)

    process.wait_message(AT_WORK)
    assert [got.payload["body"]["n"] for got in everything(stage, broker)] == [1]
    assert runs(process) == 1


def test_while_the_function_works(
    stage: StepHarness, broker: Broker, proxy: FrameProxy, uri: str, tmp_path: Path
) -> None:
    process = stage.start(amqp_uri=uri)
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    process.wait_message(AT_WORK)

    proxy.cut()
    connected_again(process)
    (tmp_path / "go").touch()

    assert stage.take("data").payload["body"]["n"] == 1
    assert everything(stage, broker) == []
    assert runs(process) == 1


@pytest.mark.parametrize("let_through", [False, True], ids=["before the publish", "after the publish"])
def test_between_publish_and_confirm(
    stage: StepHarness, broker: Broker, proxy: FrameProxy, uri: str, let_through: bool
) -> None:
    process = stage.start(amqp_uri=uri)
    frame = Frame.CONFIRM if let_through else Frame.PUBLISH
    stop = proxy.stop_at(frame)
    stage.do("work", n=1)
    assert stop.reached.wait(DEADLINE)

    proxy.cut()
    connected_again(process)

    repeats = [stage.take("data")]
    if let_through:
        repeats.append(stage.take("data"))
    assert everything(stage, broker) == []
    assert len(ids(repeats)) == 1
    assert repeats[-1].headers["retry"] >= 1
    assert runs(process) == 1


@pytest.mark.parametrize("let_through", [False, True], ids=["before the ack", "after the ack"])
def test_between_confirm_and_ack(
    stage: StepHarness, broker: Broker, proxy: FrameProxy, uri: str, let_through: bool
) -> None:
    """The broker cannot know that the work was done, but the step does."""
    process = stage.start(amqp_uri=uri)
    ack = proxy.stop_at(Frame.ACK, let_through=let_through)
    stage.do("work", n=1)
    assert ack.reached.wait(DEADLINE)

    proxy.cut()
    connected_again(process)

    assert [got.payload["body"]["n"] for got in everything(stage, broker)] == [1]
    assert runs(process) == 1


def test_between_error_and_reject(stage: StepHarness, broker: Broker, proxy: FrameProxy, uri: str) -> None:
    process = stage.start(amqp_uri=uri)
    reject = proxy.stop_at(Frame.REJECT)
    stage.do("fail", text="in vain")
    assert reject.reached.wait(DEADLINE)

    proxy.cut()
    connected_again(process)

    assert [got.error["message"] for got in everything(stage, broker, "error")] == ["in vain"]


def test_many_messages_while_the_connection_comes_and_goes(
    stage: StepHarness, broker: Broker, proxy: FrameProxy, uri: str
) -> None:
    stage.start(
        amqp_uri=uri, rabbitmq_prefetch_sailor="20", data_rate_limit="10000", amqp_reconnect_timeout="5"
    )
    for n in range(300):
        stage.do("echo", {"messageId": f"m-{n}"}, n=n)
        if n % 60 == 59:
            proxy.cut()

    by_input: dict[int, set[str]] = {}
    while len(by_input) < 300:
        got = stage.take("data")
        by_input.setdefault(got.payload["body"]["echo"]["n"], set()).add(got.headers["messageId"])

    assert all(len(repeated) == 1 for repeated in by_input.values())
    everything(stage, broker)
