"""Statements 51 to 69 of the platform's checklist: what a function emits."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from lib.sailor.amqp.pika_properties import Properties
from tests.sailor.platform_queues import Got, seal, unseal
from tests.sailor.step_harness import StepHarness


def test_51_a_returned_message_is_emitted(shared: StepHarness) -> None:
    shared.do("dictionary")
    shared.do("echo")
    shared.do("later")

    assert [got.payload["body"] for got in shared.all("data", 3)] == [
        {"n": 2},
        {"echo": {"do": "echo"}, "headers": {}, "passthrough": {}},
        {"later": True},
    ]


def test_51_returning_nothing_ends_the_message(stage: StepHarness) -> None:
    stage.start()
    stage.do("nothing")
    stage.do("later_nothing")
    stage.do("echo")

    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    stage.settled()
    assert stage.wires.peek("error") is stage.wires.peek("data") is None


@pytest.mark.parametrize(
    ("behaviour", "name", "text"),
    [
        ("fail", "OwnError", "It went wrong"),
        ("leave", "SystemExit", "left"),
        ("return_text", "EmitError", "process returned str; a Message, a generator or None was expected"),
    ],
)
def test_51_an_exception_is_an_error(shared: StepHarness, behaviour: str, name: str, text: str) -> None:
    shared.do(behaviour)

    error = shared.take("error").error

    assert (error["name"], error["message"]) == (name, text)


@pytest.mark.parametrize("behaviour", ["several", "several_later"])
def test_52_a_generator_gives_one_message_an_item(shared: StepHarness, behaviour: str) -> None:
    shared.do(behaviour)

    assert [got.payload["body"]["n"] for got in shared.all("data", 3)] == [0, 1, 2]


def test_53_a_second_end_is_a_warning(stage: StepHarness) -> None:
    process = stage.start()
    stage.do("end_twice")

    assert stage.take("data").payload["body"] == {"before": True}
    assert process.wait_message("end was emitted more than once")["level"] == 40
    stage.settled()


def test_53_better_nothing_is_emitted_after_the_end(stage: StepHarness) -> None:
    process = stage.start()
    stage.do("kept_emitter")
    stage.do("kept_emitter")

    assert [got.payload["body"] for got in stage.all("data", 2)] == [
        {"kept": True},
        {"refused": "EmittedAfterEnd"},
    ]
    assert process.wait_message("data was emitted after the end of the message; it is refused")["level"] == 50
    stage.settled()


def test_54_data_may_follow_an_error(stage: StepHarness) -> None:
    stage.start()
    stage.do("data_error_data")

    assert [got.payload["body"]["n"] for got in stage.all("data", 2)] == [1, 2]
    assert stage.take("error").error["message"] == "between"
    stage.settled()
    assert stage.wires.peek("error") is None


@pytest.mark.parametrize("version", [1, 2])
def test_55_an_error_carries_its_input(shared: StepHarness, version: int) -> None:
    shared.do("fail", version=version, text="größe")

    got = shared.take("error")

    assert set(got.plain) == {"error", "errorInput"}
    assert set(got.error) == {"name", "message", "stack"}
    assert got.error["message"] == "größe"
    assert "in fail" in got.error["stack"]
    assert got.error_input == {"body": {"do": "fail", "text": "größe"}}
    if version == 1:
        assert got.plain["errorInput"] == seal({"body": {"do": "fail", "text": "größe"}}).decode()


def test_56_a_text_is_an_error_too(shared: StepHarness) -> None:
    shared.do("error_text")

    assert shared.take("error").error == {"name": "Error", "message": "text", "stack": "Not Available"}


def test_57_an_error_is_also_the_reply(shared: StepHarness) -> None:
    shared.do("fail", {"reply_to": shared.wires.name("reply")})

    error, reply = shared.take("error"), shared.take("reply")

    assert reply.raw.decode() == error.plain["error"]
    assert unseal(reply.raw)["message"] == "It went wrong"
    assert reply.headers["x-eio-error-response"] is True
    assert reply.headers["messageId"] == error.headers["messageId"]


def test_57_error_replies_can_be_switched_off(stage: StepHarness) -> None:
    stage.start(no_error_replies="1")
    stage.do("fail", {"reply_to": stage.wires.name("reply")})

    stage.take("error")
    stage.settled()
    assert stage.wires.peek("reply") is None


def passed(stage: StepHarness, behaviour: str, headers: dict[str, Any] | None = None, **changes: str) -> Any:
    """The passthrough of what a behaviour gives for a message that came through two steps."""
    stage.start(**changes)
    earlier = {"step_a": {"body": {"a": 1}, "headers": {}}, "step_1": {"body": {"old": True}}}
    stage.wires.send({"body": {"do": behaviour}, "headers": {"h": "1"}, "passthrough": earlier}, headers)
    return stage.take("data").payload.get("passthrough")


def test_58_the_own_message_is_added_to_the_passthrough(stage: StepHarness) -> None:
    stage.platform.step["is_passthrough"] = True

    assert passed(stage, "dictionary") == {
        "step_a": {"body": {"a": 1}, "headers": {}},
        "step_1": {
            "body": {"n": 2},
            "headers": {},
            "attachments": {"a": {"url": "http://x"}},
            "metadata": {"m": 1},
            "unknown": [1],
        },
    }


def test_58_the_functions_own_passthrough_is_replaced(stage: StepHarness) -> None:
    stage.platform.step["is_passthrough"] = True

    assert passed(stage, "own_passthrough") == {
        "step_a": {"body": {"a": 1}, "headers": {}},
        "step_1": {"body": {"n": 1}, "headers": {}},
    }


def test_59_without_self_the_incoming_message_is_added(stage: StepHarness) -> None:
    stage.platform.step["is_passthrough"] = True

    result = passed(stage, "dictionary", {"stepId": "step_0"}, no_self_passtrhough="1")

    assert result == {
        "step_a": {"body": {"a": 1}, "headers": {}},
        "step_1": {"body": {"old": True}},
        "step_0": {"body": {"do": "dictionary"}, "headers": {"h": "1"}},
    }


def test_59_without_a_sender_nothing_is_added(stage: StepHarness) -> None:
    stage.platform.step["is_passthrough"] = True

    result = passed(stage, "dictionary", {"stepId": None}, no_self_passtrhough="1")

    assert set(result) == {"step_a", "step_1"}


@pytest.mark.parametrize("switch", ["true", 1, None, False])
def test_60_only_true_switches_passthrough_on(stage: StepHarness, switch: Any) -> None:
    stage.platform.step["is_passthrough"] = switch

    assert passed(stage, "own_passthrough") == {"mine": {"body": {"x": 1}}}


@pytest.mark.parametrize("name", ["x-eio-routing-key", "X-Eio-Routing-Key"])
def test_61_a_custom_routing_key_is_used_and_removed(stage: StepHarness, name: str) -> None:
    stage.platform.step["is_passthrough"] = True
    stage.start()
    stage.do("routed", name=name, key=stage.wires.name("other"))

    payload = stage.take("other").payload

    assert payload["headers"] == {"kept": "yes"}
    assert payload["passthrough"]["step_1"]["headers"] == {"kept": "yes"}


@pytest.mark.parametrize(("version", "size"), [(1, 1080), (2, 800)])
def test_62_the_encoded_size_is_limited(stage: StepHarness, version: int, size: int) -> None:
    stage.start(outgoing_message_size_limit=str(size), protocol_version=str(version))
    fits = 799 - len('{"body":{"text":""},"headers":{}}')
    stage.do("sized", size=fits)
    stage.do("sized", size=fits + 1)

    assert len(stage.take("data").raw) == (1068 if version == 1 else 800)
    more = 1088 if version == 1 else 816
    assert stage.take("error").error["message"] == f"Outgoing message size {more} exceeds limit of {size}."
    stage.settled()


def test_62_better_a_function_notices_that_it_could_not_emit(stage: StepHarness) -> None:
    process = stage.start(outgoing_message_size_limit="500")
    stage.do("swallow", size=1000)

    assert process.wait_message("noticed")["kind"] == "EmissionTooLarge"
    assert "exceeds limit" in stage.take("error").error["message"]
    stage.settled()
    assert stage.wires.peek("error") is None


def rebounded(
    stage: StepHarness, headers: dict[str, Any], version: int = 1, **properties: Any
) -> tuple[bytes, Got]:
    body = seal({"body": {"do": "rebound"}}, version)
    table = {"messageId": "m-1", "threadId": "t-1", "stepId": "step_0", **headers}
    stage.wires.send_raw(body, {**table, "protocolVersion": version}, **properties)
    return body, stage.take("rebound")


@pytest.mark.parametrize(
    ("before", "iteration", "wait"), [(None, 1, "15000"), (1, 2, "30000"), (2, 3, "60000"), ("2", 3, "60000")]
)
def test_63_a_rebound_waits_longer_each_time(
    shared: StepHarness, before: Any, iteration: int, wait: str
) -> None:
    _, got = rebounded(shared, {} if before is None else {"reboundIteration": before})

    assert got.headers["reboundIteration"] == iteration
    assert got.properties.expiration == wait


@pytest.mark.parametrize("version", [1, 2])
def test_63_a_rebound_is_the_message_as_it_came(stage: StepHarness, version: int) -> None:
    death = [
        {
            "count": 1,
            "reason": "expired",
            "time": datetime(2026, 1, 1, tzinfo=UTC),
            "routing-keys": ["a", "b"],
        }
    ]
    came = {
        "x-death": death,
        "x-first-death-reason": "expired",
        "nothing": None,
        "money": Decimal("1.25"),
        "no": False,
    }
    stage.start()

    body, got = rebounded(
        stage, came, version, content_type="application/json", correlation_id="c", message_id="i", priority=3
    )

    assert got.raw == body
    added = {"reboundReason": "later please", "reboundIteration": 1, "end": got.headers["end"]}
    expected = {"messageId": "m-1", "threadId": "t-1", "stepId": "step_0", "protocolVersion": version}
    assert got.headers == {**expected, **came, **added}
    assert (got.properties.correlation_id, got.properties.message_id, got.properties.priority) == (
        "c",
        "i",
        3,
    )
    assert got.properties.content_encoding is None
    assert got.properties.delivery_mode == 1
    stage.settled()
    assert stage.wires.peek("error") is None


def test_63_better_fractions_in_headers_survive(shared: StepHarness) -> None:
    """The client library can neither write nor read what Node writes for 1.5."""
    body = seal({"body": {"do": "rebound"}})
    headers = Properties(headers={"messageId": "m-1", "threadId": "t-1", "fraction": 1.5, "big": 2**40})
    shared.wires.channel.basic_publish(shared.wires.exchange, shared.wires.name("in"), body, headers)

    got = shared.take("rebound").properties

    assert b"\x08fractiond\x3f\xf8\x00" in b"".join(got.encode())
    assert (got.headers["fraction"], got.headers["big"]) == (1.5, 2**40)


def test_64_rebounds_are_limited(stage: StepHarness) -> None:
    stage.start()
    stage.do("rebound", {"reboundIteration": 20})

    error = stage.take("error").error
    assert error["message"] == "Rebound limit exceeded"
    assert "later please" in error["stack"]  # fault 8.20: nothing said why it was put back so often
    stage.settled()
    assert stage.wires.peek("rebound") is None


def test_65_a_snapshot_is_published_and_seen_by_the_next_message(stage: StepHarness) -> None:
    stage.platform.step["snapshot"] = {"first": 1}
    stage.start()
    stage.do("see")
    stage.do("take_snapshot", value={"a": 1, "b": {"c": 2}})
    stage.do("see")
    stage.do("update_snapshot", value={"b": 3, "d": 4})
    stage.do("see")

    seen = [got.payload["body"]["snapshot"] for got in stage.all("data", 3)]
    whole, delta = stage.all("snapshot", 2)

    assert seen == [{"first": 1}, {"a": 1, "b": {"c": 2}}, {"a": 1, "b": 3, "d": 4}]
    assert (whole.plain, whole.headers["snapshotEvent"]) == ({"a": 1, "b": {"c": 2}}, "snapshot")
    assert (delta.plain, delta.headers["snapshotEvent"]) == ({"b": 3, "d": 4}, "updateSnapshot")


def test_65_what_cannot_be_merged_is_refused(stage: StepHarness) -> None:
    process = stage.start()
    stage.do("update_snapshot", value=[1])
    stage.do("update_snapshot", value={"$set": {"a": 1}})
    stage.do("see")

    assert stage.take("data").payload["body"]["snapshot"] == {}
    assert stage.take("error").error["message"] == "updateSnapshot takes an object, not list"
    process.wait_message("$set is not supported")
    stage.settled()
    assert stage.wires.peek("snapshot") is stage.wires.peek("error") is None


def test_66_keys_are_stored_in_the_account(stage: StepHarness) -> None:
    stage.platform.step["config"] = {"_account": "account-1"}
    stage.platform.on("PUT", "/v1/accounts/account-1", (200, {}), (400, {"error": "no"}))
    stage.start()
    stage.do("update_keys")
    stage.do("update_keys")

    error = stage.take("error").error

    first = stage.platform.asked("PUT", "/v1/accounts/account-1")[0]
    assert first.json() == {"keys": {"oauth": "fresh"}}
    assert first.headers["authorization"].startswith("Basic ")
    assert error["message"] == 'updateKeys failed: {"error": "no"}'


def test_66_better_a_step_without_account_says_so(shared: StepHarness) -> None:
    shared.do("update_keys")

    assert (
        shared.take("error").error["message"]
        == "updateKeys: the step has no account (its config holds no _account)"
    )


def test_67_a_reply_goes_to_the_one_who_waits(stage: StepHarness) -> None:
    stage.start(protocol_version="2")
    stage.do("reply", {"reply_to": stage.wires.name("reply")})

    got = stage.take("reply")

    assert base64.b64decode(got.raw)
    assert got.headers["protocolVersion"] == 1
    assert unseal(got.raw) == {"statusCode": 201, "body": "done", "headers": {"content-type": "text/plain"}}


def test_67_without_an_address_a_reply_is_an_error(shared: StepHarness) -> None:
    shared.do("reply")

    text = "Component emitted 'httpReply' event but 'reply_to' was not found in AMQP headers"
    assert shared.take("error").error["message"] == text


def test_68_changes_of_a_function_do_not_leak(stage: StepHarness) -> None:
    stage.platform.step.update(config={"a": 1}, snapshot={"b": 2}, is_passthrough=True)
    stage.start()
    for _ in range(2):
        stage.wires.send({"body": {"do": "mutate"}, "passthrough": {"step_a": {"body": {}}}})

    for got in stage.all("data", 2):
        payload = got.payload
        assert payload["body"] == {"config": {"a": 1}, "snapshot": {"b": 2}}
        assert payload["passthrough"]["step_a"] == {"body": {}}
        assert set(payload["passthrough"]) == {"step_a", "step_1"}


def test_68_better_nor_do_they_without_self(stage: StepHarness) -> None:
    stage.platform.step.update(is_passthrough=True)
    stage.start(no_self_passtrhough="1")
    stage.wires.send({"body": {"do": "mutate"}})

    assert stage.take("data").payload["passthrough"]["step_0"]["body"] == {"do": "mutate"}


def test_69_better_every_emission_has_an_id_of_its_own(shared: StepHarness) -> None:
    shared.do("emit_ids")

    data = shared.all("data", 3)
    ids = [got.headers["messageId"] for got in (*data, shared.take("snapshot"), shared.take("error"))]

    assert len(set(ids)) == 5
    assert all(uuid.UUID(one) for one in ids)
    assert ids[2] == data[2].payload["id"] == "11111111-2222-4333-8444-555555555555"


def test_69_better_a_repeat_gives_the_same_ids(shared: StepHarness) -> None:
    ids = []
    for _ in range(2):
        shared.do("several", {"messageId": "repeated"})
        ids.append([got.headers["messageId"] for got in shared.all("data", 3)])

    assert ids[0] == ids[1]
