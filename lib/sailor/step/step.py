"""Works on one input: decode it, call the function, emit what it returns, then ack or reject (`_finish`).

A function that returns its only message does not wait for the confirm: the transport calls `_finish` when it comes,
on another thread. In all other cases `_finish` runs on the worker. An exception, from wherever, becomes an error of
the input.
"""

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
    """A function with its configuration and resources; several threads may call `run` at the same time."""

    process: Process
    resources: StepResources
    logger: Logger
    config: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    resolves_objects: bool = True
    """The manifest's autoResolveObjectReferences (protocol 6.2)."""
    platform: Any = None
    storage: Storage | None = None
    states: StateStore | None = None
    passing: tuple[type[BaseException], ...] = ()
    """Exceptions that `run` raises instead of reporting them: KeyboardInterrupt, in a local run on the main thread."""
    _config_text: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_config_text", jsontext.encode(self.config))
        self.logger.secrets.add(secrets_within(self.config))

    def run(self, delivery: Delivery) -> bool:
        """Work on one input and finish it, now or when its last message is confirmed; raises only `passing`.

        Returns whether no error was emitted so far.
        """
        incoming = Incoming.of(delivery)
        emitter = Emitter(incoming, self.resources, self._component_logger(incoming))
        try:
            result = self._call(incoming, emitter)
            if isinstance(result, (Message, Mapping)):
                emitter.last_data(result, partial(self._finish, incoming, emitter))
                return emitter.ok
            emit_result(result, emitter)
        except BaseException as error:  # the worker goes on with the next input
            if isinstance(error, self.passing):
                raise
            self._finish(incoming, emitter, error)
        else:
            self._finish(incoming, emitter, None)
        return emitter.ok

    def _finish(self, incoming: Incoming, emitter: Emitter, error: BaseException | None) -> None:
        """Publish an error, if there was one, and ack or reject the input.

        If the step was cancelled and there was an error, the input is not finished: it goes back to the queue.
        """
        if error is not None:
            self._failed(error, incoming, emitter)
        emitter.close()
        if emitter.ok or not self.resources.cancelled.is_set():
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
            incoming.redelivered,
            incoming.made,
            incoming.rebound_reason,
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
        except Exception as second:  # noqa: BLE001 - the input is rejected without a report (protocol D-10)
            logger.fatal("The error could not be delivered; the message is rejected", err=second)

    def _component_logger(self, incoming: Incoming) -> Logger:
        """Return the function's logger; it masks also the secrets that the function adds for this input."""
        ids = {key: incoming.taken.get(key) for key in ("threadId", "messageId", "parentMessageId")}
        return self.logger.hiding(Secrets(self.logger.secrets), "component", **ids)

    def _own_logger(self, incoming: Incoming, secrets: Secrets) -> Logger:
        ids = {
            key: incoming.taken.get(key) or "unknown" for key in ("threadId", "messageId", "parentMessageId")
        }
        return self.logger.hiding(secrets, **ids, **incoming.delivery.facts)


def emit_result(result: Any, emitter: Emitter) -> None:
    """Emit what a function returned: a message, the items of a generator, or nothing (protocol 5.1).

    Raises EmitError for a result of another type.
    """
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
                close()  # ends the generator now, and with it the connections that it holds
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
