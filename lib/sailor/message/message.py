"""The platform's message as a frozen value (protocol 4.4), without its encoding and encryption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.jsontext import RawJson

__all__ = ["Message", "RawJson"]

OBJECTS = ("headers", "attachments", "passthrough")
"""The parts that must be JSON objects: other runtimes reject a message where they are not (protocol 4.4)."""

_OWN_KEYS = frozenset(("id", "body", *OBJECTS))


@dataclass(frozen=True, slots=True)
class Message:
    """One message, as a function gets it or emits it.

    `body` is a JSON value or RawJson; `headers`, `attachments` and `passthrough` are as in protocol 4.4. `id` is a
    UUID for the header `messageId`; if it is None the runtime makes one. `extra` holds all other keys of the payload.
    """

    body: Any = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, Any] = field(default_factory=dict)
    passthrough: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Message:
        """Return the message of a decoded payload; a missing part becomes `{}`, a body of null stays None."""
        extra = {key: value for key, value in payload.items() if key not in _OWN_KEYS}
        return cls(
            payload.get("body", {}),
            payload.get("headers") or {},
            payload.get("attachments") or {},
            payload.get("passthrough") or {},
            payload.get("id"),
            extra,
        )

    def payload(self) -> dict[str, Any]:
        """Return the payload as a JSON object: always with `headers`, without None and empty parts (protocol 4.4)."""
        payload = {key: value for key, value in self.extra.items() if value is not None}
        if self.id is not None:
            payload["id"] = self.id
        if self.body is not None:
            payload["body"] = self.body
        payload["headers"] = self.headers or {}
        if self.attachments:
            payload["attachments"] = self.attachments
        if self.passthrough:
            payload["passthrough"] = self.passthrough
        return payload
