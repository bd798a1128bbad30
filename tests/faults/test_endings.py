"""SIGTERM ends the process in every state: in order where that is possible, by the deadline in any case."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.frames import Frame, FrameProxy
from tests.lab.waiting import DEADLINE
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

pytestmark = pytest.mark.broker
SHUTDOWN = "1500"


def idle(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    return stage.start(amqp_uri=uri)


def at_work(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    process = stage.start(amqp_uri=uri, shutdown_deadline=SHUTDOWN)
    stage.do("until_cancelled")
    process.wait_message("at work")
    return process


def hanging(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    process = stage.start(amqp_uri=uri, shutdown_deadline=SHUTDOWN)
    stage.do("hang")
    process.wait_message("at work")
    return process


def waiting_for_a_confirm(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    process = stage.start(amqp_uri=uri, shutdown_deadline=SHUTDOWN)
    confirm = proxy.stop_at(Frame.CONFIRM)
    stage.do("echo")
    assert confirm.reached.wait(DEADLINE)
    return process


def before_a_full_queue(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    stage.wires.delete("data")
    stage.wires.declare("data", **{"x-max-length": 1, "x-overflow": "reject-publish"})
    process = stage.start(amqp_uri=uri, shutdown_deadline=SHUTDOWN)
    stage.do("echo")
    stage.do("echo")
    process.wait_message("not delivered yet")
    return process


def before_a_missing_queue(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    stage.wires.delete("data")
    process = stage.start(amqp_uri=uri, shutdown_deadline=SHUTDOWN, amqp_publish_retry_delay="100000")
    stage.do("echo")
    process.wait_message("not delivered yet")
    return process


def waiting_for_the_rate_limit(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    process = stage.start(
        # A fifth of it is left for what the rate limit held back.
        amqp_uri=uri,
        shutdown_deadline="15000",
        rate_interval="100000",
        data_rate_limit="1",
    )
    stage.do("several")
    stage.take("data")
    return process


def without_a_broker(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    process = stage.start(amqp_uri=uri, shutdown_deadline=SHUTDOWN)
    proxy.close()
    process.wait_message("is lost")
    return process


def without_its_queue(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    process = stage.start(amqp_uri=uri, shutdown_deadline=SHUTDOWN, amqp_reconnect_timeout="100000")
    stage.wires.delete("in")
    process.wait_message("cancelled the consumer")
    stage.wires.declare("in")
    return process


def waiting_for_the_platform(stage: StepHarness, proxy: FrameProxy, uri: str) -> Process:
    stage.platform.on("GET", "/v1/tasks/flow1/steps/step_1", (503, "not yet"))
    process = stage.start(
        ready=False, amqp_uri=uri, shutdown_deadline=SHUTDOWN, api_request_retry_delay="100000"
    )
    stage.platform.wait_for("GET", "/v1/tasks/flow1/steps/step_1")
    return process


State = Callable[[StepHarness, FrameProxy, str], Process]


@pytest.mark.parametrize(
    "state",
    [
        idle,
        at_work,
        hanging,
        waiting_for_a_confirm,
        before_a_full_queue,
        before_a_missing_queue,
        waiting_for_the_rate_limit,
        without_a_broker,
        without_its_queue,
        waiting_for_the_platform,
    ],
)
def test_sigterm_ends_a_step_that_is(state: State, stage: StepHarness, proxy: FrameProxy, uri: str) -> None:
    process = state(stage, proxy, uri)
    before = stage.wires.depth("in")

    process.signal(signal.SIGTERM)

    assert process.exit_code() == 0
    assert not process.stderr
    returned = {"at_work": 1, "hanging": 1, "waiting_for_a_confirm": 1, "before_a_full_queue": 1}
    returned["before_a_missing_queue"] = 1
    wanted = before + returned.get(state.__name__, 0)
    stage.unconsumed()
    assert stage.wires.depth("in") == wanted


def test_a_second_interrupt_ends_at_once(stage: StepHarness, proxy: FrameProxy, uri: str) -> None:
    process = stage.start(amqp_uri=uri)
    stage.do("hang")
    process.wait_message("at work")

    process.signal(signal.SIGINT)
    process.wait_message("Received SIGINT")
    process.signal(signal.SIGINT)

    assert process.exit_code() == 0
    stage.unconsumed()
    assert stage.wires.depth("in") == 1


def test_what_is_in_work_is_finished_first(
    stage: StepHarness, proxy: FrameProxy, uri: str, tmp_path: Path
) -> None:
    process = stage.start(amqp_uri=uri)
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    process.wait_message("at work")

    process.signal(signal.SIGTERM)
    process.wait_message("Received SIGTERM")
    (tmp_path / "go").touch()

    assert stage.take("data").payload["body"]["n"] == 1
    assert process.exit_code() == 0
    assert stage.wires.depth("in") == 0
