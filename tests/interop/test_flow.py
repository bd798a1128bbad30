"""One flow over a real broker: a Node step, a Python step, a Node step, each its own process."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.interop.node import Twin, end_in_order
from tests.lab.broker import Broker
from tests.sailor.platform_queues import Got, unseal

pytestmark = pytest.mark.broker

LANGUAGES = ("js", "py", "js")
OBJECT_ID = "x-ipaas-object-storage-id"


class Flow:
    """Three steps; what one publishes as data is the input of the next, and stays to be looked at."""

    def __init__(self, uri: str, stack: ExitStack, **settings: Any) -> None:
        self.steps = [stack.enter_context(Twin(uri, language)) for language in LANGUAGES]
        self.objects = self.steps[0].platform.objects
        for step, following in zip(self.steps, self.steps[1:], strict=False):
            wires = step.wires
            wires.channel.queue_bind(following.wires.name("in"), wires.exchange, wires.name("data"))
        for number, step in enumerate(self.steps, 1):
            step.platform.step["is_passthrough"] = True
            step.is_step(f"step_{number}")
            step.launch(
                step_id=f"step_{number}",
                object_storage_uri=self.steps[0].platform.url,
                object_storage_token="the-token",
                **settings,
            )

    def send(self, version: int = 1, **body: Any) -> dict[str, Any]:
        headers = {"threadId": str(uuid.uuid4()), "messageId": str(uuid.uuid4())}
        return self.steps[0].wires.send(
            {"body": {"do": "visit", "text": "größe €", **body}}, headers, version
        )

    def outputs(self) -> list[Got]:
        """What each step published for one message."""
        return [step.take("data") for step in self.steps]


@pytest.fixture(scope="module", params=["1", "2"], ids=lambda version: f"version {version}")
def flow(request: pytest.FixtureRequest, broker: Broker) -> Iterator[Flow]:
    with ExitStack() as stack:
        flow = Flow(broker.uri, stack, protocol_version=request.param)
        yield flow
        end_in_order(*flow.steps)


@pytest.fixture(scope="module")
def lightweight(broker: Broker) -> Iterator[Flow]:
    """Steps that put every body above 40 bytes into the object storage."""
    with ExitStack() as stack:
        flow = Flow(
            broker.uri,
            stack,
            emit_lightweight_message="true",
            object_storage_size_threshold="40",
        )
        yield flow
        end_in_order(*flow.steps)


@pytest.mark.parametrize("version", [1, 2])
def test_a_message_goes_through_all_steps(flow: Flow, version: int) -> None:
    sent = flow.send(version)

    outputs = flow.outputs()

    assert outputs[2].payload["body"] == {"path": ["js", "py", "js"], "text": "größe €", "do": "visit"}
    parents = [sent["messageId"], *(got.headers["messageId"] for got in outputs)]
    for number, got in enumerate(outputs):
        assert got.headers["threadId"] == sent["threadId"]
        assert got.headers["parentMessageId"] == parents[number]
        assert got.headers["stepId"] == f"step_{number + 1}"
    assert len(set(parents)) == 4


def test_each_step_adds_itself_to_what_is_passed_on(flow: Flow) -> None:
    flow.send()

    passed = flow.outputs()[2].payload["passthrough"]

    assert {step: entry["body"]["path"] for step, entry in passed.items()} == {
        "step_1": ["js"],
        "step_2": ["js", "py"],
        "step_3": ["js", "py", "js"],
    }
    assert all("passthrough" not in entry for entry in passed.values())


def test_an_error_in_the_middle_names_its_input(flow: Flow) -> None:
    python = flow.steps[1]
    # The first step keeps `do`, so the failing message is sent to the second one as the first would send it.
    payload = {"body": {"do": "fail", "text": "wrong in the middle"}, "headers": {}}
    python.wires.send(payload, {"stepId": "step_1"}, version=2)

    got = python.take("error")

    assert got.error["message"] == "wrong in the middle"
    assert got.error["name"] == "Error"
    assert "twin.py" in got.error["stack"]
    assert got.error_input == payload


def test_an_error_of_the_last_step_holds_what_the_middle_one_sent(flow: Flow) -> None:
    flow.send(then="fail")

    got = flow.steps[2].take("error")

    assert got.error["message"] == "größe €"
    assert got.error_input["body"] == {"path": ["js", "py"], "text": "größe €", "do": "fail"}
    assert set(got.error_input["passthrough"]) == {"step_1", "step_2"}
    for step in flow.steps[:2]:
        step.take("data")


def test_large_bodies_travel_through_the_storage(lightweight: Flow) -> None:
    lightweight.send(text="x" * 100)

    outputs = lightweight.outputs()

    for got in outputs:
        assert got.payload["body"] == {}
        assert got.payload["headers"][OBJECT_ID] in lightweight.objects
    last = outputs[2].payload
    assert stored(lightweight, last)["path"] == ["js", "py", "js"]
    for got in outputs[1:]:  # fault 8.14: what was fetched goes on by the reference that came
        named = {step: entry["headers"][OBJECT_ID] for step, entry in got.payload["passthrough"].items()}
        assert named["step_1"] == outputs[0].payload["headers"][OBJECT_ID]
    paths = {step: stored(lightweight, entry)["path"] for step, entry in last["passthrough"].items()}
    assert paths == {"step_1": ["js"], "step_2": ["js", "py"], "step_3": ["js", "py", "js"]}


def test_a_body_below_the_threshold_stays_in_its_message(lightweight: Flow) -> None:
    lightweight.steps[1].wires.send({"body": {"do": "several"}}, {"stepId": "step_1"})

    bodies = [lightweight.steps[1].take("data").payload["body"] for _ in range(3)]

    assert bodies == [{"n": 1}, {"n": 2}, {"n": 3}]
    refused = [lightweight.steps[2].take("error") for _ in bodies]  # the last step has no such behaviour
    assert sorted(got.error_input["passthrough"]["step_2"]["body"]["n"] for got in refused) == [1, 2, 3]


def stored(flow: Flow, message: dict[str, Any]) -> Any:
    """The body that a message names, opened as any peer would."""
    assert message["body"] == {}
    return json.loads(json.dumps(unseal(flow.objects[message["headers"][OBJECT_ID]], version=2)))
