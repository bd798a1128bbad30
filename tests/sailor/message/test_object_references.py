"""Bodies that came by reference, in a run without a platform: what is stored once is not stored again (fault 8.14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from lib.jsontext import encode
from lib.sailor import Context, Message
from lib.sailor.logging import open_logger
from lib.sailor.message.cipher import Plain, from_wire, to_wire
from lib.sailor.message.headers import OBJECT_ID
from lib.sailor.settings import Settings
from lib.sailor.standalone.in_process import InProcess
from lib.sailor.step.resources import StepResources
from lib.sailor.step.step import Step
from lib.sailor.transport import MOST_FETCHED, Delivery, Kind

LARGE = {"large": "x" * 500}
EMITS = Settings(emit_lightweight_message=True, object_storage_size_threshold=100)
Act = Callable[[Message], Any]


class Counting(InProcess):
    """Counts what is stored."""

    stored = 0

    def put_object(self, data: bytes, request_id: str) -> str:
        self.stored += 1
        return super().put_object(data, request_id)


def run(
    act: Act,
    payload: Mapping[str, Any],
    *,
    objects: Mapping[str, Any] | None = None,
    settings: Settings = EMITS,
    passthrough: bool = True,
) -> tuple[Counting, list[Message]]:
    """What a function that is given this payload publishes."""

    def process(_context: Context, message: Message, _config: Any, _snapshot: Any) -> Any:
        return act(message)

    transport = Counting()
    transport.objects = {name: encode(body) for name, body in (objects or {}).items()}
    delivery = Delivery(to_wire(Plain(), encode(payload), 1), {"messageId": "m", "stepId": "step_0"})
    Step(
        process,
        StepResources(settings, transport, passthrough=passthrough),
        open_logger({"LOG_LEVEL": "fatal"}),
    ).run(delivery)
    assert transport.of(Kind.ERROR) == []
    return transport, [published.value for published in transport.of(Kind.DATA)]


def reference(name: str, **headers: Any) -> dict[str, Any]:
    return {"body": {}, "headers": {OBJECT_ID: name, **headers}}


@pytest.mark.parametrize("body", [{"small": 1}, {"text": "y" * 500}])
def test_a_fetched_entry_goes_on_by_the_reference_that_came(body: Any) -> None:
    seen: list[Any] = []

    def act(message: Message) -> Message:
        seen.append(message.passthrough["step_a"]["body"])
        return Message(body)

    payload = {"body": {}, "passthrough": {"step_a": reference("there", h=1)}}
    transport, (message,) = run(act, payload, objects={"there": LARGE})

    assert seen == [LARGE]
    assert message.passthrough["step_a"] == reference("there", h=1)
    assert [text for name, text in transport.objects.items() if name != "there"] == [encode(body)]


def test_the_body_of_the_input_goes_on_to_the_sender_entry_by_its_reference() -> None:
    settings = Settings(
        emit_lightweight_message=True, object_storage_size_threshold=100, no_self_passtrhough=True
    )
    transport, (message,) = run(
        lambda _: Message({"small": 1}), reference("there"), objects={"there": LARGE}, settings=settings
    )

    assert message.passthrough["step_0"]["headers"] == {OBJECT_ID: "there"}
    assert [text for name, text in transport.objects.items() if name != "there"] == [encode({"small": 1})]


def test_below_the_threshold_a_fetched_entry_keeps_its_reference() -> None:
    payload = {"body": {}, "passthrough": {"step_a": reference("there")}}
    transport, (message,) = run(lambda _: Message({"n": 1}), payload, objects={"there": {"a": 1}})

    assert (message.body, message.headers) == ({"n": 1}, {})
    assert message.passthrough["step_a"] == reference("there")
    assert transport.stored == 0


def test_a_function_that_hands_its_input_on_stores_nothing() -> None:
    payload = {**reference("main"), "passthrough": {"step_a": reference("entry")}}
    transport, (message,) = run(
        lambda message: message, payload, objects={"main": LARGE, "entry": [LARGE]}, passthrough=False
    )

    assert transport.stored == 0
    assert (message.body, message.headers) == ({}, {OBJECT_ID: "main"})
    assert message.passthrough == {"step_a": reference("entry")}


def test_an_entry_that_the_function_changed_is_stored_anew() -> None:
    def act(message: Message) -> Message:
        entry = message.passthrough["step_a"]
        changed = {**entry, "body": {**entry["body"], "more": 1}}
        return Message({"n": 1}, passthrough={"step_a": changed})

    payload = {"body": {}, "passthrough": {"step_a": reference("there")}}
    transport, (message,) = run(act, payload, objects={"there": LARGE}, passthrough=False)

    named = message.passthrough["step_a"]["headers"][OBJECT_ID]
    assert named != "there"
    assert transport.objects[named] == encode({**LARGE, "more": 1})


def test_several_messages_of_one_input_store_what_they_share_once() -> None:
    def act(_: Message) -> Iterator[Message]:
        for n in range(3):
            yield Message({"n": n})

    transport, messages = run(act, {"body": {}, "passthrough": {"step_a": {"body": LARGE}}})

    assert len({message.passthrough["step_a"]["headers"][OBJECT_ID] for message in messages}) == 1
    assert list(transport.objects.values()).count(encode(LARGE)) == 1


@pytest.mark.parametrize("body", [LARGE, [LARGE], "x" * 500])
def test_beside_a_body_the_reference_of_an_entry_is_stale(body: Any) -> None:
    """Fault 8.14: the body was dropped and the stale object went on in its place."""
    entry = {"body": body, "headers": {OBJECT_ID: "stale", "h": 1}}

    def act(message: Message) -> Message:
        return Message({"n": 1}, passthrough=message.passthrough)

    for resolves in (True, False):
        transport = Counting()
        step = Step(
            lambda _c, message, _f, _s: act(message),
            StepResources(EMITS, transport),
            open_logger({"LOG_LEVEL": "fatal"}),
            resolves_objects=resolves,
        )
        step.run(transport.delivery(Message({}, passthrough={"step_a": entry})))
        (message,) = [published.value for published in transport.of(Kind.DATA)]
        headers = message.passthrough["step_a"]["headers"]
        assert headers["h"] == 1
        assert headers[OBJECT_ID] != "stale"
        assert transport.objects[headers[OBJECT_ID]] == encode(body)


@pytest.mark.parametrize("body", [[], 0, False, ""])
def test_any_body_but_none_is_a_body_beside_a_stale_reference(body: Any) -> None:
    _, (message,) = run(
        lambda _: {"body": body, "headers": {OBJECT_ID: "stale", "h": 1}}, {"body": {}}, passthrough=False
    )

    assert (message.body, message.headers) == (body, {"h": 1})


@pytest.mark.parametrize("headers", [[], "text", 1, {OBJECT_ID: 1}, None])
def test_an_entry_with_odd_headers_goes_on_as_it_is(headers: Any) -> None:
    entry = {"body": {"a": 1}, "headers": headers}
    _, (message,) = run(lambda _: Message({"n": 1}), {"body": {}, "passthrough": {"step_a": entry}})

    assert message.passthrough["step_a"] == entry


@pytest.mark.parametrize(("payload", "seen"), [({"body": None}, None), ({}, {}), ({"body": {}}, {})])
def test_a_null_body_is_shown_as_null(payload: dict[str, Any], seen: Any) -> None:
    """Fault 8.14; a message of the platform without a body has an empty one."""
    _, (message,) = run(lambda message: Message({"seen": message.body}), payload, passthrough=False)

    assert message.body == {"seen": seen}


def test_a_null_body_is_left_out_of_what_is_sent() -> None:
    transport, _ = run(lambda message: message, {"body": None, "headers": {"h": 1}}, passthrough=False)

    (published,) = transport.of(Kind.DATA)
    assert published.value.headers == {"h": 1}
    assert b'"body"' not in from_wire(Plain(), published.outgoing.body, 1)


def test_all_objects_of_a_message_have_to_find_room_together() -> None:
    """fault 8.18: a message may name many, and all of them are held at the same time."""
    large = MOST_FETCHED // 2
    transport = InProcess()
    transport.objects = {"one": b'"%b"' % (b"x" * large), "small": b"{}"}
    seen: list[Any] = []
    step = Step(
        lambda _context, message, *_: seen.append(message.body),
        StepResources(EMITS, transport),
        open_logger({"LOG_LEVEL": "fatal"}),
    )
    for entries in ({"a": "small"}, {"a": "one"}):
        payload = {
            **reference("one"),
            "passthrough": {step: reference(name) for step, name in entries.items()},
        }
        step.run(Delivery(to_wire(Plain(), encode(payload), 1), {"messageId": "m"}))

    assert [len(body) for body in seen] == [large]
    (error,) = (published.value for published in transport.of(Kind.ERROR))
    assert error["message"] == "Failed to get message body with id=one"
    assert f"the object one has more than {large - 2} bytes" in error["stack"]
