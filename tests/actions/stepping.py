"""One message through the step of an action, as the runtime does it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lib import credentials
from lib.engine import Engine
from lib.sailor.component import Component
from lib.sailor.logging import LEVELS, Logger, Sink
from lib.sailor.message import Message
from lib.sailor.message.decoding import Incoming
from lib.sailor.settings import Settings
from lib.sailor.standalone.in_process import InProcess
from lib.sailor.step.context import Context
from lib.sailor.step.emitter import Emitter
from lib.sailor.step.resources import StepResources
from lib.sailor.step.step import Step
from lib.sailor.transport import Kind, Storage
from tests.local.running import ROOT

COMPONENT = Component(str(ROOT))
FAST = Settings(data_rate_limit=10**6, error_rate_limit=10**6)


class Quiet(Sink):
    """Keeps the lines of a step for those who want to read them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def write(self, line: bytes) -> None:
        self.lines.append(line.decode())


_LOADING = threading.Lock()
"""A file is loaded once, by one thread, as the runtime does it before its first message."""


@dataclass(frozen=True)
class Outcome:
    """What a step published, and what it logged."""

    transport: InProcess
    log: list[str] = field(repr=False)

    @property
    def messages(self) -> list[Message]:
        return [published.value for published in self.transport.of(Kind.DATA)]

    @property
    def bodies(self) -> list[Any]:
        return [message.body for message in self.messages]

    @property
    def body(self) -> Any:
        """The only one; where the step ended otherwise, the failure tells how."""
        bodies = self.bodies
        assert len(bodies) == 1, (self.errors, self.rebounds, bodies)
        return bodies[0]

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [published.value for published in self.transport.of(Kind.ERROR)]

    @property
    def rebounds(self) -> list[str]:
        return [str(p.headers["reboundReason"]) for p in self.transport.of(Kind.REBOUND)]


def run_step(
    key: str,
    body: Any,
    config: Mapping[str, Any],
    *,
    attachments: Mapping[str, Any] | None = None,
    storage: Storage | None = None,
    settings: Settings = FAST,
    passthrough: Mapping[str, Any] | None = None,
    transport: InProcess | None = None,
    headers: Mapping[str, Any] | None = None,
    redelivered: bool = False,
) -> Outcome:
    """One message through one step, as the runtime does it; with `passthrough` the step hands it on."""
    with _LOADING:
        function = COMPONENT.function(key)
    assert function.process is not None
    transport, sink = transport or InProcess(), Quiet()
    resources = StepResources(settings, transport, passthrough=passthrough is not None)
    step = Step(
        function.process, resources, Logger("test", LEVELS["debug"], sink, {}), config, storage=storage
    )
    message = Message(body=body, attachments=dict(attachments or {}), passthrough=dict(passthrough or {}))
    delivery = transport.delivery(message, headers)
    if redelivered:
        delivery = replace(delivery, facts={**delivery.facts, "redelivered": True})
    step.run(delivery)
    return Outcome(transport, sink.lines)


def context_alone() -> Context:
    """What a function is given around one message, for those that look at a part of a step."""
    transport, sink = InProcess(), Quiet()
    logger = Logger("test", LEVELS["debug"], sink, {})
    resources = StepResources(FAST, transport)
    emitter = Emitter(Incoming.of(transport.delivery(Message())), resources, logger)
    return Context(emitter, logger, {}, FAST, None, None, resources.cancelled)


def keep_engine(config: Mapping[str, Any], engine: Engine) -> None:
    """Let steps with this configuration work with an engine that was made otherwise."""
    identity = repr([config.get(key) for key in credentials._KEYS])
    before = credentials._engines.pop(identity, None)
    if before:
        before.close()
    credentials._engines[identity] = engine


def forget_engines() -> None:
    """Close the connections that steps keep for the next message."""
    for engine in credentials._engines.values():
        engine.close()
    credentials._engines.clear()
