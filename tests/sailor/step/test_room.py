"""`context.emit.room`: a body of so many bytes goes out, on every way that a message can take (fault 8.8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from lib.sailor import Context, Message, RawJson
from lib.sailor.logging import open_logger
from lib.sailor.message.cipher import Aes
from lib.sailor.settings import Settings
from lib.sailor.standalone.in_process import InProcess
from lib.sailor.step.encoder import AROUND_BODY
from lib.sailor.step.resources import StepResources
from lib.sailor.step.step import Step
from lib.sailor.transport import Kind

LIMIT = 120_000
CIPHER = Aes("password", "i" * 16)
LARGE = {"body": {"text": "x" * 140_000}, "headers": {"h": "y" * 1000}}
HANDED_ON: dict[str, Mapping[str, Any]] = {
    "nothing": {},
    "some": {"step_a": {"body": {"text": "ä" * 9_000}}},
    "odd names": {"\0" * 3_000: {"body": 1}, "€" * 5_000: {"body": 2}},
}


def run(
    settings: Settings, passed: Mapping[str, Any], *, more: int = 0, passthrough: bool = True
) -> InProcess:
    """Emit a body with `more` bytes than there is room for."""

    def process(context: Context, _message: Message, _config: Any, _snapshot: Any) -> Message:
        size = context.emit.room + more
        assert size > len('{"t":""}')
        return Message(RawJson(b'{"t":"%s"}' % (b"z" * (size - len('{"t":""}')))))

    transport = InProcess(cipher=CIPHER)
    resources = StepResources(settings, transport, CIPHER, passthrough=passthrough)
    delivery = transport.delivery(Message({"n": "m" * 900}, passthrough=passed), {"stepId": "step_0"})
    Step(process, resources, open_logger({"LOG_LEVEL": "fatal"})).run(delivery)
    return transport


def settings(**changes: Any) -> Settings:
    return Settings(
        outgoing_message_size_limit=LIMIT, data_rate_limit=10**6, error_rate_limit=10**6, **changes
    )


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("handed_on", HANDED_ON)
@pytest.mark.parametrize("no_self", [False, True])
@pytest.mark.parametrize("threshold", [None, 1_000, 1 << 30])
@pytest.mark.parametrize("passthrough", [False, True])
def test_a_body_that_there_is_room_for_goes_out_fault_8_8(
    version: int, handed_on: str, threshold: int | None, *, no_self: bool, passthrough: bool
) -> None:
    chosen = settings(
        protocol_version=version,
        no_self_passtrhough=no_self,
        emit_lightweight_message=threshold is not None,
        object_storage_size_threshold=threshold or 0,
    )
    sent = run(chosen, HANDED_ON[handed_on], passthrough=passthrough)
    (published,) = sent.of(Kind.DATA)
    assert len(published.outgoing.body) <= LIMIT

    beyond = run(chosen, HANDED_ON[handed_on], more=AROUND_BODY + 100, passthrough=passthrough)
    stored = threshold is not None and threshold < LIMIT
    assert [one.value["name"] for one in beyond.of(Kind.ERROR)] == ([] if stored else ["EmissionTooLarge"])


@pytest.mark.parametrize("no_self", [False, True])
def test_entries_that_go_on_by_reference_take_no_room_fault_8_8(*, no_self: bool) -> None:
    """Every step behind a large one refused its messages for want of room, and nothing was too large to be sent."""
    chosen = settings(
        no_self_passtrhough=no_self, emit_lightweight_message=True, object_storage_size_threshold=1_000
    )
    sent = run(chosen, {"step_a": LARGE, "step_b": LARGE})

    (published,) = sent.of(Kind.DATA)
    assert len(published.outgoing.body) < LIMIT / 10
    assert published.value.passthrough["step_a"]["body"] == {}
