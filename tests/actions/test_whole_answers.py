"""What an engine answers as a whole becomes exactly one value of a message, or an error (fault 8.7)."""

from __future__ import annotations

import pytest

from lib.sailor.settings import Settings
from tests.actions.conftest import Run
from tests.engine.scripted import answer, chunked, say

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


TIGHT = Settings(data_rate_limit=10**6, error_rate_limit=10**6, outgoing_message_size_limit=200_000)
LONG = b"[" + b",".join(b'{"Id":"%0100d"}' % number for number in range(2_000)) + b"]"


@pytest.mark.parametrize("policy", ["byComponent", "rebound", "throwError"])
def test_an_answer_longer_than_a_message_is_an_error_before_it_is_sent_fault_8_18(
    run: Run, policy: str
) -> None:
    outcome = run("ContainerList", {}, say(answer(LONG)), runtime=TIGHT, errorPolicy=policy)

    assert (outcome.messages, outcome.rebounds) == ([], [])
    assert [error["name"] for error in outcome.errors] == ["LimitReached"]
    assert "one message per item" in outcome.errors[0]["message"]


def test_its_items_go_out_one_by_one_fault_8_18(run: Run) -> None:
    outcome = run("ContainerList", {}, say(answer(LONG)), runtime=TIGHT, emitBehavior="emitIndividually")

    assert len(outcome.bodies) == 2_000


def test_what_work_came_to_is_told_as_far_as_there_is_room_fault_8_18(run: Run) -> None:
    lines = [{"stream": "x" * 4_000 + f"{number}\n"} for number in range(100)]
    made = [{"aux": {"ID": "sha256:" + "a" * 64}}]
    outcome = run("ImageBuild", {"dockerfileText": "FROM x\n"}, say(chunked(*lines, *made)), runtime=TIGHT)

    (body,) = outcome.bodies
    assert (body["lines"], body["truncated"]) == ([], "messageSize")
    assert body["id"] == "sha256:" + "a" * 64
