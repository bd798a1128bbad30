"""Runs one function of a component in this process, for tests: it takes a message and returns what was emitted."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib.sailor.component import Component
from lib.sailor.hooks import call_init
from lib.sailor.logging import Logger, open_logger
from lib.sailor.message import Message
from lib.sailor.message.decoding import Incoming
from lib.sailor.settings import Settings
from lib.sailor.standalone.folder import FolderStates, FolderStorage
from lib.sailor.standalone.in_process import InProcess, Published
from lib.sailor.step.context import Context
from lib.sailor.step.emitter import Emitter
from lib.sailor.step.resources import StepResources
from lib.sailor.step.snapshot import Snapshot
from lib.sailor.step.step import Step
from lib.sailor.transport import Kind, Storage


@dataclass(frozen=True)
class Outcome:
    """The result of one input: how it ended, and everything that was published for it, in order."""

    finished: bool | None
    """True: acked. False: rejected, because of an error. None: not finished, because the step was cancelled."""
    published: tuple[Published, ...]

    def of(self, kind: Kind) -> list[Published]:
        """Return the publishes of one kind, in order."""
        return [published for published in self.published if published.kind is kind]

    @property
    def messages(self) -> list[Message]:
        """The messages for the next step, in order; bodies are JSON values also where RawJson was emitted."""
        return [published.value for published in self.of(Kind.DATA)]

    @property
    def errors(self) -> list[str]:
        """The texts of the errors, with secrets masked, as the platform gets them."""
        return [published.value["message"] for published in self.of(Kind.ERROR)]

    @property
    def rebounds(self) -> list[str]:
        """The reasons of the rebounds, with secrets masked, as the platform gets them."""
        return [published.headers["reboundReason"] for published in self.of(Kind.REBOUND)]


class StandaloneStep:
    """A step without platform and broker. It keeps its snapshot from input to input, as on the platform.

    It has no encryption, no rate limits and no passthrough. Its log lines go to stdout, as on the platform.
    """

    def __init__(
        self,
        component: str | os.PathLike[str],
        key: str,
        config: Mapping[str, Any] | None = None,
        *,
        snapshot: Any = None,
        variables: Mapping[str, str] | None = None,
        files: str | os.PathLike[str] | None = None,
        **settings: Any,
    ) -> None:
        """Load the function `key` of the component in the folder `component` and call its `init`.

        `config` holds the fields of the step and of the credential. Attachments and states are kept in the folder
        `files`; without it `context.storage` and `context.states` are None. `settings` are fields of `Settings`, such
        as `outgoing_message_size_limit=1000`. Raises ComponentError when the code cannot be loaded.
        """
        self.function = Component(os.fspath(component)).function(key)
        self._transport = InProcess()
        self._resources = StepResources(
            Settings(function=key, **settings), self._transport, snapshot=Snapshot(snapshot)
        )
        self._step = Step(
            self.function.required_process(),
            self._resources,
            open_logger(os.environ),
            config or {},
            variables or {},
            self.function.resolves_objects,
            storage=FolderStorage(os.path.join(files, "attachments")) if files else None,
            states=FolderStates(os.path.join(files, "states")) if files else None,
        )
        call_init(self.function, config or {})

    def run(self, message: Message | None = None, headers: Mapping[str, Any] | None = None) -> Outcome:
        """Work on one message (by default an empty one, as for a poll) and return its outcome.

        `headers` are AMQP headers: `{"reboundIteration": 1}` for an input that comes again after a rebound,
        `{"reply_to": "..."}` for one that `http_reply` can answer. What the function raises becomes an error in the
        outcome and is not raised.
        """
        transport = self._transport
        transport.published.clear()
        transport.finished.clear()
        self._step.run(transport.delivery(message or Message(), headers))
        ended = [ok for _, ok in transport.finished]
        return Outcome(ended[0] if ended else None, tuple(transport.published))

    @property
    def snapshot(self) -> Any:
        """A copy of the step's snapshot."""
        return self._resources.snapshot.copy()

    @property
    def cancelled(self) -> threading.Event:
        """The event `context.cancelled`: set it to ask a function in work to end."""
        return self._resources.cancelled


def service_context(
    logger: Logger | None = None, storage: Storage | None = None, cancelled: threading.Event | None = None
) -> Context:
    """Return the context for calls without a message: `verify`, `getMetaModel`, drop-downs of fields.

    Without `logger`, log lines go to stdout. `storage` and `cancelled` are those of the context.
    """
    transport = InProcess()
    resources = StepResources(Settings(), transport, cancelled=cancelled or threading.Event())
    logger = logger or open_logger(os.environ).named("component")
    emitter = Emitter(Incoming.of(transport.delivery(Message())), resources, logger)
    return Context(emitter, logger, {}, resources.settings, None, storage, resources.cancelled)
