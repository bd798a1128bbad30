"""From what a function emits to the bytes of one publish (protocol 5.3, 5.4): `Encoder` is the one way out.

A body is written as JSON once. With passthrough on it appears in the message a second time, under the step's own id:
its text is spliced in, not written again. Large parts go to the object storage first, and what is left is measured
before anything is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib import jsontext
from lib.jsontext import RawJson
from lib.sailor.errors import EmissionTooLarge, EmitError
from lib.sailor.message.cipher import Cipher, text_room, to_wire, wire_size
from lib.sailor.message.decoding import error_input
from lib.sailor.message.headers import OBJECT_ID, ROUTING_KEY
from lib.sailor.message.message import OBJECTS, Message
from lib.sailor.message.object_references import Known, ObjectReferences, is_empty, without
from lib.sailor.secrets.masking import Secrets
from lib.sailor.settings import Settings
from lib.sailor.step.error_texts import described
from lib.sailor.transport import Delivery

AROUND_BODY = 16_384
"""Bytes kept free beside a body for what else a message holds: keys, id, headers, addresses of attachments."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A message that is ready to be published: sealed bytes, its own id and routing key where it has them."""

    body: bytes
    id: str | None
    address: str | None
    is_object: bool
    """Whether its body is the JSON object that all runtimes understand."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """One step's way of writing messages; the same for all its inputs, and safe for threads."""

    settings: Settings
    cipher: Cipher
    references: ObjectReferences
    passthrough: bool

    def carried(self, message: Message, sender: str | None) -> dict[str, RawJson]:
        """Return what an input from the step `sender` hands on, as JSON text that nobody can change (protocol 5.3)."""
        if not self.passthrough:
            return {}
        passed = {step: RawJson(jsontext.encode(entry)) for step, entry in message.passthrough.items()}
        if self.settings.no_self_passtrhough and sender:
            passed[sender] = RawJson(jsontext.encode(replace(message, passthrough={}).payload()))
        return passed

    def room(self, carried: Mapping[str, RawJson]) -> int:
        """Return how many bytes of JSON a body may have so that its message is within the size limit.

        What earlier steps hand on counts as far as it travels in the message, and the body's second copy under the
        step's own id. A body that goes through the object storage gets no more: the next step has to read it.
        """
        text = text_room(self.settings.outgoing_message_size_limit, self.settings.protocol_version)
        text -= self.references.length(carried)
        return max(text - AROUND_BODY, 0) // (2 if self._holds_itself else 1)

    def data(
        self, emitted: Message | Mapping[str, Any], carried: Mapping[str, Any], known: Known, request_id: str
    ) -> Encoded:
        """Return a message for the next steps, large parts stored.

        `carried` is what the input hands on, `known` the bodies that came by reference. EmitError for what is no
        message or no JSON, EmissionTooLarge for a message above the step's limit.
        """
        message = _as_message(emitted)
        is_object = _is_object(message.body)
        message, address = _without_address(self._prepared(message, carried, known, request_id))
        body = self._sealed(self._payload(message), self.settings.protocol_version)
        return Encoded(body, message.id, address, is_object)

    def reply(self, reply: Mapping[str, Any]) -> bytes:
        """Return the answer to an HTTP request (protocol 5.8); EmissionTooLarge above the step's limit."""
        given = dict(reply)
        if isinstance(given.get("headers"), Mapping):
            given["headers"] = without(given["headers"], ROUTING_KEY)
        return self._sealed(given, 1)

    def error(self, error: object, delivery: Delivery | None, secrets: Secrets) -> tuple[bytes, bytes]:
        """Return the sealed error alone, as a reply carries it, and the whole error message with its input."""
        sealed = to_wire(self.cipher, jsontext.encode(described(error, secrets)), 1)
        payload = {"error": sealed.decode()}
        if delivery is not None:
            payload["errorInput"] = error_input(delivery, self.cipher, self.settings.input_format)
        return sealed, jsontext.encode(payload)

    @property
    def _holds_itself(self) -> bool:
        return self.passthrough and not self.settings.no_self_passtrhough

    def _prepared(
        self, message: Message, carried: Mapping[str, Any], known: Known, request_id: str
    ) -> Message:
        """Return the message with what it has to carry, its large parts stored."""
        if OBJECT_ID in message.headers and not is_empty(message.body):
            # It names the input's body, not this one's.
            message = replace(message, headers=without(message.headers, OBJECT_ID))
        if self.passthrough:
            message = replace(message, passthrough=carried)
        if message.passthrough or self.settings.emit_lightweight_message:
            return self.references.prepare(message, request_id, known)
        return message

    def _payload(self, message: Message) -> dict[str, Any]:
        """Return the payload; with passthrough on it holds itself once more, under the step's id (protocol 5.3)."""
        if not self._holds_itself:
            return message.payload()
        if not isinstance(message.body, RawJson):  # written once, spliced in twice
            message = replace(message, body=RawJson(_json(message.body)))
        own = replace(message, passthrough={}).payload()
        return replace(message, passthrough={**message.passthrough, self.settings.step_id: own}).payload()

    def _sealed(self, payload: Any, version: int) -> bytes:
        """Return the payload as bytes for the broker; its size is checked before anything is sealed."""
        text = _json(payload)
        size, limit = wire_size(self.cipher, len(text), version), self.settings.outgoing_message_size_limit
        if size > limit:
            raise EmissionTooLarge(f"Outgoing message size {size} exceeds limit of {limit}.")
        return to_wire(self.cipher, text, version)


def _as_message(emitted: Message | Mapping[str, Any]) -> Message:
    """Return what a function emitted as a message; EmitError when it is none."""
    if isinstance(emitted, Mapping):
        emitted = Message.from_payload(emitted)
    if not isinstance(emitted, Message):
        raise EmitError(f"A message was expected, {type(emitted).__name__} was emitted")
    empty: dict[str, Any] = {}
    for part in OBJECTS:
        if not isinstance(found := getattr(emitted, part), Mapping):
            if found:
                raise EmitError(f"The {part} of a message have to be an object, not {type(found).__name__}")
            empty[part] = {}
    return replace(emitted, **empty) if empty else emitted


def _is_object(body: Any) -> bool:
    return body.data.lstrip().startswith(b"{") if isinstance(body, RawJson) else isinstance(body, Mapping)


def _without_address(message: Message) -> tuple[Message, str | None]:
    """Return the message without a custom routing key, and the key (protocol 4.6)."""
    for name, value in message.headers.items():
        if name.lower() == ROUTING_KEY:
            return replace(message, headers=without(message.headers, ROUTING_KEY)), str(
                value
            ) if value else None
    return message, None


def _json(value: Any) -> bytes:
    try:
        return jsontext.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise EmitError(f"The message cannot be written as JSON: {error}") from error
