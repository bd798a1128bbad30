"""Statements 83 to 90 of the platform's checklist: the end, the log, error handlers, and the other runtimes."""

from __future__ import annotations

import datetime as dt
import json
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.lab.broker import Broker
from tests.lab.faulty_proxy import FaultyProxy
from tests.lab.waiting import wait_until
from tests.sailor.platform_queues import IV, PASSWORD, seal
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

LEVELS = {10, 20, 30, 40, 50, 60}
ENVIRONMENT_COPIES = {
    *("ELASTICIO_API_USERNAME", "ELASTICIO_COMP_ID", "ELASTICIO_CONTAINER_ID", "ELASTICIO_EXEC_ID"),
    *("ELASTICIO_FLOW_ID", "ELASTICIO_FUNCTION", "ELASTICIO_STEP_ID", "ELASTICIO_USER_ID"),
    *("ELASTICIO_WORKSPACE_ID", "ELASTICIO_COMP_NAME"),
}


def at_work(process: Process) -> None:
    process.wait_message("at work")


def told_to_end(stage: StepHarness, process: Process) -> None:
    """Wait until the step takes no more inputs: it says so before the broker knows."""
    process.wait_message("Received SIGTERM")
    stage.unconsumed()


def test_83_an_idle_step_ends_at_once(stage: StepHarness) -> None:
    process = stage.start(shutdown_deadline="1000000000")

    assert process.stop() == 0

    assert [line["msg"] for line in process.lines[-2:]] == ["Received SIGTERM", "Ended in order"]
    assert stage.wires.consumers("in") == 0


def test_83_an_interrupt_does_the_same(stage: StepHarness) -> None:
    process = stage.start()

    process.signal(signal.SIGINT)

    assert process.exit_code() == 0


@pytest.mark.parametrize("signals", [1, 2])
def test_84_and_85_messages_in_work_are_finished(stage: StepHarness, tmp_path: Path, signals: int) -> None:
    process = stage.start()
    stage.do("wait_for_file", n=1, file=str(tmp_path / "go"))
    at_work(process)
    for _ in range(signals):
        process.signal(signal.SIGTERM)
    told_to_end(stage, process)
    stage.do("echo", n=2)
    (tmp_path / "go").touch()

    assert process.exit_code() == 0
    assert stage.take("data").payload["body"]["n"] == 1
    assert stage.wires.depth("in") == 1  # the second message is for another
    assert stage.wires.peek("data") is None


def test_84_messages_that_were_fetched_but_not_begun_go_back(stage: StepHarness, tmp_path: Path) -> None:
    process = stage.start(rabbitmq_prefetch_sailor="2")
    for n in range(4):
        stage.do("wait_for_file", n=n, file=str(tmp_path / "go"))
    wait_until(lambda: sum(line["msg"] == "at work" for line in process.lines) == 2, "two messages in work")
    process.signal(signal.SIGTERM)
    told_to_end(stage, process)
    (tmp_path / "go").touch()

    assert process.exit_code() == 0
    assert len(stage.all("data", 2)) == 2
    assert stage.wires.depth("in") == 2


def test_85_better_a_hanging_init_does_not_hold_up_the_end(stage: StepHarness) -> None:
    stage.platform.step["config"] = {"init_hangs": True, "tell": stage.platform.url}
    stage.platform.on("GET", "/hook/init", (200, {}))
    process = stage.start("hooks", ready=False, shutdown_deadline="300")
    stage.platform.wait_for("GET", "/hook/init")

    assert process.stop() == 0


def test_85_better_a_hanging_message_goes_back_to_the_queue(stage: StepHarness) -> None:
    process = stage.start(shutdown_deadline="300")
    stage.do("hang")
    at_work(process)

    assert process.stop() == 0
    wait_until(lambda: stage.wires.depth("in") == 1, "the message to come back")


def test_85_better_a_full_queue_does_not_hold_up_the_end(stage: StepHarness) -> None:
    stage.wires.fill_up("data")
    process = stage.start(shutdown_deadline="300")
    stage.do("echo", n=1)
    process.wait_message("not delivered yet")

    assert process.stop() == 0
    wait_until(lambda: stage.wires.depth("in") == 1, "the message to come back")
    assert stage.wires.peek("error") is None


def test_85_better_a_frozen_broker_does_not_hold_up_the_end(stage: StepHarness, broker: Broker) -> None:
    with FaultyProxy(("127.0.0.1", broker.port)) as cut:
        process = stage.start(
            amqp_uri=f"amqp://guest:guest@127.0.0.1:{cut.port}/%2F", shutdown_deadline="300"
        )
        cut.freeze()

        assert process.stop() == 0


def test_85_better_a_second_interrupt_ends_at_once(stage: StepHarness) -> None:
    process = stage.start(shutdown_deadline="1000000000")
    stage.do("until_cancelled")
    at_work(process)
    process.signal(signal.SIGTERM)
    process.wait_message("Received SIGTERM")
    process.signal(signal.SIGINT)

    assert process.exit_code() == 0
    wait_until(lambda: stage.wires.depth("in") == 1, "the message to come back")
    assert stage.wires.peek("error") is None


def test_85_better_a_cancelled_message_is_no_error(stage: StepHarness) -> None:
    process = stage.start(shutdown_deadline="20000")  # a fifth of it is left for the end
    stage.do("until_cancelled")
    at_work(process)

    assert process.stop() == 0
    assert process.lines[-1]["msg"] == "Ended in order"
    wait_until(lambda: stage.wires.depth("in") == 1, "the message to come back")
    assert stage.wires.peek("error") is None


