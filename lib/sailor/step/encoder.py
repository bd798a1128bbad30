"""From what a function emits to the bytes of one publish: passthrough, size, errors (protocol 5.3, 5.4)."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lib import jsontext
from lib.jsontext import RawJson
from lib.sailor.errors import EmissionTooLarge, EmitError, said
from lib.sailor.message.cipher import text_room, to_wire, wire_size
from lib.sailor.message.decoding import error_input
from lib.sailor.message.headers import OBJECT_ID, ROUTING_KEY
from lib.sailor.message.message import OBJECTS, Message
from lib.sailor.message.object_references import Known, is_empty, without
from lib.sailor.secrets.masking import Secrets
from lib.sailor.settings import Settings
from lib.sailor.step.resources import Outlet
from lib.sailor.transport import Delivery

NOT_AVAILABLE = "Not Available"
LONGEST_ERROR_TEXT = 100_000
"""Characters; an error that quotes a whole answer could become a message that no broker takes."""

LONGEST_REASON = 4_000
"""Bytes of a header; all headers of a message go into one frame, of which a broker takes 128 kB."""

AROUND_BODY = 16_384
"""Bytes kept free beside a body for what else a message holds: keys, id, headers, addresses of attachments."""


def as_message(emitted: Message | Mapping[str, Any]) -> Message:
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


def is_object(body: Any) -> bool:
    """Tell whether a body is the JSON object that all runtimes understand."""
    return body.data.lstrip().startswith(b"{") if isinstance(body, RawJson) else isinstance(body, Mapping)


def carried(message: Message, taken: Mapping[str, Any], settings: Settings) -> dict[str, RawJson]:
    """Return what an input hands on to later steps, as JSON text that nobody can change (protocol 5.3)."""
    passed = {step: RawJson(jsontext.encode(entry)) for step, entry in message.passthrough.items()}
    if settings.no_self_passtrhough and (sender := taken.get("stepId")):
        passed[sender] = RawJson(jsontext.encode(replace(message, passthrough={}).payload()))
    return passed


def room(passed: Mapping[str, RawJson], outlet: Outlet) -> int:
    """Return how many bytes of JSON a body may have so that its message is within the size limit.

    What earlier steps hand on counts as far as it travels in the message, and the body's second copy under the
    step's own id. A body that goes through the object storage gets no more: the next step has to read it.
    """
    settings = outlet.settings
    text = text_room(settings.outgoing_message_size_limit, settings.protocol_version)
    text -= outlet.lightweight.length(passed)
    copies = 2 if outlet.passthrough and not settings.no_self_passtrhough else 1
    return max(text - AROUND_BODY, 0) // copies


def outgoing_message(
    emitted: Message, passed: Mapping[str, Any], outlet: Outlet, request_id: str, known: Known
) -> Message:
    """Return the message with the passthrough that it has to carry, large parts stored."""
    if OBJECT_ID in emitted.headers and not is_empty(
        emitted.body
    ):  # the name of the input's body, not of this one's
        emitted = replace(emitted, headers=without(emitted.headers, OBJECT_ID))
    if outlet.passthrough:
        emitted = replace(emitted, passthrough=passed)
    if emitted.passthrough or outlet.settings.emit_lightweight_message:
        return outlet.lightweight.prepare(emitted, request_id, known)
    return emitted


def take_routing_key(message: Message) -> tuple[Message, str | None]:
    """Return the message without a custom routing key, and the key (protocol 4.6)."""
    for name, value in message.headers.items():
        if name.lower() == ROUTING_KEY:
            return replace(message, headers=without_routing_key(message.headers)), str(
                value
            ) if value else None
    return message, None


def without_routing_key(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return headers without the custom routing key, however it is written."""
    return without(headers, ROUTING_KEY)


def payload(message: Message, outlet: Outlet) -> dict[str, Any]:
    """Return the payload; with passthrough on it holds itself once more, under the step's id (protocol 5.3)."""
    if not outlet.passthrough or outlet.settings.no_self_passtrhough:
        return message.payload()
    if not isinstance(message.body, RawJson):  # encoded once, spliced in twice
        message = replace(message, body=RawJson(_json(message.body)))
    own = replace(message, passthrough={}).payload()
    return replace(message, passthrough={**message.passthrough, outlet.settings.step_id: own}).payload()


def seal(payload: Any, outlet: Outlet, version: int) -> bytes:
    """Return the payload as bytes of the wire; the size limit is checked before anything is sealed."""
    text = _json(payload)
    size, limit = wire_size(outlet.cipher, len(text), version), outlet.settings.outgoing_message_size_limit
    if size > limit:
        raise EmissionTooLarge(f"Outgoing message size {size} exceeds limit of {limit}.")
    return to_wire(outlet.cipher, text, version)


def described(error: object, secrets: Secrets) -> dict[str, str]:
    """Return name, message and stack of an error as they may leave the step: masked, then cut."""
    return {key: _shortened(secrets.mask(text)) for key, text in error_object(error).items()}


def reason(error: object, secrets: Secrets) -> str:
    """Return what an error says as a header may hold it: masked, then cut."""
    text = described(error, secrets)["message"]
    data = text.encode(errors="replace")
    if len(data) <= LONGEST_REASON:
        return text
    return data[:LONGEST_REASON].decode(errors="ignore") + "..."


def error_object(error: object) -> dict[str, str]:
    """Return name, message and stack of whatever was emitted as an error (protocol 5.4)."""
    if isinstance(error, BaseException):
        stack = "".join(traceback.format_exception(error)).rstrip()
        return {"name": type(error).__name__, "message": said(error), "stack": stack}
    if isinstance(error, Mapping) and error.get("message"):
        name, stack = error.get("name") or "Error", error.get("stack") or NOT_AVAILABLE
        return {"name": str(name), "message": str(error["message"]), "stack": str(stack)}
    text = str(error) if error else NOT_AVAILABLE
    return {"name": "Error", "message": text, "stack": NOT_AVAILABLE}


def error_bodies(
    error: object, delivery: Delivery | None, outlet: Outlet, secrets: Secrets
) -> tuple[bytes, bytes]:
    """Return the sealed error alone, as a reply carries it, and the whole error message with its input."""
    sealed = to_wire(outlet.cipher, jsontext.encode(described(error, secrets)), 1)
    payload = {"error": sealed.decode()}
    if delivery is not None:
        payload["errorInput"] = error_input(delivery, outlet.cipher, outlet.settings.input_format)
    return sealed, jsontext.encode(payload)


def _shortened(text: str) -> str:
    more = len(text) - LONGEST_ERROR_TEXT
    return text if more <= 0 else f"{text[:LONGEST_ERROR_TEXT]}... ({more} more characters)"


def _json(value: Any) -> bytes:
    try:
        return jsontext.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise EmitError(f"The message cannot be written as JSON: {error}") from error
