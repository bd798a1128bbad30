"""`context.emit`: the calls by which a function emits while it works on one input (protocol 5).

Every call runs in `_emission`: it refuses the call after the end, counts it while it is under way (`close` waits for
all of them), and turns each failure into an EmitError that is also published as an error of the input. Message ids
are derived from the input and a counter, so that a repeat of the input emits the same ids.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lib import jsontext
from lib.backoff import growing_pause
from lib.jsontext import RawJson
from lib.sailor.errors import (
    EmissionTooLarge,
    EmitError,
    EmittedAfterEnd,
    NoReplyAddress,
    Undeliverable,
    error_text,
)
from lib.sailor.logging import Logger
from lib.sailor.message import Message, headers
from lib.sailor.message.decoding import Incoming
from lib.sailor.message.ids import derived_id, random_id
from lib.sailor.message.object_references import Known
from lib.sailor.step.error_texts import reason as reason_text
from lib.sailor.step.resources import StepResources
from lib.sailor.transport import Done, Kind, Outgoing

SNAPSHOT_BYTES = 5_000
"""Larger snapshots give a warning (protocol 5.6)."""
LONGEST_EXPIRATION = 2**32 - 1
"""Milliseconds; the broker closes the channel for a longer expiration (protocol 5.5)."""


class Emitter:
    """Emits for one input; safe for threads of the function.

    A call returns when the broker or the platform has confirmed the emission; otherwise it raises EmitError.
    """

    def __init__(self, incoming: Incoming, resources: StepResources, logger: Logger) -> None:
        self._incoming = incoming
        self._resources = resources
        self.logger = logger
        self._shared = headers.outgoing(incoming.taken, resources.identity, incoming.start)
        self._state = threading.Condition()
        self._running = 0
        self._ended = False
        self._count = 0
        self._errors = 0
        self._seed = ""
        self._carried: Mapping[str, RawJson] = {}
        self._known: Known = {}
        self._room: int | None = None

    def carry(self, message: Message, known: Known) -> None:
        """Keep a copy of what the input hands on to later steps, before the function can change it (protocol 5.3).

        `known` has the bodies that came as object references; they go out as references again if they are unchanged.
        """
        self._known = known
        self._carried = self._resources.encoder.carried(message, self._incoming.taken.get("stepId"))

    @property
    def room(self) -> int:
        """The bytes of JSON that the body of one message may have; a longer one may raise EmissionTooLarge."""
        if self._room is None:  # computed once: what the input hands on does not change
            self._room = self._resources.encoder.room(self._carried)
        return self._room

    def data(self, message: Message | Mapping[str, Any]) -> None:
        """Emit a message to the next steps (protocol 5.3)."""
        with self._emission("data"):
            self._resources.transport.publish(self._data(message))

    def last_data(self, message: Message | Mapping[str, Any], done: Done) -> None:
        """Emit the message that a function returned, and end; `done` is called after the confirm or the failure."""
        with self._emission("data"):
            outgoing = self._data(message)
        self.close()
        self._resources.transport.publish(outgoing, done)

    def error(self, error: BaseException | str | Mapping[str, Any] | None) -> None:
        """Emit an error; the input will be rejected at its end (protocol 5.4)."""
        with self._emission("error", report=False):
            self.report(error)

    def rebound(self, reason: BaseException | str | None = None) -> None:
        """Put the input back for a later, complete run (protocol 5.5); EmitError beyond the rebound limit."""
        with self._emission("rebound"):
            delivery = self._incoming.delivery
            settings = self._resources.settings
            iteration = max(int(headers.number(delivery.headers.get("reboundIteration"), 0)), 0) + 1
            if iteration > settings.rebound_limit:
                cause = reason if isinstance(reason, BaseException) else EmitError(str(reason))
                raise EmitError("Rebound limit exceeded") from cause
            table = {**delivery.headers, "end": headers.now(), "reboundIteration": iteration}
            table["reboundReason"] = reason_text(reason, self.logger.secrets)
            pause = growing_pause(iteration, settings.rebound_initial_expiration, LONGEST_EXPIRATION)
            self._publish(Kind.REBOUND, delivery.body, table, expiration=int(pause))

    def snapshot(self, snapshot: Any) -> None:
        """Replace the step's snapshot by a JSON value (protocol 5.6)."""
        with self._emission("snapshot"):
            text = self._publish_snapshot("snapshot", snapshot)
            self._resources.snapshot.replace(text)

    def update_snapshot(self, delta: Mapping[str, Any]) -> None:
        """Replace these keys of the step's snapshot (protocol 5.6)."""
        with self._emission("updateSnapshot"):
            if not isinstance(delta, Mapping):
                raise EmitError(f"updateSnapshot takes an object, not {type(delta).__name__}")
            if "$set" in delta:
                self.logger.warning("updateSnapshot: $set is not supported; nothing was stored")
                return
            self._publish_snapshot("updateSnapshot", delta)
            self._resources.snapshot.merge(delta)

    def update_keys(self, keys: Mapping[str, Any]) -> None:
        """Store refreshed credentials of the account that the step uses (protocol 5.7)."""
        with self._emission("updateKeys"):
            if self._resources.accounts is None or not self._resources.account:
                raise EmitError("updateKeys: the step has no account (its config holds no _account)")
            self._resources.accounts.update_account(self._resources.account, keys)

    def http_reply(self, reply: Mapping[str, Any]) -> None:
        """Answer the HTTP request that started the flow, with statusCode, headers and body (protocol 5.8).

        Raises NoReplyAddress when the input has no reply_to.
        """
        with self._emission("httpReply"):
            if (address := self._incoming.reply_to) is None:
                raise NoReplyAddress(
                    "Component emitted 'httpReply' event but 'reply_to' was not found in AMQP headers"
                )
            body = self._resources.encoder.reply(reply)
            self._publish(Kind.REPLY, body, self._headers(None, protocolVersion=1), address)

    def end(self) -> None:
        """End the input before the function returns; the return ends it anyway (protocol 5.2)."""
        if self._ended:
            self.logger.warning("end was emitted more than once")
        self.close()

    def close(self) -> None:
        """Refuse all emissions from now on, and wait for those under way."""
        with self._state:
            self._ended = True
            self._state.wait_for(lambda: not self._running)

    @property
    def ok(self) -> bool:
        """Whether no error was emitted; this alone decides between ack and reject (protocol 3.3)."""
        return not self._errors

    def count_error(self) -> None:
        """Count an error, so that the input is rejected, without publishing one."""
        self._errors += 1

    def report(self, error: object) -> None:
        """Publish an error and its reply, also after the end (protocol 5.4); Undeliverable when the error fails."""
        self._errors += 1
        settings = self._resources.settings
        sealed, body = self._resources.encoder.error(error, self._incoming.delivery, self.logger.secrets)
        table = self._headers(None, end=headers.now())
        self._resources.throttle(Kind.ERROR)
        self._publish(Kind.ERROR, body, table)
        if (address := self._incoming.reply_to) is not None and not settings.no_error_replies:
            try:
                self._publish(Kind.REPLY, sealed, {**table, headers.ERROR_REPLY: True}, address)
            except Undeliverable as lost:  # protocol D-09: the error itself was delivered
                self.logger.warning("The error cannot be sent to whoever waits for a reply", err=lost)

    def _data(self, message: Message | Mapping[str, Any]) -> Outgoing:
        encoded = self._resources.encoder.data(message, self._carried, self._known, self._incoming.message_id)
        if not encoded.is_object:
            self.logger.warning(
                "The body of the emitted message is no object; some components cannot read it"
            )
        version = self._resources.settings.protocol_version
        table = self._headers(encoded.id, end=headers.now(), protocolVersion=version)
        self._resources.throttle(Kind.DATA)
        return Outgoing(Kind.DATA, encoded.body, table, encoded.address, self._incoming.delivery)

    @contextmanager
    def _emission(self, event: str, *, report: bool = True) -> Iterator[None]:
        with self._state:
            if self._ended:
                self.logger.error(f"{event} was emitted after the end of the message; it is refused")
                raise EmittedAfterEnd(f"{event} was emitted after the end of the message")
            self._running += 1
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again as an EmitError
            failure = _as_emit_error(event, error)
            if report:
                self.report(failure)
                failure.reported = True
            raise failure from (error.__cause__ if failure is error else error)
        finally:
            with self._state:
                self._running -= 1
                self._state.notify_all()

    def _publish_snapshot(self, event: str, value: Any) -> bytes:
        text = jsontext.encode(value)
        if len(text) > self._resources.settings.outgoing_message_size_limit:
            raise EmissionTooLarge(f"The {event} has {len(text)} bytes; the limit is far below that")
        if len(text) > SNAPSHOT_BYTES:
            self.logger.warning(f"The {event} has {len(text)} bytes; platforms document {SNAPSHOT_BYTES}")
        self._resources.throttle(Kind.SNAPSHOT)
        self._publish(Kind.SNAPSHOT, text, self._headers(None, snapshotEvent=event))
        return text

    def _headers(self, given_id: str | None, **more: Any) -> dict[str, Any]:
        return {**self._shared, "messageId": str(given_id) if given_id else self._next_id(), **more}

    def _next_id(self) -> str:
        """Return the id of the next emission; a repeat of this input gets the same ids in the same order."""
        with self._state:
            self._count += 1
            if self._count == 1:
                self._seed = self._make_seed()
            return derived_id(self._seed, str(self._count)) if self._seed else random_id()

    def _make_seed(self) -> str:
        if (came := self._incoming.taken.get("messageId")) is None:
            return ""
        delivery = self._incoming.delivery
        iteration = str(delivery.headers.get("reboundIteration", 0))
        return derived_id(str(came), self._resources.settings.step_id, iteration, delivery.body)

    def _publish(
        self,
        kind: Kind,
        body: bytes,
        table: dict[str, Any],
        address: str | None = None,
        expiration: int | None = None,
    ) -> None:
        outgoing = Outgoing(kind, body, table, address, self._incoming.delivery, expiration)
        self._resources.transport.publish(outgoing)


def _as_emit_error(event: str, error: Exception) -> EmitError:
    if isinstance(error, EmitError):
        return error
    return EmitError(f"{event} failed: {error_text(error)}")
