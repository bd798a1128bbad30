"""The kill test: a step is killed at random moments under load, again and again, until every input has come out."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pika

from tests.lab.waiting import DEADLINE, wait_until
from tests.sailor.platform_queues import seal, unseal
from tests.sailor.process import Process
from tests.sailor.step_harness import StepHarness

FAILING = 10
"""One message of so many makes the function fail."""
PREFETCH = "20"


@dataclass
class Outcome:
    """What came out of it: message ids by input, for data and for errors."""

    inputs: int
    kills: int = 0
    seconds: float = 0.0
    data: dict[int, Counter[str]] = field(default_factory=dict)
    errors: dict[int, Counter[str]] = field(default_factory=dict)

    @property
    def missing(self) -> set[int]:
        return set(range(self.inputs)) - self.data.keys() - self.errors.keys()

    def count(self) -> dict[str, int]:
        """The figures that are shown."""
        found = [*self.data.values(), *self.errors.values()]
        return {
            "inputs": self.inputs,
            "kills": self.kills,
            "in data": len(self.data),
            "in error": len(self.errors),
            "missing": len(self.missing),
            "repeated inputs": sum(ids.total() > 1 for ids in found),
            "repeats": sum(ids.total() - 1 for ids in found),
            "repeats with another id": sum(len(ids) - 1 for ids in found),
            "seconds": round(self.seconds),
        }


def kill_test(stage: StepHarness, inputs: int, kills: int, seed: int) -> Outcome:
    """Run it; the step is killed `kills` times, spread at random over the messages, and ended in order at last."""
    began = time.monotonic()
    outcome = Outcome(inputs)
    _fill(stage, inputs)
    chance = random.Random(seed)
    # The queue says how far the work is: each kill comes when it has shrunk to a random length.
    marks = sorted((chance.randrange(inputs // 20, inputs) for _ in range(kills)), reverse=True)
    while marks:
        with _started(stage) as process:
            mark = marks.pop(0)
            wait_until(lambda mark=mark: stage.wires.depth("in") <= mark, "the queue to shrink")
            for _ in range(chance.randrange(30)):  # each question takes the broker a moment
                stage.wires.depth("in")
            process.close()
            outcome.kills += 1
    while _left(stage):
        with _started(stage) as process:
            wait_until(lambda: not stage.wires.depth("in"), "the queue to be empty")
            assert process.stop() == 0, process.raw[-5:]
    _collect(stage, "data", outcome.data)
    _collect(stage, "error", outcome.errors)
    outcome.seconds = time.monotonic() - began
    return outcome


def _left(stage: StepHarness) -> int:
    """Inputs to be done, also those that the step held that has ended: the broker returns them with its consumer."""
    stage.unconsumed()
    return stage.wires.depth("in")


def _started(stage: StepHarness) -> Process:
    """A step at work: it says nothing of itself, but the broker shows its consumer, and a signal ends it in order."""
    stage.unconsumed()  # a consumer that is there later is the new one
    process = stage.start(
        "kill",
        component_path="tests/faults/component",
        rabbitmq_prefetch_sailor=PREFETCH,
        data_rate_limit="100000",
        error_rate_limit="100000",
        LOG_LEVEL="fatal",
        ready=False,
    )
    wait_until(lambda: stage.wires.consumers("in"), "the step to consume")
    return process


def _fill(stage: StepHarness, inputs: int) -> None:
    """Inputs that survive, without a confirm each; the depth tells when all are there."""
    connection = pika.BlockingConnection(pika.URLParameters(stage.wires.uri))
    channel = connection.channel()
    for n in range(inputs):
        headers = {"messageId": f"input-{n}", "threadId": f"thread-{n}", "stepId": "step_0"}
        body = seal({"body": {"n": n, "fail": n % FAILING == 0}, "headers": {}})
        properties = pika.BasicProperties(headers=headers, delivery_mode=2)  # type: ignore[no-untyped-call]
        channel.basic_publish(stage.wires.exchange, stage.wires.name("in"), body, properties)
    connection.close()
    wait_until(lambda: stage.wires.depth("in") == inputs, "all inputs to be there")


def _collect(stage: StepHarness, kind: str, found: dict[int, Counter[str]]) -> None:
    """Read a whole queue: which input each message is about, and its id."""
    count = stage.wires.depth(kind)
    if not count:
        return
    connection = pika.BlockingConnection(pika.URLParameters(stage.wires.uri))
    channel = connection.channel()
    for method, properties, body in channel.consume(
        stage.wires.name(kind), True, inactivity_timeout=DEADLINE
    ):
        if method is None or properties is None or body is None:
            raise TimeoutError(f"the queue {kind} gives nothing more")
        n = _number(kind, body)
        assert properties.headers["parentMessageId"] == f"input-{n}"
        found.setdefault(n, Counter())[properties.headers["messageId"]] += 1
        if method.delivery_tag == count:
            break
    connection.close()


def _number(kind: str, body: bytes) -> int:
    told: Any = unseal(json.loads(body)["errorInput"]) if kind == "error" else unseal(body)
    number: int = told["body"]["n"]
    return number
