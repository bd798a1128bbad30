"""The core without a broker: the in-process transport instead."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lib.sailor import Context, Message, RawJson
from lib.sailor.errors import EmittedAfterEnd, Undeliverable
from lib.sailor.logging import open_logger
from lib.sailor.message.cipher import Aes, Plain, to_wire
from lib.sailor.settings import Settings
from lib.sailor.standalone.in_process import InProcess
from lib.sailor.step.resources import StepResources
from lib.sailor.step.step import Step
from lib.sailor.transport import Delivery, Done, Kind, Outgoing
from tests.lab.at_once import Beside, beside
from tests.lab.waiting import DEADLINE

Process = Callable[[Context, Message, Any, Any], Any]


def step(process: Process, transport: InProcess, **settings: Any) -> Step:
    return Step(process, StepResources(Settings(**settings), transport), open_logger({"LOG_LEVEL": "fatal"}))


def run(process: Process, message: Message | None = None, **settings: Any) -> InProcess:
    """Work on one message and return what came of it."""
    transport = InProcess()
    step(process, transport, **settings).run(transport.delivery(message or Message({"n": 1})))
    return transport


class Refusing(InProcess):
    """A transport that refuses some kinds."""

    def __init__(self, *kinds: Kind) -> None:
        super().__init__()
        self.kinds = kinds

    def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
        if outgoing.kind not in self.kinds:
            super().publish(outgoing, done)
        elif done is not None:
            done(Undeliverable("refused"))
        else:
            raise Undeliverable("refused")


def test_a_returned_message_is_published_and_its_input_finished() -> None:
    transport = run(lambda *_: Message({"n": 2}))

    assert [published.value.body for published in transport.published] == [{"n": 2}]
    assert [ok for _, ok in transport.finished] == [True]


def test_the_function_gets_copies() -> None:
    seen: list[Any] = []

    def process(context: Context, message: Message, config: Any, snapshot: Any) -> None:
        seen.append((dict(config), dict(snapshot), dict(context.variables)))
        config["a"] = snapshot["b"] = context.variables["c"] = "changed"  # type: ignore[index]

    transport = InProcess()
    worked = Step(
        process,
        StepResources(Settings(), transport),
        open_logger({}),
        {"a": 1},
        {"c": 3},
    )
    for _ in range(2):
        worked.run(transport.delivery(Message()))

    assert seen == [({"a": 1}, {}, {"c": 3})] * 2


@pytest.mark.parametrize("result", ["text", 1, [1], True, b"bytes"])
def test_other_results_are_errors(result: Any) -> None:
    transport = run(lambda *_: result)

    assert "was expected" in transport.of(Kind.ERROR)[0].value["message"]
    assert [ok for _, ok in transport.finished] == [False]


@pytest.mark.parametrize(
    ("body", "warned"), [({}, False), (RawJson(b" {}"), False), ([1], True), (RawJson(b"[1]"), True)]
)
def test_a_body_that_is_no_object_is_sent_with_a_warning(
    capfd: pytest.CaptureFixture[str], body: Any, warned: bool
) -> None:
    transport = InProcess()
    worked = Step(lambda *_: Message(body), StepResources(Settings(), transport), open_logger({}))

    worked.run(transport.delivery(Message()))

    assert len(transport.of(Kind.DATA)) == 1
    assert ("is no object" in capfd.readouterr().out) is warned


@pytest.mark.parametrize("part", ["headers", "attachments", "passthrough"])
def test_parts_that_are_no_objects_are_refused_both_ways(part: str) -> None:
    sent = run(lambda *_: Message(**{part: ["a"]}))
    transport = InProcess()
    odd = Delivery(to_wire(Plain(), f'{{"{part}": ["a"]}}'.encode(), 1), {})
    step(lambda *_: None, transport).run(odd)

    assert (
        sent.of(Kind.ERROR)[0].value["message"] == f"The {part} of a message have to be an object, not list"
    )
    assert f"its {part} are a list, no JSON object" in transport.of(Kind.ERROR)[0].value["message"]


@pytest.mark.parametrize("part", ["headers", "attachments", "passthrough"])
@pytest.mark.parametrize("empty", [None, [], ""])
def test_empty_parts_are_empty_objects(part: str, empty: Any) -> None:
    transport = run(lambda *_: Message({"n": 2}, **{part: empty}))

    assert transport.of(Kind.DATA)[0].value == Message({"n": 2})


def test_an_id_of_ones_own_is_text_in_the_headers() -> None:
    transport = run(lambda *_: {"id": 5, "body": {}})

    assert transport.published[0].headers["messageId"] == "5"


def test_a_generator_is_closed_when_an_emission_fails() -> None:
    closed: list[bool] = []

    def process(*_: Any) -> Iterator[Message]:
        try:
            yield Message({"text": "x" * 1000})
            yield Message({"never": "reached"})
        finally:
            closed.append(True)

    transport = run(process, outgoing_message_size_limit=100)

    assert closed == [True]
    assert [published.kind for published in transport.published] == [Kind.ERROR]
    assert [ok for _, ok in transport.finished] == [False]


def test_nothing_may_be_emitted_in_place_of_a_generators_item() -> None:
    transport = run(lambda *_: iter([Message({"n": 1}), None, Message({"n": 2})]))

    assert [published.value.body["n"] for published in transport.of(Kind.DATA)] == [1, 2]


@pytest.mark.parametrize("how", ["returned", "emitted"])
def test_undeliverable_data_are_an_error(how: str) -> None:
    def process(context: Context, message: Message, config: Any, snapshot: Any) -> Message | None:
        if how == "returned":
            return Message({"n": 2})
        context.emit.data(Message({"n": 2}))
        return None

    transport = Refusing(Kind.DATA)
    step(process, transport).run(transport.delivery(Message()))

    assert [published.value["message"] for published in transport.published] == ["refused"]
    assert [ok for _, ok in transport.finished] == [False]


def test_a_message_whose_error_is_undeliverable_is_rejected_all_the_same() -> None:
    transport = Refusing(Kind.DATA, Kind.ERROR)

    assert not step(lambda *_: Message(), transport).run(transport.delivery(Message()))
    assert [ok for _, ok in transport.finished] == [False]


def test_an_error_whose_reply_nobody_takes_is_reported_once() -> None:
    transport = Refusing(Kind.REPLY)
    delivery = transport.delivery(Message(), {"reply_to": "gone"})

    step(lambda context, *_: context.emit.error("wrong"), transport).run(delivery)

    assert [published.value["message"] for published in transport.of(Kind.ERROR)] == ["wrong"]
    assert [ok for _, ok in transport.finished] == [False]


def test_an_error_of_any_length_is_one_that_a_broker_takes() -> None:
    def process(*_: Any) -> None:
        raise ValueError("x" * 20_000_000)

    (published,) = run(process).of(Kind.ERROR)

    assert len(published.outgoing.body) < 1_000_000
    assert published.value["message"].endswith("(19900000 more characters)")


def test_a_cancelled_message_is_neither_reported_nor_finished() -> None:
    transport = InProcess()

    def process(context: Context, message: Message, config: Any, snapshot: Any) -> None:
        context.cancelled.set()
        raise RuntimeError("cancelled")

    step(process, transport).run(transport.delivery(Message()))

    assert transport.published == []
    assert transport.finished == []


def test_a_message_that_ends_well_although_cancelled_is_finished() -> None:
    transport = InProcess()

    def process(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
        context.cancelled.set()
        return Message({"in": "time"})

    step(process, transport).run(transport.delivery(Message()))

    assert [ok for _, ok in transport.finished] == [True]


def test_what_another_thread_emits_is_waited_for() -> None:
    """The input must not be acked before all that was emitted for it has been delivered."""
    entered, leave = threading.Event(), threading.Event()
    order: list[str] = []
    emissions: list[Beside[Any]] = []

    class Slow(InProcess):
        def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
            entered.set()
            leave.wait(DEADLINE)
            super().publish(outgoing, done)
            order.append("published")

        def finish(self, delivery: Any, ok: bool) -> None:
            order.append("finished")

    def process(context: Context, message: Message, config: Any, snapshot: Any) -> None:
        emissions.append(beside(context.emit.data, Message()))
        entered.wait(DEADLINE)
        threading.Timer(0.02, leave.set).start()

    transport = Slow()
    step(process, transport).run(transport.delivery(Message()))

    emissions[0].result()
    assert order == ["published", "finished"]


def test_nothing_can_be_emitted_after_the_end() -> None:
    kept: list[Context] = []
    transport = run(lambda context, *_: kept.append(context))

    with pytest.raises(EmittedAfterEnd):
        kept[0].emit.data(Message())
    with pytest.raises(EmittedAfterEnd):
        kept[0].emit.snapshot({})
    assert transport.published == []


def test_a_snapshot_that_was_not_delivered_is_not_taken_over() -> None:
    transport = Refusing(Kind.SNAPSHOT)
    worked = step(lambda context, *_: context.emit.snapshot({"new": True}), transport)

    worked.run(transport.delivery(Message()))

    assert worked.resources.snapshot.copy() == {}
    assert [published.kind for published in transport.published] == [Kind.ERROR]


def test_a_failed_emission_is_reported_once() -> None:
    transport = run(lambda context, *_: context.emit.http_reply({"statusCode": 200}))

    assert len(transport.of(Kind.ERROR)) == 1
    assert "'reply_to' was not found" in transport.of(Kind.ERROR)[0].value["message"]


def test_an_error_shows_its_causes() -> None:
    def process(*_: Any) -> None:
        try:
            {}["inner"]
        except KeyError as error:
            raise RuntimeError("outer") from error

    error = run(process).of(Kind.ERROR)[0].value

    assert error["message"] == "outer"
    assert "KeyError: 'inner'" in error["stack"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("text", "text"),
        (None, "Not Available"),
        ({"message": "m", "name": "N", "stack": "S"}, "m"),
        ({"no": "message"}, "{'no': 'message'}"),
        (RuntimeError(), "RuntimeError"),
    ],
)
def test_anything_can_be_emitted_as_an_error(given: Any, message: str) -> None:
    transport = run(lambda context, *_: context.emit.error(given))

    assert transport.of(Kind.ERROR)[0].value["message"] == message
    assert [ok for _, ok in transport.finished] == [False]


def test_a_function_is_told_what_became_of_its_input_before() -> None:
    seen: list[tuple[int, bool, str]] = []

    def process(context: Context, *_: Any) -> None:
        seen.append((context.made, context.repeated, context.rebound_reason))
        context.emit.rebound("not yet")

    transport = InProcess()
    one = step(process, transport)
    one.run(transport.delivery(Message({}), {"messageId": "m", "start": 1700}))
    one.run(transport.delivery(Message({}), transport.of(Kind.REBOUND)[0].headers))
    one.run(transport.delivery(Message({}), {"start": "soon", "reboundReason": None}))
    assert seen == [(1700, False, ""), (1700, True, "not yet"), (0, False, "")]


def test_ids_are_the_same_for_a_repeat_and_differ_between_steps() -> None:
    def ids(step_id: str, body: Any) -> list[str]:
        transport = InProcess()
        delivery = transport.delivery(Message(body), {"messageId": "m-1"})
        step(lambda *_: iter([Message(), Message()]), transport, step_id=step_id).run(delivery)
        return [published.headers["messageId"] for published in transport.published]

    first = ids("step_1", {"a": 1})

    assert first == ids("step_1", {"a": 1})
    assert len({*first, *ids("step_2", {"a": 1}), *ids("step_1", {"a": 2})}) == 6


def test_with_a_cipher_everything_is_sealed() -> None:
    cipher = Aes("password", "sixteen bytes iv")
    transport = InProcess(cipher=cipher)
    worked = Step(lambda *_: Message({"n": 2}), StepResources(Settings(), transport, cipher), open_logger({}))

    worked.run(transport.delivery(Message({"n": 1})))

    assert transport.published[0].value.body == {"n": 2}
    assert b"body" not in transport.published[0].outgoing.body
