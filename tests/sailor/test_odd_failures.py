"""Functions that fail in ways nobody expects: the message is an error, and the thread lives on."""

from __future__ import annotations

import asyncio
import queue
from typing import Any

import pytest

from lib.sailor import Context, Message
from lib.sailor.standalone.in_process import InProcess
from lib.sailor.step.workers import Workers
from lib.sailor.transport import Delivery, Kind
from tests.lab.waiting import DEADLINE
from tests.sailor.step.test_step import Process, run, step
from tests.sailor.step_harness import StepHarness


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def failing(error: BaseException) -> Process:
    def process(*_: Any) -> None:
        raise error

    return process


@pytest.mark.parametrize(
    "error",
    [
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
        MemoryError(),
        RecursionError(),
        Unprintable(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_raised_is_an_error_of_its_message(error: BaseException) -> None:
    transport = run(failing(error))

    (published,) = transport.of(Kind.ERROR)
    assert published.value["name"] == type(error).__name__
    assert published.value["message"]
    assert [ok for _, ok in transport.finished] == [False]


def test_an_item_that_fails_without_a_text_is_an_error() -> None:
    class Odd(dict[str, Any]):
        def items(self) -> Any:
            raise Unprintable

    transport = run(lambda context, *_: context.emit.data(Odd(body={})))

    assert transport.of(Kind.ERROR)[0].value["message"] == "data failed: Unprintable"


def test_a_log_line_never_fails_its_message(capfd: pytest.CaptureFixture[str]) -> None:
    circle: list[Any] = []
    circle.append(circle)

    def process(context: Context, *_: Any) -> Message:
        context.logger.fatal(Unprintable(), circle=circle, odd=Unprintable())
        return Message({"n": 1})

    transport = InProcess()
    step(process, transport).run(transport.delivery(Message()))

    assert len(transport.of(Kind.DATA)) == 1
    assert '"msg":"Unprintable"' in capfd.readouterr().out


@pytest.mark.parametrize("name", ["KeyboardInterrupt", "GeneratorExit", "SystemExit"])
def test_the_worker_takes_the_next_message(stage: StepHarness, name: str) -> None:
    stage.start(error_rate_limit="1000")
    stage.do("raise_it", name=name)
    stage.do("echo")

    assert stage.take("error").error["name"] == name
    assert stage.take("data").payload["body"]["echo"] == {"do": "echo"}
    stage.settled()


def test_a_worker_that_dies_is_known() -> None:
    class Broken(InProcess):
        def receive(self) -> Delivery | None:
            raise ConnectionError("broken")

    transport = Broken()
    failures: queue.SimpleQueue[BaseException] = queue.SimpleQueue()
    workers = Workers(1, transport, step(lambda *_: None, transport), lambda: None, failures.put)

    workers.start()

    assert isinstance(failures.get(timeout=DEADLINE), ConnectionError)
