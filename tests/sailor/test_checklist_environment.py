"""Statements 1 to 8 of the platform's checklist: the environment."""

from __future__ import annotations

import pytest

from lib.sailor.environment import BOUNDS, boolean, integer
from lib.sailor.settings import MANDATORY, MANDATORY_FOR_MESSAGES, Settings
from tests.sailor.step_harness import StepHarness

EVERYTHING = {f"ELASTICIO_{name}": name.lower() for name in MANDATORY + MANDATORY_FOR_MESSAGES}
EVERYTHING["ELASTICIO_MESSAGE_CRYPTO_IV"] = "sixteen bytes iv"


@pytest.mark.parametrize("name", MANDATORY + MANDATORY_FOR_MESSAGES)
def test_01_missing_variable_ends_with_1_and_is_named(stage: StepHarness, name: str) -> None:
    process = stage.start(ready=False, **{name.lower(): None})

    assert process.exit_code() == 1
    assert [line["msg"] for line in process.lines] == ["process.uncaughtException"]
    assert process.lines[0]["err"]["message"] == f"ELASTICIO_{name} is missing"
    assert stage.wires.depth("error") == 0


def test_01_the_first_missing_variable_is_reported(stage: StepHarness) -> None:
    process = stage.start(ready=False, user_id=None, amqp_uri=None)

    assert process.exit_code() == 1
    assert process.lines[0]["err"]["message"] == "ELASTICIO_USER_ID is missing"


def test_02_empty_counts_as_missing(stage: StepHarness) -> None:
    process = stage.start(ready=False, step_id="")

    assert process.exit_code() == 1
    assert process.lines[0]["err"]["message"] == "ELASTICIO_STEP_ID is missing"


def test_03_shutdown_containers_need_no_broker(stage: StepHarness) -> None:
    absent = {name.lower(): None for name in MANDATORY_FOR_MESSAGES}
    stage.platform.on("GET", "/sailor-support/hooks/task/flow1/startup/data", (200, {}))
    stage.platform.on("DELETE", "/sailor-support/hooks/task/flow1/startup/data", (204, b""))

    assert stage.start(ready=False, hook_shutdown="1", **absent).exit_code() == 0


def test_03_better_a_false_shutdown_needs_all_of_them(stage: StepHarness) -> None:
    process = stage.start(ready=False, hook_shutdown="false", amqp_uri=None)

    assert process.exit_code() == 1
    assert process.lines[0]["err"]["message"] == "ELASTICIO_AMQP_URI is missing"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 20),
        ("abc", 20),
        ("", 20),
        ("3.9", 3),
        ("12abc", 12),
        ("-5", -5),
        (" 7", 7),
        ("0x10", 16),
        ("Infinity", 20),
        ("9" * 5000, 2**40),
        ("-99999999999999999999", -(2**40)),
        (None, 20),
    ],
)
def test_04_integers_are_read_as_the_platform_does(text: str | None, value: int) -> None:
    variables = {**EVERYTHING, **({} if text is None else {"ELASTICIO_REBOUND_LIMIT": text})}

    assert integer(text, 20) == value
    assert Settings.read(variables).rebound_limit == value


@pytest.mark.parametrize(
    ("text", "value"),
    [(None, True), ("", False), ("false", False), ("0", True), ("no", True), ("FALSE", True), ("true", True)],
)
def test_05_booleans_are_read_as_the_platform_does(text: str | None, value: bool) -> None:
    variables = {**EVERYTHING, **({} if text is None else {"ELASTICIO_PROCESS_AMQP_DRAIN": text})}

    assert boolean(text, True) is value
    assert Settings.read(variables).process_amqp_drain is value
    assert boolean(None, False) is False


def test_05_better_values_that_look_mistaken_are_told() -> None:
    variables = {**EVERYTHING, "ELASTICIO_STARTUP_REQUIRED": "FALSE", "ELASTICIO_REBOUND_LIMIT": "12abc"}

    doubts = Settings.read(variables).doubts

    assert doubts == (
        "ELASTICIO_REBOUND_LIMIT='12abc' is read as 12",
        "ELASTICIO_STARTUP_REQUIRED='FALSE' is read as True",
    )


@pytest.mark.parametrize(
    "text", ["-1", "-5", "-99999999999999999999", "nan", "inf", "-inf", "1e400", "9" * 5000]
)
@pytest.mark.parametrize("name", BOUNDS)
def test_05_better_numbers_that_nothing_can_be_done_with_are_bounded_and_told(name: str, text: str) -> None:
    """Fault 8.34: a negative API_REQUEST_RETRY_DELAY ended the start with the error of a sleep."""
    variable = f"ELASTICIO_{name.upper()}"

    settings = Settings.read({**EVERYTHING, variable: text})

    value, (least, most) = getattr(settings, name), BOUNDS[name]
    if text[0] == "-" and text[1].isdigit():
        assert value == least
    assert value is None or least <= value <= most
    told = [doubt for doubt in settings.doubts if doubt.startswith(f"{variable}=")]
    assert len(told) == 1


def test_10_a_negative_pause_between_attempts_is_none(stage: StepHarness) -> None:
    """Fault 8.34."""
    step = "/v1/tasks/flow1/steps/step_1"
    stage.platform.on("GET", step, (500, "no"), (500, "no"), (200, {"config": {"a": 1}}))
    stage.start(api_request_retry_delay="-100")
    assert len(stage.platform.asked("GET", step)) == 3


def test_06_no_self_passthrough_is_spelled_as_the_platform_spells_it() -> None:
    assert Settings.read({**EVERYTHING, "ELASTICIO_NO_SELF_PASSTRHOUGH": "1"}).no_self_passtrhough is True
    assert Settings.read({**EVERYTHING, "ELASTICIO_NO_SELF_PASSTHROUGH": "1"}).no_self_passtrhough is False


def test_07_additional_variables_become_headers(stage: StepHarness) -> None:
    stage.start(
        additional_vars_for_headers="ELASTICIO_FOO_BAR, PLAIN_one,ELASTICIO_NOPE,ELASTICIO_V2_ID",
        foo_bar="foo",
        v2_id="two",
        PLAIN_one="plain",
    )
    stage.do("echo")

    headers = stage.take("data").headers

    assert headers["fooBar"] == "foo"
    assert headers["plainOne"] == "plain"
    assert headers["v2Id"] == "two"
    assert "nope" not in headers


def test_08_better_unknown_log_level_means_info_with_a_warning(stage: StepHarness) -> None:
    process = stage.start(LOG_LEVEL="loud")

    assert process.lines[0]["level"] == 40
    assert "'loud' is unknown" in process.lines[0]["msg"]
    assert process.stop() == 0
