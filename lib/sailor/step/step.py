"""One message through one function: read, call, emit what it returns, then finish it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lib import jsontext
from lib.sailor.coroutines import awaited
from lib.sailor.errors import EmitError, error_text
from lib.sailor.logging import Logger
from lib.sailor.message import Message
from lib.sailor.message.decoding import Incoming, read
from lib.sailor.message.object_references import Known
from lib.sailor.secrets.masking import Secrets
from lib.sailor.secrets.names import secrets_within
from lib.sailor.step.context import Context
from lib.sailor.step.emitter import Emitter
from lib.sailor.step.resources import StepResources
from lib.sailor.transport import Delivery, StateStore, Storage

Process = Callable[[Context, Message, Any, Any], Any]


@dataclass(frozen=True)
class Step:
    """A function with everything it needs to work on messages; `run` may be called by several threads."""

    process: Process
    resources: StepResources
    logger: Logger
    config: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    resolves_objects: bool = True
    """The manifest's autoResolveObjectReferences."""
    platform: Any = None
    storage: Storage | None = None
    states: StateStore | None = None
    passing: tuple[type[BaseException], ...] = ()
    """What ends the run and not only the message, where steps run on the thread that signals interrupt."""
    _config_text: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_config_text", jsontext.encode(self.config))
        self.logger.secrets.add(secrets_within(self.config))

    def run(self, delivery: Delivery) -> bool:
        """Work on one input and finish it, now or when its last message is confirmed. Raises nothing but `passing`.

        The answer is whether no error was emitted so far.
        """
        incoming = Incoming.of(delivery)
        emitter = Emitter(incoming, self.resources, self._component_logger(incoming))
        try:
            result = self._call(incoming, emitter)
            if isinstance(result, (Message, Mapping)):
                emitter.last_data(result, partial(self._finish, incoming, emitter))
                return emitter.ok
            emit_result(result, emitter)
        except BaseException as error:  # the one place where a message fails; the thread goes on
            if isinstance(error, self.passing):
                raise
            self._finish(incoming, emitter, error)
        else:
            self._finish(incoming, emitter, None)
        return emitter.ok

    def _finish(self, incoming: Incoming, emitter: Emitter, error: BaseException | None) -> None:
        """Report an error, if there was one, and take the input off the queue: ok or not is decided here alone."""
        if error is not None:
            self._failed(error, incoming, emitter)
        emitter.close()
        if emitter.ok or not self.resources.cancelled.is_set():  # what was cancelled goes back to the queue
            self.resources.transport.finish(incoming.delivery, emitter.ok)

    def _call(self, incoming: Incoming, emitter: Emitter) -> Any:
        message = read(incoming.delivery, self.resources.cipher, self.resources.settings.input_format)
        known: Known = {}
        if self.resolves_objects:
            message, known = self.resources.references.resolve(message, incoming.message_id)
        emitter.carry(message, known)
        context = Context(
            emitter,
            emitter.logger,
            dict(self.variables),
            self.resources.settings,
            self.platform,
            self.storage,
            self.resources.cancelled,
            self.states,
            incoming.input_id,
            incoming.repeated,
        )
        config = jsontext.decode(self._config_text)
        return awaited(self.process(context, message, config, self.resources.snapshot.copy()))

    def _failed(self, error: BaseException, incoming: Incoming, emitter: Emitter) -> None:
        logger = self._own_logger(incoming, emitter.logger.secrets)
        logger.error(error_text(error), err=error)
        if self.resources.cancelled.is_set() or (isinstance(error, EmitError) and error.reported):
            emitter.count_error()
            return
        try:
            emitter.report(error)
        except Exception as second:  # noqa: BLE001 - nothing is left but to reject (protocol D-10)
            logger.fatal("The error could not be delivered; the message is rejected", err=second)

    def _component_logger(self, incoming: Incoming) -> Logger:
        """Return the function's logger; what the function declares as secret of this message stays hidden."""
        ids = {key: incoming.taken.get(key) for key in ("threadId", "messageId", "parentMessageId")}
        return self.logger.hiding(Secrets(self.logger.secrets), "component", **ids)

    def _own_logger(self, incoming: Incoming, secrets: Secrets) -> Logger:
        ids = {
            key: incoming.taken.get(key) or "unknown" for key in ("threadId", "messageId", "parentMessageId")
        }
        return self.logger.hiding(secrets, **ids, **incoming.delivery.facts)


def emit_result(result: Any, emitter: Emitter) -> None:
    """Emit what a function returned: a message, several from a generator, or nothing (protocol 5.1)."""
    if result is None or result is False:
        return
    if isinstance(result, (Message, Mapping)):
        emitter.data(result)
    elif isinstance(result, Iterator):
        try:
            for item in result:
                emit_result(item, emitter)
        finally:
            if (close := getattr(result, "close", None)) is not None:
                close()  # what a generator holds open is closed now, not when it is collected
    elif hasattr(result, "__await__"):
        emit_result(awaited(result), emitter)
    elif hasattr(result, "__aiter__"):
        _emit_items(result, emitter)
    else:
        raise EmitError(
            f"process returned {type(result).__name__}; a Message, a generator or None was expected"
        )


def _emit_items(items: Any, emitter: Emitter) -> None:
    async def emit() -> None:
        async for item in items:
            emit_result(item, emitter)

    awaited(emit())
