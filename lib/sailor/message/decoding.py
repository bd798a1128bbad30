"""Decodes a delivery: into the message for the function, and into the headers for everything published about it."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib import jsontext
from lib.sailor.errors import InputError
from lib.sailor.message import headers
from lib.sailor.message.cipher import RAW, Cipher, from_base64, from_wire
from lib.sailor.message.message import OBJECTS, Message
from lib.sailor.transport import Delivery

ERROR_FORMAT = "error"


@dataclass(frozen=True, slots=True)
class Incoming:
    """One input in work, with its headers decoded; its body is not decoded, since that may fail."""

    delivery: Delivery
    taken: Mapping[str, Any]
    """The headers that everything published about the input takes over (protocol 4.5)."""
    start: int
    """When the input came, in milliseconds since 1970."""

    @classmethod
    def of(cls, delivery: Delivery) -> Incoming:
        return cls(delivery, headers.incoming(delivery.headers), headers.now())

    @property
    def reply_to(self) -> str | None:
        return self.taken.get("reply_to")

    @property
    def message_id(self) -> str:
        return str(self.taken.get("messageId") or "")

    @property
    def input_id(self) -> str | None:
        """The id of the input message, None where it has none."""
        return self.message_id or None

    @property
    def repeated(self) -> bool:
        """Whether the input was delivered before: redelivered by the broker, or put back by a rebound."""
        return self.redelivered or headers.number(self.delivery.headers.get("reboundIteration"), 0) > 0

    @property
    def redelivered(self) -> bool:
        """Whether the broker delivers the input again: a step had it and did not come to an end with it."""
        return bool(self.delivery.facts.get("redelivered"))

    @property
    def made(self) -> int:
        """A time (milliseconds since 1970) before the message was made, 0 where none is told.

        The step that published it says when its own input came; rebounds and redeliveries keep that.
        """
        return int(headers.number(self.delivery.headers.get("start"), 0))

    @property
    def rebound_reason(self) -> str:
        """Why the last delivery put the input back, "" where none did, or none says so."""
        return headers.text(self.delivery.headers.get("reboundReason")) or ""


def read(delivery: Delivery, cipher: Cipher, input_format: str) -> Message:
    """Return the message of a delivery; InputError when it cannot be decoded (protocol 4.4, 11)."""
    try:
        if input_format == ERROR_FORMAT:
            return _read_error(delivery, cipher)
        payload = jsontext.decode(from_wire(cipher, delivery.body, version(delivery)))
    except ValueError as error:
        raise InputError(f"The message cannot be decoded: {error}") from error
    if not isinstance(payload, dict):
        raise InputError(f"The message cannot be decoded: {type(payload).__name__} instead of a JSON object")
    for part in OBJECTS:
        if (found := payload.get(part)) and not isinstance(found, dict):
            raise InputError(
                f"The message cannot be decoded: its {part} are a {type(found).__name__}, no JSON object"
            )
    if (reply_to := headers.text(delivery.headers.get("reply_to"))) is not None:
        payload["headers"] = {**(payload.get("headers") or {}), "reply_to": reply_to}
    return Message.from_payload(payload)


def version(delivery: Delivery) -> float:
    """Return the protocol version of a delivery's body, 1 when the header is absent (protocol 4.2)."""
    return headers.number(delivery.headers.get("protocolVersion"), 1)


def error_input(delivery: Delivery, cipher: Cipher, input_format: str) -> str:
    """Return the `errorInput` of an error: the base64 of the sealed input (protocol 5.4)."""
    if input_format == ERROR_FORMAT:
        return _base64(cipher.seal(delivery.body))
    if version(delivery) >= RAW:
        return _base64(delivery.body)
    return delivery.body.decode(errors="replace")


def _read_error(delivery: Delivery, cipher: Cipher) -> Message:
    """Return the message of an input from the error queue (protocol 11): a plain object with two sealed parts.

    Raises InputError or ValueError.
    """
    body = jsontext.decode(delivery.body)
    if not isinstance(body, dict):
        raise InputError("The error message cannot be decoded: no JSON object")
    for part in ("error", "errorInput"):
        if isinstance(sealed := body.get(part), str) and sealed:
            body[part] = jsontext.decode(cipher.open(from_base64(sealed.encode())))
    return Message(body, dict(delivery.headers))


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()
