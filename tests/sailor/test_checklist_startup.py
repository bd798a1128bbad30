"""Statements 9 to 23 of the platform's checklist: the start."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.ports import HeldPort
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

STEP = "/v1/tasks/flow1/steps/step_1"
STATE = "/sailor-support/hooks/task/flow1/startup/data"
REPORT_HEADERS = {
    *("execId", "taskId", "workspaceId", "containerId", "userId", "stepId", "compId", "function", "messageId")
}


def reported(stage: StepHarness, process: Process) -> dict[str, Any]:
    """The error that a failed start published; the process has ended with 1 and left its queue alone."""
    assert process.exit_code() == 1
    got = stage.take("error")
    assert set(got.headers) == REPORT_HEADERS
    assert set(got.plain) == {"error"}
    assert any(line["msg"] == "putOutToSea.catch" and line["level"] == 60 for line in process.lines)
    assert stage.wires.peek("error") is None
    error: dict[str, Any] = got.error
    return error


def test_09_step_data_is_asked_for_at_the_exact_path(stage: StepHarness) -> None:
    stage.start(api_uri=stage.platform.url + "//", step_id="step%1:a", ready=False)
    asked = stage.platform.wait_for("GET", "/v1/tasks/flow1/steps/step%1:a")[0]

    assert (
        asked.headers["authorization"]
        == "Basic " + base64.b64encode(b"task-flow1:the-api-key-canary").decode()
    )
    assert asked.headers["connection"].lower() == "keep-alive"


def test_10_server_errors_are_retried(stage: StepHarness) -> None:
    stage.platform.on("GET", STEP, (500, "no"), (500, "no"), (200, {"config": {"a": 1}}))

    process = stage.start(api_request_retry_delay="10")
    stage.do("see")

    assert stage.take("data").payload["body"]["config"] == {"a": 1}
    assert len(stage.platform.asked("GET", STEP)) == 3
    assert process.stop() == 0


def test_11_client_errors_are_reported_without_retry(stage: StepHarness) -> None:
    stage.platform.on("GET", STEP, (404, {"error": "no such step"}))

    error = reported(stage, stage.start(ready=False))

    assert json.loads(error["message"]) == {"error": "no such step"}
    assert len(stage.platform.asked("GET", STEP)) == 1


@pytest.fixture
def closed() -> Iterator[int]:
    """A port that nobody listens on."""
    with HeldPort() as port:
        yield port.number


def test_12_an_unreachable_api_is_reported(stage: StepHarness, closed: int) -> None:
    nowhere = f"http://127.0.0.1:{closed}"

    error = reported(stage, stage.start(ready=False, api_uri=nowhere, api_request_retry_delay="1"))

    assert nowhere in error["message"]


def test_13_an_unreachable_broker_ends_with_1_after_four_attempts(stage: StepHarness, closed: int) -> None:
    process = stage.start(
        ready=False,
        amqp_uri=f"amqp://guest:guest@127.0.0.1:{closed}",
        amqp_reconnect_timeout="5",
    )

    assert process.exit_code() == 1
    attempts = [line for line in process.lines if "AMQP connection read cannot be opened" in line["msg"]]
    assert len(attempts) == 3  # the fourth one is the failure itself
    assert any("cannot be opened" in line.get("err", {}).get("message", "") for line in process.lines)


def test_13_better_attempts_are_configurable(stage: StepHarness, closed: int) -> None:
    process = stage.start(
        ready=False,
        amqp_uri=f"amqp://guest:guest@127.0.0.1:{closed}",
        amqp_reconnect_timeout="1",
        amqp_reconnect_attempts="5",
    )

    assert process.exit_code() == 1
    attempts = [line for line in process.lines if "AMQP connection read cannot be opened" in line["msg"]]
    assert len(attempts) == 5


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"component_path": "tests/sailor/nowhere"}, "Failed to load component.json from "),
        ({"function": "unknown"}, 'Trigger or action "unknown" is not found in component.json!'),
        ({"function": "missingFile"}, "Failed to load file './functions/nowhere.py': "),
        (
            {"function": "missingImport"},
            "Failed to load file './functions/missing_import.py': No module named 'no_module_of_this_name'",
        ),
        (
            {"function": "brokenFile"},
            "Trigger or action 'brokenFile' is found, but can not be loaded. Please check if the file",
        ),
        ({"function": "noProcess"}, "Process function is not found"),
    ],
)
def test_14_what_is_wrong_with_the_component_is_reported(
    stage: StepHarness, changes: dict[str, str], text: str
) -> None:
    stage.do("echo")

    error = reported(stage, stage.start(ready=False, **changes))

    assert error["message"].startswith(text)
    assert stage.wires.depth("in") == 1


def test_14_better_the_cause_of_a_broken_file_is_kept(stage: StepHarness) -> None:
    assert "SyntaxError" in reported(stage, stage.start("brokenFile", ready=False))["stack"]


def test_15_a_trigger_comes_before_an_action_of_the_same_name(stage: StepHarness) -> None:
    stage.start("both")
    stage.do("echo")

    assert stage.take("data").payload["body"] == {"from": "the trigger"}


def test_15_a_function_declared_for_the_key_comes_before_process(stage: StepHarness) -> None:
    stage.start("declared")
    stage.do("echo")

    assert stage.take("data").payload["body"] == {"from": "the declaration"}


def hooked(stage: StepHarness, **config: Any) -> None:
    stage.platform.step["config"] = {"tell": stage.platform.url, **config}
    for hook in ("startup", "init", "shutdown?there"):
        stage.platform.on("GET", f"/hook/{hook}", (200, {}))


def asked_in_order(stage: StepHarness) -> list[str]:
    return [f"{request.method} {request.path}" for request in stage.platform.requests if request.path != STEP]


def test_16_startup_is_stored_before_init_before_consuming(stage: StepHarness) -> None:
    hooked(stage, state={"subscription": "there"})
    stage.platform.on("POST", STATE, (201, {}))
    stage.do("echo")

    stage.start("hooks", startup_required="1")

    assert stage.take("data").payload["body"] == {"hooked": True}
    assert asked_in_order(stage) == ["GET /hook/startup", f"POST {STATE}", "GET /hook/init"]
    stored = stage.platform.asked("POST", STATE)[0]
    assert stored.json() == {"subscription": "there"}
    assert stored.headers["content-type"] == "application/json"
    assert stored.headers["authorization"].startswith("Basic ")


def test_17_an_empty_state_is_stored_as_an_object(stage: StepHarness) -> None:
    hooked(stage)
    stage.platform.on("POST", STATE, (201, {}))

    stage.start("hooks", startup_required="1")

    assert stage.platform.asked("POST", STATE)[0].body == b"{}"


def test_18_a_state_that_is_there_is_replaced_by_the_same_body(stage: StepHarness) -> None:
    hooked(stage)
    stage.platform.on("POST", STATE, (409, {"error": "exists"}), (201, {}))
    stage.platform.on("DELETE", STATE, (204, b""))

    process = stage.start("hooks", startup_required="1")

    assert asked_in_order(stage)[1:4] == [f"POST {STATE}", f"DELETE {STATE}", f"POST {STATE}"]
    assert [request.body for request in stage.platform.asked("POST", STATE)] == [b"{}", b"{}"]
    assert process.wait_message("Startup data already exists. Rewriting.")["level"] == 40


def test_19_a_state_that_cannot_be_stored_is_reported(stage: StepHarness) -> None:
    hooked(stage)
    stage.platform.on("POST", STATE, (400, {"error": "state refused"}))

    assert (
        reported(stage, stage.start("hooks", startup_required="1", ready=False))["message"] == "state refused"
    )


def test_20_init_is_awaited_before_consuming(stage: StepHarness) -> None:
    hooked(stage)
    stage.do("echo")

    stage.start("hooks")

    assert stage.take("data").headers["start"] > 0
    assert asked_in_order(stage) == ["GET /hook/init"]


def test_20_a_failing_init_is_reported(stage: StepHarness) -> None:
    hooked(stage, init_fails=True)
    stage.do("echo")

    error = reported(stage, stage.start("hooks", ready=False))

    assert (error["name"], error["message"]) == ("RuntimeError", "init failed")
    assert stage.wires.depth("in") == 1


def test_20_a_failing_startup_is_reported(stage: StepHarness) -> None:
    hooked(stage, startup_fails=True)

    error = reported(stage, stage.start("hooks", startup_required="1", ready=False))

    assert error["message"] == "startup failed"


def test_21_missing_hooks_are_no_error(stage: StepHarness) -> None:
    stage.platform.on("POST", STATE, (201, {}))

    process = stage.start("hookless", startup_required="1")

    assert process.stop() == 0


def shutdown(stage: StepHarness, **changes: str | None) -> Process:
    stage.platform.on("GET", STATE, (200, {"subscription": "there"}))
    stage.platform.on("DELETE", STATE, (204, b""))
    return stage.start("hooks", ready=False, hook_shutdown="1", amqp_uri=None, **changes)


def test_22_a_shutdown_container_undoes_the_startup(stage: StepHarness) -> None:
    hooked(stage)

    assert shutdown(stage).exit_code() == 0
    assert asked_in_order(stage) == [f"GET {STATE}", "GET /hook/shutdown?there", f"DELETE {STATE}"]


def test_22_a_failing_shutdown_keeps_the_state(stage: StepHarness) -> None:
    hooked(stage, shutdown_fails=True)

    assert shutdown(stage).exit_code() == 1
    assert stage.platform.asked("DELETE", STATE) == []


def test_23_a_missing_queue_is_reported(stage: StepHarness) -> None:
    stage.wires.delete("in")

    error = reported(stage, stage.start(ready=False))

    assert error["message"].startswith(
        'Operation failed: BasicConsume; 404 (NOT-FOUND) with message "NOT_FOUND - no queue'
    )
