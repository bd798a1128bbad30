"""Statements 40 to 50 of the platform's checklist: what travels."""

from __future__ import annotations

import re
import uuid

import pytest

from lib.sailor.message.cipher import Aes, from_wire, to_wire, wire_size
from tests.sailor.platform_queues import IV, PASSWORD, unseal
from tests.sailor.step_harness import StepHarness

VECTORS = [
    (
        '{"body":{"a":1},"headers":{}}',
        "95c64cd0336cac5cf6c00d75978f9c9057659dfd6e06dea444d1b7c97a15bb80",
        "lcZM0DNsrFz2wA11l4+ckFdlnf1uBt6kRNG3yXoVu4A=",
    ),
    (
        '{"body":{"s":"größe €"},"headers":{}}',
        "c9d7fa81110b37564a52cbc7e9496b022c5208f6830373cd640ba3ee05786af30151dafb1280d5cc2abb779d016aceb7",
        "ydf6gRELN1ZKUsvH6UlrAixSCPaDA3PNZAuj7gV4avMBUdr7EoDVzCq7d50Bas63",
    ),
    ("{}", "627564b62d06d51446931e8764d14272", "YnVkti0G1RRGkx6HZNFCcg=="),
    ("null", "6e44a6d6c202982d2cd234d9b828281b", "bkSm1sICmC0s0jTZuCgoGw=="),
]
STANDARD = {
    *("threadId", "parentMessageId", "messageId", "execId", "taskId", "workspaceId", "containerId", "userId"),
    *("stepId", "compId", "function", "start"),
}
IDENTITY = {
    "execId": "exec1",
    "taskId": "flow1",
    "workspaceId": "workspace1",
    "containerId": "container1",
    "userId": "user1",
    "stepId": "step_1",
    "compId": "comp1",
    "function": "act",
}


@pytest.mark.parametrize(("text", "raw", "encoded"), VECTORS)
def test_40_vectors(text: str, raw: str, encoded: str) -> None:
    cipher = Aes(PASSWORD, IV)

    assert to_wire(cipher, text.encode(), 2).hex() == raw
    assert to_wire(cipher, text.encode(), 1).decode() == encoded
    assert from_wire(cipher, bytes.fromhex(raw), 2).decode() == text
    assert from_wire(cipher, encoded.encode(), 1).decode() == text
    assert wire_size(cipher, len(text.encode()), 2) == len(raw) // 2
    assert wire_size(cipher, len(text.encode()), 1) == len(encoded)


def test_40_base64_of_other_writers_is_read() -> None:
    cipher = Aes(PASSWORD, IV)
    text, _, encoded = VECTORS[1]

    assert (
        from_wire(cipher, encoded.replace("+", "-").replace("/", "_").rstrip("=").encode(), 1).decode()
        == text
    )
    assert from_wire(cipher, f"{encoded[:20]}\r\n{encoded[20:]}\n".encode(), 1).decode() == text


@pytest.mark.parametrize("body", [b"", b"x", b"!!!!", b"YnVkti0G1RRGkx6HZNFC", b"YnVkti0G1RRGkx6HZNFCcw=="])
def test_40_what_was_sealed_otherwise_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_wire(Aes(PASSWORD, IV), body, 1)


def test_41_both_versions_are_understood_by_one_process(shared: StepHarness) -> None:
    shared.do("echo", n=1)
    shared.do("echo", version=2, n=2)
    shared.do("echo", {"protocolVersion": 1}, n=3)

    assert [got.payload["body"]["echo"]["n"] for got in shared.all("data", 3)] == [1, 2, 3]


def test_42_version_2_sends_raw_data_and_everything_else_as_before(stage: StepHarness) -> None:
    stage.start(protocol_version="2")
    stage.do("everything", {"reply_to": stage.wires.name("reply")})

    data, reply, error = stage.take("data"), stage.take("reply"), stage.take("error")

    assert data.headers["protocolVersion"] == 2
    assert type(data.headers["protocolVersion"]) is int
    assert unseal(data.raw, 2)["body"] == {"n": 1}
    assert reply.headers["protocolVersion"] == 1
    assert unseal(reply.raw)["statusCode"] == 200
    assert "protocolVersion" not in error.headers
    assert error.error["message"] == "wrong"


def test_43_json_is_valid_and_whole(shared: StepHarness) -> None:
    shared.do("strange_numbers")
    shared.do("raw")

    strange, raw = (got.payload["body"] for got in shared.all("data", 2))

    assert strange == {"nan": None, "inf": None, "text": "größe €", "lone": "\ud800", "big": 2**70}
    assert raw == {"text": "größe €", "big": 123456789012345678901234567890}