def test_86_every_line_is_json_with_the_platforms_fields(stage: StepHarness) -> None:
    stage.platform.step["config"] = {"password": "password-canary"}
    process = stage.start(LOG_LEVEL="trace", comp_name="a-component")
    sent = stage.do("log", {"parentMessageId": "grand-parent"})
    stage.do("fail")
    stage.take("error")
    assert process.stop() == 0

    for line in process.lines:
        assert "not_json" not in line
        assert line["name"] in ("sailor", "component")
        assert line["level"] in LEVELS
        assert line["pid"] == process.pid
        assert line["tag"] == "flow1"
        assert line["v"] == 0
        assert isinstance(line["hostname"], str)
        assert isinstance(line["msg"], str)
        assert dt.datetime.strptime(line["time"], "%Y-%m-%dT%H:%M:%S.%f%z").tzinfo is not None
        assert {key for key in line if key.startswith("ELASTICIO_")} == ENVIRONMENT_COPIES
    info, warning, error = [line for line in process.lines if line["name"] == "component"]
    for line in (info, warning, error):
        assert (line["threadId"], line["messageId"]) == ("thread-1", sent["messageId"])
        assert line["parentMessageId"] == "grand-parent"
    assert (info["level"], warning["level"], error["level"]) == (30, 40, 50)
    assert (info["answer"], info["nested"]) == (42, {"a": [1]})
    assert (error["err"]["name"], error["err"]["message"]) == ("OwnError", "logged")
    failed = next(line for line in process.lines if line.get("err", {}).get("message") == "It went wrong")
    assert failed["name"] == "sailor"
    assert failed["parentMessageId"] == "unknown"
    assert failed["redelivered"] is False
    assert "Traceback" in failed["err"]["stack"]
    assert process.stderr == ""


def test_86_lines_below_the_level_are_not_written(stage: StepHarness) -> None:
    process = stage.start(ready=False, LOG_LEVEL="ERROR")
    stage.do("log")
    process.wait_message("an error")

    assert {line["level"] for line in process.lines} == {50}


def test_87_no_secret_is_in_any_line(stage: StepHarness) -> None:
    secret = "config-password-canary"
    stage.platform.step["config"] = {"password": secret, "nested": {"token": '{"inner": "inner-canary"}'}}
    process = stage.start(
        LOG_LEVEL="trace",
        object_storage_uri=stage.platform.url,
        object_storage_token="storage-token-canary",
    )
    stage.do("log", text="body-canary")
    stage.do("echo", text="body-canary")
    stage.do("fail", text=f"it is {secret}, inner-canary and storage-token-canary")
    stage.take("data")
    error = stage.take("error")
    assert process.stop() == 0

    log = "".join(process.raw)
    assert "canary" not in log.replace("body-canary", "")
    assert "body-canary" not in log
    assert PASSWORD not in log
    assert IV not in log
    assert "canary" not in error.error["message"] + error.error["stack"]


def error_message(stage: StepHarness, payload: dict[str, Any], **headers: Any) -> None:
    stage.wires.send_raw(json.dumps(payload).encode(), {"messageId": "m-1", "stepId": "step_9", **headers})


def test_88_an_error_handler_sees_both_parts(stage: StepHarness) -> None:
    stage.start(input_format="error")
    failure = {"name": "Error", "message": "größe", "stack": "there"}
    both = {"error": seal(failure).decode(), "errorInput": seal({"body": {"n": 1}}).decode(), "more": [1]}
    error_message(stage, both, protocolVersion=2, threadId="t-1", function="fails")

    body = stage.take("data").payload["body"]

    assert body["echo"] == {"error": failure, "errorInput": {"body": {"n": 1}}, "more": [1]}
    expected = {
        "messageId": "m-1",
        "stepId": "step_9",
        "protocolVersion": 2,
        "threadId": "t-1",
        "function": "fails",
    }
    assert body["headers"] == expected


def test_88_a_missing_input_is_tolerated(stage: StepHarness) -> None:
    stage.start(input_format="error")
    error_message(stage, {"error": seal({"message": "at the start"}).decode()})

    assert stage.take("data").payload["body"]["echo"] == {"error": {"message": "at the start"}}


def test_88_an_unreadable_error_is_an_error_itself(stage: StepHarness) -> None:
    stage.start(input_format="error")
    error_message(stage, {"error": "no base64 !"})

    got = stage.take("error")
    assert got.error["message"].startswith("The message cannot be decoded: ")
    assert got.error_input == {"error": "no base64 !"}
    stage.settled()


@pytest.mark.parametrize("version", [1, 2])
def test_89_messages_have_the_shape_that_the_other_runtimes_insist_on(
    stage: StepHarness, version: int
) -> None:
    """The JVM runtime rejects parts that are no objects and ids that are no UUIDs."""
    stage.platform.step["is_passthrough"] = True
    stage.start(protocol_version=str(version))
    stage.wires.send(
        {"body": {"do": "again"}, "headers": None, "attachments": None, "passthrough": None, "id": None}
    )
    stage.do("dictionary")
    stage.do("raw")

    for got in stage.all("data", 3):
        payload = got.payload
        for part in ("body", "headers", "attachments", "passthrough"):
            assert isinstance(payload.get(part, {}), dict)
        for entry in payload["passthrough"].values():
            assert "passthrough" not in entry
            assert isinstance(entry["body"], dict)
        assert uuid.UUID(got.headers["messageId"])
        assert type(got.headers["protocolVersion"]) is int


def test_90_better_a_busy_function_does_not_lose_the_connection(stage: StepHarness) -> None:
    """Heartbeats of three seconds, and a function that keeps the processor busy for more than two of them."""
    process = stage.start(amqp_uri=f"{stage.wires.uri}?heartbeat=3")
    stage.do("burn", seconds=7)

    assert stage.take("data").payload["body"] == {"burnt": True}
    stage.settled()
    assert not [line for line in process.lines if "lost" in line["msg"]]
