"""Findings as messages: ids that name them, pages that a message has room for."""

from __future__ import annotations

from typing import Any

import pytest

from lib.sailor.errors import EmissionTooLarge
from lib.sailor.message import Message
from lib.sailor.message.decoding import Incoming
from lib.sailor.settings import Settings
from lib.sailor.standalone.in_process import InProcess
from lib.sailor.step.context import Context
from lib.sailor.step.emitter import Emitter
from lib.sailor.step.resources import StepResources
from lib.sailor.transport import Kind
from lib.trigger.delivery import Delivery
from lib.trigger.poll import Finding
from tests.triggers.poll_harness import Lines
from tests.triggers.table import record

LIMIT = 100_000
ALL = {"emitBehavior": "emitAll"}


class Way:
    """A real emitter under the platform's limit for messages; `messages` are those that got through."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.transport = InProcess()
        settings = Settings(step_id="step", function="containerLogs", outgoing_message_size_limit=limit)
        resources = StepResources(settings, self.transport, passthrough=True)
        incoming = Incoming.of(self.transport.delivery(Message()))
        self.logger: Any = Lines()
        emitter = Emitter(incoming, resources, self.logger)
        emitter.carry(Message(), {})
        self.context = Context(emitter, self.logger, {}, settings, None, None, resources.cancelled)

    def emit(self, findings: list[Finding], **config: str) -> list[Message]:
        Delivery(self.context, "containerLogs", "engine", config).emit(findings)
        return [published.value for published in self.transport.of(Kind.DATA)]


def lines(count: int, size: int = 50) -> list[Finding]:
    return [Finding({"kind": "line", "text": f"{n} ".ljust(size, "x")}, f"line {n}") for n in range(count)]


def told(messages: list[Message]) -> list[str]:
    return [one["text"] for message in messages for one in message.body["results"]]


def test_fault_9_13_pages_are_split_by_the_bytes_that_are_sent() -> None:
    findings = lines(6000)
    messages = Way().emit(findings, **ALL)
    assert told(messages) == [finding.body["text"] for finding in findings]
    assert len(messages) > 5
    assert len({message.id for message in messages}) == len(messages)
    again = Way().emit(findings, **ALL)  # as after a kill that let no snapshot through
    entries = [one for message in (*messages, *again) for one in message.body["results"]]
    lines_told = [(one["text"], one["messageId"]) for one in entries]
    truth = [finding.body["text"] for finding in findings]
    record("containerLogs", "fake", "9.13 6,000 lines in pages", told=lines_told, truth=truth)


@pytest.mark.parametrize("text", ['"', "\n", "é", "\0", "🎈"])
def test_fault_9_13_bytes_are_those_of_the_wire_whatever_the_text(text: str) -> None:
    findings = [Finding({"kind": "line", "text": text * 700 + str(n)}, f"line {n}") for n in range(300)]
    messages = Way().emit(findings, **ALL)
    assert told(messages) == [finding.body["text"] for finding in findings]


@pytest.mark.parametrize("config", [ALL, {}])
def test_fault_9_13_what_no_message_has_room_for_is_told_and_the_rest_goes_on(config: dict[str, str]) -> None:
    findings = [*lines(2), Finding({"kind": "line", "text": "\0" * LIMIT}, "huge"), *lines(4)[2:]]
    messages = Way().emit(findings, **config)
    bodies = messages[0].body["results"] if config else [message.body for message in messages]
    assert [body["kind"] for body in bodies] == ["line", "line", "warning", "line", "line"]
    assert (bodies[2]["reason"], bodies[2]["of"]) == ("tooLarge", "line")


def test_fault_9_17_a_result_in_a_page_has_the_id_that_it_has_alone() -> None:
    alone = [message.id for message in Way().emit(lines(3))]
    (page,) = Way().emit(lines(3), **ALL)
    assert [one["messageId"] for one in page.body["results"]] == alone


def test_fault_9_17_a_page_that_grew_after_a_kill_is_another_page_with_the_same_results() -> None:
    (before,) = Way().emit(lines(3), **ALL)
    (again,) = Way().emit(lines(3), **ALL)
    (grown,) = Way().emit(lines(4), **ALL)
    assert before.id == again.id
    assert before.id != grown.id
    assert grown.body["results"][:3] == before.body["results"]


def test_a_message_without_any_room_loses_nothing() -> None:
    way = Way(limit=1000)
    with pytest.raises(EmissionTooLarge, match="no room"):
        way.emit(lines(1), **ALL)