def test_43_big_integers_survive_the_way_in(shared: StepHarness) -> None:
    shared.do("echo", big=2**70, negative=-(2**63) - 1)

    echoed = shared.take("data").payload["body"]["echo"]
    assert (echoed["big"], echoed["negative"]) == (2**70, -(2**63) - 1)


def test_44_unknown_keys_survive(shared: StepHarness) -> None:
    shared.do("dictionary")
    shared.wires.send(
        {"body": {"do": "again"}, "metadata": {"m": 1}, "method": "POST", "query": {}, "id": None}
    )

    made, passed = (got.payload for got in shared.all("data", 2))

    assert made == {
        "body": {"n": 2},
        "headers": {},
        "attachments": {"a": {"url": "http://x"}},
        "metadata": {"m": 1},
        "unknown": [1],
    }
    assert passed == {
        "body": {"do": "again"},
        "headers": {},
        "metadata": {"m": 1},
        "method": "POST",
        "query": {},
    }


def test_45_data_headers_are_exactly_the_documented_ones(shared: StepHarness) -> None:
    sent = shared.do("echo", {"something": "else", "end": 5, "parentMessageId": "grand-parent"})

    headers = shared.take("data").headers

    assert set(headers) == STANDARD | {"end", "protocolVersion"}
    assert {key: headers[key] for key in IDENTITY} == IDENTITY
    assert headers["parentMessageId"] == sent["messageId"]
    assert headers["threadId"] == "thread-1"
    assert uuid.UUID(headers["messageId"])
    assert headers["start"] <= headers["end"]
    assert all(isinstance(headers[key], int) for key in ("start", "end", "protocolVersion"))


def test_45_the_other_kinds_have_theirs(shared: StepHarness) -> None:
    shared.do("everything", {"reply_to": shared.wires.name("reply")})

    data, snapshot, error = (shared.take(kind) for kind in ("data", "snapshot", "error"))
    reply, error_reply = shared.all("reply", 2)

    assert set(data.headers) == STANDARD | {"end", "protocolVersion", "reply_to"}
    assert set(snapshot.headers) == STANDARD | {"snapshotEvent", "reply_to"}
    assert set(reply.headers) == STANDARD | {"protocolVersion", "reply_to"}
    assert set(error.headers) == STANDARD | {"end", "reply_to"}
    assert set(error_reply.headers) == STANDARD | {"end", "reply_to", "x-eio-error-response"}


def test_46_the_trace_id_stands_in_for_a_thread_id(shared: StepHarness) -> None:
    shared.do("echo", {"threadId": None, "x-eio-meta-trace-id": "trace-1"})

    headers = shared.take("data").headers

    assert headers["threadId"] == "trace-1"
    assert headers["x-eio-meta-trace-id"] == "trace-1"


def test_46_without_both_one_thread_id_is_made(stage: StepHarness) -> None:
    stage.platform.step["config"] = {"password": "password-canary"}
    process = stage.start()
    stage.do("log", {"threadId": None})
    stage.do("data_error_data", {"threadId": None, "messageId": "second"})

    threads = {got.headers["threadId"] for got in (*stage.all("data", 2), stage.take("error"))}

    assert len(threads) == 1
    assert uuid.UUID(threads.pop())
    logged = {line["threadId"] for line in process.lines if line["name"] == "component"}
    assert len(logged) == 1
    assert uuid.UUID(logged.pop())


def test_47_meta_headers_are_handed_on_in_lower_case(shared: StepHarness) -> None:
    shared.do("everything", {"X-EIO-META-Foo": "bar", "reply_to": shared.wires.name("reply")})

    for got in (*(shared.take(kind) for kind in ("data", "snapshot", "error")), *shared.all("reply", 2)):
        assert got.headers["x-eio-meta-foo"] == "bar"
        assert "X-EIO-META-Foo" not in got.headers


def test_48_reply_to_is_shown_to_the_function(shared: StepHarness) -> None:
    shared.do("echo", {"reply_to": shared.wires.name("reply")})

    assert shared.take("data").payload["body"]["headers"] == {"reply_to": shared.wires.name("reply")}


def test_49_absent_values_are_left_out(shared: StepHarness) -> None:
    shared.do("everything", {"messageId": None, "stepId": None})

    for kind in ("data", "snapshot", "error"):
        headers = shared.take(kind).headers
        assert None not in headers.values()
        assert "parentMessageId" not in headers


@pytest.mark.parametrize("iv", ["short", "a much too long initialisation vector", "sixteen bytes ü"])
def test_50_better_an_iv_of_another_length_ends_the_start(stage: StepHarness, iv: str) -> None:
    process = stage.start(ready=False, message_crypto_iv=iv + ("é" if len(iv) == 15 else ""))

    assert process.exit_code() == 1
    assert re.search("MESSAGE_CRYPTO_IV must have 16 bytes", process.lines[0]["err"]["message"])
