"""The connection is cut once in each phase of a message: nothing is lost, and nothing is done twice needlessly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.broker import Broker
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.waiting import wait_until
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness


@pytest.fixture
def cut(broker: Broker) -> Iterator[FaultyProxy]:
    with FaultyProxy(("127.0.0.1", broker.port)) as cut:
        yield cut


@pytest.fixture
def process(stage: StepHarness, cut: FaultyProxy) -> Process:
    uri = f"amqp://guest:guest@127.0.0.1:{cut.port}/%2F"
    return stage.start(amqp_uri=uri, amqp_reconnect_timeout="10", LOG_LEVEL="trace")


def works(process: Process) -> int:
    return sum(line["msg"] == "at work" for line in process.lines)


def acknowledged(stage: StepHarness, broker: Broker) -> None:
    """What is acked while the connection goes comes again, and is acked then."""
    wait_until(lambda: broker.depth(stage.wires.name("in")) == 0, "the inputs to be acknowledged")
    stage.settled()


def test_cut_before_the_function_begins(
    stage: StepHarness, process: Process, cut: FaultyProxy, tmp_path: Path
) -> None:
    (tmp_path / "go").touch()
    cut.answers.freeze()
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    wait_until(lambda: stage.wires.depth("in") == 0, "the broker to deliver")

    cut.reset()
    cut.thaw()

    assert stage.take("data").payload["body"]["n"] == 1
    stage.settled()
    assert works(process) == 1
    assert stage.wires.peek("data") is None


def test_cut_while_the_function_works(
    stage: StepHarness, process: Process, cut: FaultyProxy, tmp_path: Path
) -> None:
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    wait_until(lambda: works(process) == 1, "the function to work")

    cut.reset()
    process.wait_message("Duplicate message detected")
    (tmp_path / "go").touch()

    assert stage.take("data").payload["body"]["n"] == 1
    stage.settled()
    assert works(process) == 1
    assert stage.wires.peek("data") is None


def test_cut_between_publish_and_confirm(
    stage: StepHarness, process: Process, cut: FaultyProxy, tmp_path: Path
) -> None:
    """Nobody can know whether the broker has it, so it is sent again: with the same id, and marked as a retry."""
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    wait_until(lambda: works(process) == 1, "the function to work")
    cut.answers.freeze()
    (tmp_path / "go").touch()
    first = stage.take("data")

    cut.reset()
    cut.thaw()

    second = stage.take("data")
    assert first.headers["messageId"] == second.headers["messageId"]
    assert "retry" not in first.headers
    assert second.headers["retry"] >= 1  # as often as it was tried while the connection was away
    stage.settled()
    assert works(process) == 1


def test_cut_between_confirm_and_ack(
    stage: StepHarness, process: Process, cut: FaultyProxy, tmp_path: Path
) -> None:
    stage.do("emit_then_wait", n=1, file=str(tmp_path / "go"))
    assert stage.take("data").payload["body"]["n"] == 1
    cut.requests.freeze()
    (tmp_path / "go").touch()
    process.wait_message("took an input off the queue")

    cut.reset()
    cut.thaw()

    process.wait_message("A message is finished, now that it came again")
    stage.settled()
    assert works(process) == 1
    assert stage.wires.peek("data") is None


def test_cut_again_and_again_under_load(stage: StepHarness, broker: Broker, cut: FaultyProxy) -> None:
    stage.start(
        amqp_uri=f"amqp://guest:guest@127.0.0.1:{cut.port}/%2F",
        amqp_reconnect_timeout="1",
        rabbitmq_prefetch_sailor="5",
        data_rate_limit="1000",
        error_rate_limit="1000",
    )
    count = 600
    for n in range(count):
        stage.do("fail" if n % 10 == 0 else "dictionary", {"messageId": f"m-{n}"}, n=n)
    found: dict[str, set[str]] = {}

    def gathered() -> bool:
        for kind in ("data", "error") * 10:
            if (got := stage.wires.peek(kind)) is not None:
                found.setdefault(got.headers["parentMessageId"], set()).add(got.headers["messageId"])
        if len(found) // 50 > (seen := cut.accepted) // 2:
            cut.reset()
            wait_until(lambda: cut.accepted > seen, "the step to come again")
        return len(found) == count

    wait_until(gathered, "an output for every input")

    assert set(found) == {f"m-{n}" for n in range(count)}
    assert all(len(ids) == 1 for ids in found.values())  # every repeat is the same message
    assert cut.accepted > 10
    acknowledged(stage, broker)
