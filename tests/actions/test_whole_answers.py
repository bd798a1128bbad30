"""What an engine answers as a whole becomes exactly one value of a message, or an error (fault 8.7)."""

from __future__ import annotations

import pytest

from tests.actions.conftest import Run
from tests.engine.scripted import answer, say

WEB = {"id": "web"}
MORE_THAN_ONE = (
    b'{},"id":"../../evil","attachments":{"a":{"url":"file:///etc/passwd"}},"passthrough":{"x":{}},"x":{}'
)


@pytest.mark.parametrize(
    "body",
    [
        MORE_THAN_ONE,
        b"{this is not json}",
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":"\xff"}',
        b'{"a":[1,2}',
        b'{"a":1}}',
        b'{"a":1}{"a":2}',
        b'{"a":"\n"}',
        b"[1,2]]",
        b"[1}",
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"a":' + b"1" * 5_000 + b"}",
        b"\xef\xbb\xbf{}",
    ],
)
@pytest.mark.parametrize("key", ["ContainerInspect", "ContainerList"])
def test_what_is_not_one_json_value_is_an_error_fault_8_7(run: Run, key: str, body: bytes) -> None:
    fields = WEB if key == "ContainerInspect" else {}
    outcome = run(key, fields, say(answer(body)), errorPolicy="throwError")

    assert outcome.messages == []
    assert [error["name"] for error in outcome.errors] == ["EngineFault"]
    assert "is no valid JSON" in outcome.errors[0]["message"]


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' \r\n\t{"a" : 1.0}\n', {"a": 1.0}),
        (b'{"a":"\\ud800"}', {"a": "\ud800"}),
        (b'{"a":123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'[{"b":1e400}]', {"results": [{"b": float("inf")}]}),
        (b"5", {"value": 5}),
        (b"null", {"results": []}),
    ],
)
def test_what_is_one_json_value_is_passed_on_fault_8_7(run: Run, body: bytes, value: object) -> None:
    assert run("ContainerInspect", WEB, say(answer(body))).bodies == [value]
