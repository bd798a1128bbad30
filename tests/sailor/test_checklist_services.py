"""Statements 77 to 82 of the platform's checklist: service calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sailor.platform import Platform
from tests.sailor.process import Process

RESULT = "/result"


class Call:
    """A service call: its environment, and what it posted."""

    def __init__(self) -> None:
        self.platform = Platform()
        self.platform.on("POST", RESULT, (200, {}))
        self.process: Process | None = None

    def make(self, method: str, config: Any = None, component: str = "service", **changes: str | None) -> int:
        address = self.platform.url.replace("http://", "http://user:p%40ss%3Aword@")
        environment: dict[str, str | None] = {
            "ELASTICIO_POST_RESULT_URL": address + RESULT,
            "ELASTICIO_CFG": json.dumps(config if config is not None else {}),
            "ELASTICIO_API_URI": self.platform.url,
            "ELASTICIO_API_USERNAME": "user",
            "ELASTICIO_API_KEY": "the-api-key-canary",
            "ELASTICIO_COMPONENT_PATH": f"tests/sailor/{component}",
            "ELASTICIO_ACTION_OR_TRIGGER": "models",
            "ELASTICIO_GET_MODEL_METHOD": "colours",
        }
        environment.update({f"ELASTICIO_{name.upper()}": value for name, value in changes.items()})
        self.process = Process("lib.sailor.service", environment, method)
        return self.process.exit_code()

    def posted(self) -> Any:
        (request,) = self.platform.asked("POST", RESULT)
        return request.json()

    def close(self) -> None:
        if self.process is not None:
            self.process.close()
        self.platform.close()


@pytest.fixture
def call() -> Iterator[Call]:
    call = Call()
    yield call
    call.close()


def test_77_a_result_is_posted_as_the_user_of_the_url(call: Call) -> None:
    assert call.make("getMetaModel") == 0

    assert call.posted() == {
        "status": "success",
        "data": {"in": {"type": "object"}, "out": {"type": "object"}},
    }
    request = call.platform.requests[-1]
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"user:p@ss:word").decode()
    assert request.headers["content-type"] == "application/json"
    assert "@" not in request.path + request.headers["host"]


def test_77_a_select_model_may_be_asynchronous(call: Call) -> None:
    assert call.make("selectModel", {"prefix": "dark "}) == 0

    assert call.posted() == {"status": "success", "data": {"r": "dark red", "b": "dark blue"}}


def test_77_an_error_is_posted(call: Call) -> None:
    assert call.make("selectModel", {"fail": True}) == 0

    assert call.posted() == {"status": "error", "data": {"message": "no colours today"}}


def test_77_what_cannot_be_written_as_json_is_an_error(call: Call) -> None:
    assert call.make("selectModel", get_model_method="unwritable") == 0

    assert call.posted()["status"] == "error"


@pytest.mark.parametrize(
    ("method", "name"),
    [
        *(("verifyCredentials", name) for name in ("CFG", "API_URI", "API_USERNAME", "API_KEY")),
        ("getMetaModel", "ACTION_OR_TRIGGER"),
        ("selectModel", "ACTION_OR_TRIGGER"),
        ("selectModel", "GET_MODEL_METHOD"),
    ],
)
def test_78_a_missing_variable_is_posted(call: Call, method: str, name: str) -> None:
    assert call.make(method, **{name.lower(): None}) == 0

    assert call.posted() == {"status": "error", "data": {"message": f"ELASTICIO_{name} is not provided"}}


def test_78_an_unreadable_configuration_is_posted(call: Call) -> None:
    assert call.make("verifyCredentials", cfg="{no json") == 0

    assert call.posted() == {"status": "error", "data": {"message": "Unable to parse CFG"}}


def test_78_without_an_address_nothing_can_be_posted(call: Call) -> None:
    assert call.make("verifyCredentials", post_result_url=None) == 1

    assert call.process is not None
    assert call.process.lines[0]["msg"] == "ELASTICIO_POST_RESULT_URL is not provided"
    assert call.platform.requests == []


@pytest.mark.parametrize(
    ("config", "data"),
    [
        ({"return": None}, {"verified": True}),
        ({"return": {"other": 1}}, {"verified": True}),
        ({"return": {"verified": False, "why": "x"}}, {"verified": False, "why": "x"}),
        ({"return": True}, {"verified": True}),
        ({"return": False}, {"verified": False}),
        ({"raise": "wrong password"}, {"verified": False, "reason": "wrong password"}),
    ],
)
def test_79_verification(call: Call, config: dict[str, Any], data: dict[str, Any]) -> None:
    assert call.make("verifyCredentials", config) == 0

    assert call.posted() == {"status": "success", "data": data}


def test_79_without_a_verifier_every_credential_is_good(call: Call) -> None:
    assert call.make("verifyCredentials", component="component") == 0

    assert call.posted() == {"status": "success", "data": {"verified": True}}


def test_79_better_a_verifier_that_cannot_be_loaded_verifies_nothing(call: Call) -> None:
    assert call.make("verifyCredentials", component="service_broken") == 0

    result = call.posted()
    assert result == {
        "status": "success",
        "data": {"verified": False, "reason": "No module named 'no_module_of_this_name'"},
    }


def test_79_secrets_do_not_leave(call: Call) -> None:
    assert (
        call.make(
            "verifyCredentials", {"raise": "bad the-password-canary", "password": "the-password-canary"}
        )
        == 0
    )

    assert call.posted()["data"]["reason"] == "bad ***"
    assert call.process is not None
    assert "canary" not in "".join(call.process.raw)


@pytest.mark.parametrize("status", [201, 204])
def test_80_better_any_good_answer_is_good(call: Call, status: int) -> None:
    call.platform.on("POST", RESULT, (status, b""))

    assert call.make("verifyCredentials") == 0


@pytest.mark.parametrize("status", [302, 400, 404])
def test_80_other_answers_end_with_1(call: Call, status: int) -> None:
    call.platform.on("POST", RESULT, (status, {}))

    assert call.make("verifyCredentials") == 1
    assert len(call.platform.asked("POST", RESULT)) == 1


def test_81_a_result_is_delivered_once(call: Call) -> None:
    call.platform.on("POST", RESULT, (500, {}), (200, {}))

    assert call.make("verifyCredentials", api_request_retry_attempts="3", api_request_retry_delay="1") == 0
    assert [request.json()["status"] for request in call.platform.asked("POST", RESULT)] == ["success"] * 2


def test_81_better_no_second_result_follows_a_failed_one(call: Call) -> None:
    call.platform.on("POST", RESULT, (500, {}))

    assert call.make("verifyCredentials", api_request_retry_attempts="2", api_request_retry_delay="1") == 1
    assert [request.json()["status"] for request in call.platform.asked("POST", RESULT)] == ["success"] * 2


def test_82_unknown_names(call: Call) -> None:
    assert call.make("unknownMethod") == 0

    assert call.posted() == {"status": "error", "data": {"message": 'Unknown service method "unknownMethod"'}}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"get_model_method": "nowhere"}, 'Method "nowhere" is not found in "models" action or trigger'),
        ({"action_or_trigger": "nowhere"}, 'Trigger or action "nowhere" is not found in component.json!'),
    ],
)
def test_82_unknown_functions(call: Call, changes: dict[str, str], text: str) -> None:
    assert call.make("selectModel", **changes) == 0

    assert call.posted() == {"status": "error", "data": {"message": text}}


def test_refreshed_keys_are_stored(call: Call) -> None:
    call.platform.on("PUT", "/v1/accounts/a1", (200, {}))

    assert call.make("selectModel", {"_account": "a1"}, get_model_method="refreshing") == 0
    assert call.platform.asked("PUT", "/v1/accounts/a1")[0].json() == {"keys": {"oauth": "fresh"}}
    assert call.posted()["data"] == {"done": "done"}


def test_keys_that_cannot_be_stored_are_only_logged(call: Call) -> None:
    assert call.make("selectModel", {"_account": "a1"}, get_model_method="refreshing") == 0

    assert call.posted()["data"] == {"done": "done"}


def test_fault_8_22_what_a_verifier_returns_is_masked(call: Call) -> None:
    login = base64.b64encode(b"me:the-password-canary").decode()
    reason = {"verified": False, "reason": f"the-password-canary, Basic {login}", "more": [{"x": login}]}
    assert call.make("verifyCredentials", {"return": reason, "password": "the-password-canary"}) == 0
    data = {"verified": False, "reason": "***, Basic ***", "more": [{"x": "***"}]}
    assert call.posted() == {"status": "success", "data": data}
