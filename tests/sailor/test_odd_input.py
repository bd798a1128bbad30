"""Legal input of an odd kind, and output that the broker would close the channel or the connection for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sailor.platform_queues import seal
from tests.sailor.step_harness import StepHarness

KEY = {"messageId": "m-1", "threadId": "t-1"}


def lost_connections(stage: StepHarness) -> list[str]:
    assert stage.process is not None
    texts = [line["msg"] for line in stage.process.lines]
    return [text for text in texts if "is lost" in text or "was closed" in text]


@pytest.mark.parametrize(
    "body", [b"", b"=", b"====", b"\0" * 16, seal(b""), seal(b"null"), seal(b"[1]"), seal(b'"x"')]
)
def test_a_body_that_is_no_message_is_an_error(shared: StepHarness, body: bytes) -> None:
    shared.wires.send_raw(body, dict(KEY))

    got = shared.take("error")
    assert "cannot be decoded" in got.error["message"]
    assert not lost_connections(shared)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {"messageId": b"\xff\xfe", "threadId": 7, "reply_to": 3.5},
        {"messageId": {"a": [None]}, "protocolVersion": "one", "reboundIteration": "x"},
        {"protocolVersion": 1.5, "reboundIteration": 1e308},
        {"x-eio-meta-deep": {"a": {"b": [{"c": [1, 2.5, None, True, b"\xff"]}]}}},
        {f"header-{n}": "x" * 100 for n in range(500)},
    ],
)
def test_odd_headers_are_no_obstacle(shared: StepHarness, headers: dict[str, Any] | None) -> None:
    shared.wires.send_raw(seal({"body": {"n": 1}}), headers)

    assert shared.take("data").payload["body"]["echo"] == {"n": 1}
    assert not lost_connections(shared)


def test_odd_iterations_never_close_the_channel(stage: StepHarness) -> None:
    stage.start(rebound_limit="1000000000", amqp_publish_retry_delay="1")
    for iteration in (-3, "-1000000", -(2**62), 30, "19", 99_999_999):
        stage.do("rebound", {"reboundIteration": iteration})

        got = stage.take("rebound")
        assert 0 < int(got.properties.expiration) <= 2**32 - 1
        assert got.headers["reboundIteration"] >= 1
    assert not lost_connections(stage)


def test_a_negative_initial_expiration_is_none(stage: StepHarness) -> None:
    stage.start(rebound_initial_expiration="-5", amqp_publish_retry_delay="1")
    stage.do("rebound")

    stage.settled()
    assert stage.wires.peek("error") is None
    assert not lost_connections(stage)


def test_a_rebound_carries_the_properties_that_are_no_text(stage: StepHarness) -> None:
    raw = bytes(range(256 - 60, 256)) * 4
    stage.start()
    table = {**KEY, "name-" + "\udcff" * 200: "x"}
    text = raw.decode(errors="surrogateescape")
    stage.wires.send_raw(seal({"body": {"do": "rebound"}}), table, correlation_id=text, app_id="app")

    got = stage.take("rebound")
    assert got.properties.correlation_id == text
    assert got.properties.app_id == "app"
    assert got.headers["name-" + "\udcff" * 200] == "x"


def test_headers_that_fit_into_no_frame_are_an_error_and_the_connection_stays(stage: StepHarness) -> None:
    stage.start(amqp_publish_retry_delay="1")
    stage.do("with_id", size=200_000)

    got = stage.take("error")
    assert "headers" in got.error["message"]
    assert not lost_connections(stage)


@pytest.mark.parametrize("frame", ["4096", "131072"])
def test_the_largest_headers_that_fit_are_sent(stage: StepHarness, frame: str) -> None:
    stage.start(amqp_uri=f"{stage.wires.uri}?frameMax={frame}", amqp_publish_retry_delay="1")
    size = int(frame) - 4096 + 2000
    stage.do("with_id", size=size)

    assert len(stage.take("data").headers["messageId"]) == size
    stage.do("with_id", size=int(frame))
    assert "headers" in stage.take("error").error["message"]
    assert not lost_connections(stage)


def test_what_comes_back_is_known_whatever_its_id(stage: StepHarness) -> None:
    stage.wires.delete("data")
    stage.start(amqp_publish_retry_delay="1")
    stage.do("with_odd_id")

    assert "no queue takes this routing key" in stage.take("error").error["message"]
