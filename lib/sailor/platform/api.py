"""The calls of the platform's API that a step makes: step data, start-up state, accounts (protocol 2.2, 2.4, 5.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib import jsontext
from lib.sailor.errors import RequestError
from lib.sailor.net.addresses import basic, segment, shown
from lib.sailor.platform import http as rest
from lib.sailor.settings import Settings

CONFLICT = 409
TIMEOUT = 15.0
"""Seconds without a byte, for each attempt (protocol 2.2)."""


@dataclass(frozen=True)
class StepData:
    """The step data: the platform's answer about one step (protocol 2.2)."""

    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    snapshot: Any = field(default_factory=dict, repr=False)
    passthrough: bool = False
    variables: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> StepData:
        """Return the step data in an answer; passthrough is on only if `is_passthrough` is exactly true."""
        return cls(
            answer.get("config") or {},
            answer.get("snapshot") or {},
            answer.get("is_passthrough") is True,
            answer.get("variables") or {},
        )


class Platform:
    """Client of the platform's API with the user of this step; functions have it as `context.platform`.

    `path` begins with a slash. Bodies and results are JSON values. All methods raise RequestError.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._base = settings.api_uri.rstrip("/")
        self._authorization = basic(settings.api_username, settings.api_key)

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, body)

    def put(self, path: str, body: Any = None) -> Any:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> Any:
        return self.call("DELETE", path)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return the JSON of the answer, None when it is empty.

        When no answer came or the status is 500 or above, the call is repeated (protocol 2.2). RequestError after the
        last attempt, and at once for other statuses that are not 2xx.
        """
        delay = self._settings.api_request_retry_delay
        attempts = self._settings.api_request_retry_attempts
        response = rest.retrying(lambda: self._send(method, path, body), attempts, lambda _: delay)
        return response.json() if response.body.strip() else None

    def step(self) -> StepData:
        """Return this step's data (protocol 2.2); the text of a RequestError is the answer's."""
        settings = self._settings
        answer = self.get(f"/v1/tasks/{segment(settings.flow_id)}/steps/{segment(settings.step_id)}")
        if not isinstance(answer, dict):
            raise RequestError("The platform's answer holds no step data")
        return StepData.of(answer)

    def store_startup(self, state: Any) -> bool:
        """Store the result of `startup` (protocol 2.4); return False when it replaced a state that was there."""
        body = {} if state is None or state == "" else state
        try:
            self._startup("POST", body)
        except RequestError as error:
            if error.status != CONFLICT:
                raise
            self._startup("DELETE")
            self._startup("POST", body)
            return False
        return True

    def read_startup(self) -> Any:
        return self._startup("GET")

    def delete_startup(self) -> None:
        self._startup("DELETE")

    def update_account(self, account: str, keys: Mapping[str, Any]) -> None:
        """Store refreshed credentials (protocol 5.7)."""
        self.put(f"/v1/accounts/{segment(account)}", {"keys": keys})

    def _startup(self, method: str, body: Any = None) -> Any:
        try:
            flow = segment(self._settings.flow_id)
            return self.call(method, f"/sailor-support/hooks/task/{flow}/startup/data", body)
        except RequestError as error:
            raise RequestError(_error_field(str(error)), error.status, final=error.final) from error

    def _send(self, method: str, path: str, body: Any) -> rest.Response:
        headers = {"Authorization": self._authorization, "Connection": "Keep-Alive", "Accept": rest.JSON}
        data = None
        if body is not None:
            data, headers["Content-Type"] = jsontext.encode(body), rest.JSON
        url = self._base + path
        return rest.checked(rest.send(method, url, headers, data, TIMEOUT), f"{method} {shown(url)}")


def _error_field(text: str) -> str:
    """Return the field `error` of an answer's JSON; the text itself when it has none."""
    try:
        answer = jsontext.decode(text.encode())
    except ValueError:
        return text
    return str(answer["error"]) if isinstance(answer, dict) and answer.get("error") else text
