"""Encodes what a function emits into the bytes of one publish (protocol 5.3, 5.4).

`Encoder.data` works in this order: add the passthrough, store large bodies in the object storage, take out a custom
routing key, write JSON, check the size, seal. A body is written as JSON once: with passthrough the message holds it
a second time, under the step's own id, and the same text is inserted there. The size is checked before the text is
sealed, so that a message that is too large is not copied once more.
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
"""Bytes that `room` keeps free for the other parts of a message: keys, id, headers, addresses of attachments."""


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A message that is ready to be published: sealed bytes; id and routing key are None if it has none of its own."""

    body: bytes
    id: str | None
    address: str | None
    is_object: bool
    """Whether the message's body is a JSON object; other runtimes read no other bodies (protocol 4.4)."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """Encodes the messages, replies and errors of one step, for all its inputs; safe for threads."""

    settings: Settings
    cipher: Cipher
    references: ObjectReferences
    passthrough: bool

    def carried(self, message: Message, sender: str | None) -> dict[str, RawJson]:
        """Return the passthrough that an input from the step `sender` hands on, as JSON text (protocol 5.3)."""
        if not self.passthrough:
            return {}
        passed = {step: RawJson(jsontext.encode(entry)) for step, entry in message.passthrough.items()}
        if self.settings.no_self_passtrhough and sender:
            passed[sender] = RawJson(jsontext.encode(replace(message, passthrough={}).payload()))
        return passed

    def room(self, carried: Mapping[str, RawJson]) -> int:
        """Return how many bytes of JSON a body may have, so that its message is within the size limit.

        Subtracted are the passthrough, except bodies that go to the object storage, and AROUND_BODY. The rest is
        halved if the message holds the body twice. A body that is stored itself may not have more bytes either,
        because the next step has to read it.
        """
        text = text_room(self.settings.outgoing_message_size_limit, self.settings.protocol_version)
        text -= self.references.length(carried)
        return max(text - AROUND_BODY, 0) // (2 if self._holds_itself else 1)

    def data(
        self, emitted: Message | Mapping[str, Any], carried: Mapping[str, Any], known: Known, request_id: str
    ) -> Encoded:
        """Return an emitted message, encoded, with its large bodies stored.

        `carried` is the passthrough of the input, `known` the bodies that came as object references, `request_id` the
        input's message id. Raises EmitError for what is no message or no JSON and when a body cannot be stored,
        EmissionTooLarge for a message above the step's limit.
        """
        message = _as_message(emitted)
        is_object = _is_object(message.body)
        message, address = _without_address(self._prepared(message, carried, known, request_id))
        body = self._sealed(self._payload(message), self.settings.protocol_version)
        return Encoded(body, message.id, address, is_object)

    def reply(self, reply: Mapping[str, Any]) -> bytes:
        """Return a reply as sealed bytes of version 1 (protocol 5.8); EmissionTooLarge above the step's limit."""
        given = dict(reply)
        if isinstance(given.get("headers"), Mapping):
            given["headers"] = without(given["headers"], ROUTING_KEY)
        return self._sealed(given, 1)

    def error(self, error: object, delivery: Delivery | None, secrets: Secrets) -> tuple[bytes, bytes]:
        """Return the sealed error alone, for an error reply, and the error's payload with its input (protocol 5.4)."""
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
        """Return the message with its passthrough, and with its large bodies stored."""
        if OBJECT_ID in message.headers and not is_empty(message.body):
            # The function handed the header on; it names the input's body (protocol D-16).
            message = replace(message, headers=without(message.headers, OBJECT_ID))
        if self.passthrough:
            message = replace(message, passthrough=carried)
        if message.passthrough or self.settings.emit_lightweight_message:
            return self.references.prepare(message, request_id, known)
        return message

    def _payload(self, message: Message) -> dict[str, Any]:
        """Return the payload; with passthrough it also holds the message under the step's own id (protocol 5.3)."""
        if not self._holds_itself:
            return message.payload()
        if not isinstance(message.body, RawJson):  # the JSON is written once and used twice
            message = replace(message, body=RawJson(_json(message.body)))
        own = replace(message, passthrough={}).payload()
        return replace(message, passthrough={**message.passthrough, self.settings.step_id: own}).payload()

    def _sealed(self, payload: Any, version: int) -> bytes:
        """Return the payload as bytes for the broker; EmissionTooLarge, before it is sealed, if they are too many."""
        text = _json(payload)
        size, limit = wire_size(self.cipher, len(text), version), self.settings.outgoing_message_size_limit
        if size > limit:
            raise EmissionTooLarge(f"Outgoing message size {size} exceeds limit of {limit}.")
        return to_wire(self.cipher, text, version)


def _as_message(emitted: Message | Mapping[str, Any]) -> Message:
    """Return what a function emitted as a Message; EmitError when it is none."""
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
    """Return the message without the header of a custom routing key, and that key or None (protocol 4.6)."""
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
