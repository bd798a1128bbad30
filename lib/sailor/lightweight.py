"""Lightweight messages (protocol 6.1-6.4): large bodies travel through the object storage, the message names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lib import jsontext
from lib.jsontext import RawJson
from lib.sailor.cipher import Cipher
from lib.sailor.errors import EmitError, InputError, StorageError
from lib.sailor.headers import OBJECT_ID
from lib.sailor.message import Message
from lib.sailor.settings import Settings
from lib.sailor.transport import Transport

Entry = Mapping[str, Any]


class Lightweight:
    """Fetches what an input only names, stores what an output should only name."""

    def __init__(self, settings: Settings, transport: Transport, cipher: Cipher) -> None:
        self._emits = settings.emit_lightweight_message
        self._threshold = settings.object_storage_size_threshold
        self._transport = transport
        self._cipher = cipher

    def resolve(self, message: Message, request_id: str) -> Message:
        """Return the message with every named body in its place, and without the name; InputError otherwise."""
        try:
            body = message.body
            if (
                not body and (named := object_id(message.headers)) is not None
            ):  # beside a body the name is stale
                body = self._fetch(named, request_id).parse()
            entries = {step: self._inlined(entry, request_id) for step, entry in message.passthrough.items()}
        except _FetchError as error:
            raise InputError(str(error)) from error
        return replace(message, body=body, headers=without(message.headers, OBJECT_ID), passthrough=entries)

    def prepare(self, message: Message, request_id: str) -> Message:
        """Return the message as it goes out: bodies stored if it is too large, or named entries inlined."""
        if self._emits:
            return self._offloaded(message, request_id)
        if not any(_is_reference(entry) for entry in message.passthrough.values()):
            return message
        try:
            entries = {step: self._inlined(entry, request_id) for step, entry in message.passthrough.items()}
        except _FetchError as error:
            raise EmitError(str(error)) from error
        return replace(message, passthrough=entries)

    def _inlined(self, entry: Any, request_id: str) -> Any:
        if (found := _parsed(entry)) is None or (named := object_id(found.get("headers") or {})) is None:
            return entry
        if found.get("body"):  # a body beside a stale name: the body is what was meant
            return {**found, "headers": without(found["headers"], OBJECT_ID)}
        body = self._fetch(named, request_id).parse()
        return {**found, "body": body, "headers": without(found["headers"], OBJECT_ID)}

    def _fetch(self, named: str, request_id: str) -> RawJson:
        try:
            text = RawJson(self._cipher.open(self._transport.get_object(named, request_id)))
            text.parse()
        except (StorageError, ValueError) as error:
            raise _FetchError(f"Failed to get message body with id={named}") from error
        return text

    def _offloaded(self, message: Message, request_id: str) -> Message:
        entries = {step: _parsed(entry) for step, entry in message.passthrough.items()}
        texts = {step: jsontext.encode(entry.get("body")) for step, entry in entries.items() if entry}
        main = jsontext.encode(message.body)
        if len(main) + sum(len(text) for text in texts.values()) <= self._threshold:
            return message

        def store(headers: Mapping[str, Any], text: bytes) -> dict[str, Any]:
            named = object_id(headers) or self._transport.put_object(self._cipher.seal(text), request_id)
            return {**without(headers, OBJECT_ID), OBJECT_ID: named}

        try:
            stored = {step: _named(entry, texts.get(step, b""), store) for step, entry in entries.items()}
            headers = store(without(message.headers, OBJECT_ID) if message.body else message.headers, main)
        except StorageError as error:
            raise EmitError("Lightweight message/passthrough body upload error") from error
        kept = {step: message.passthrough[step] if entry is None else entry for step, entry in stored.items()}
        return replace(message, body={}, headers=headers, passthrough=kept)


class _FetchError(Exception):
    """A named body cannot be fetched or opened."""


def object_id(headers: Mapping[str, Any]) -> str | None:
    """Return the object that headers name."""
    named = headers.get(OBJECT_ID)
    return named if isinstance(named, str) and named else None


def without(headers: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return headers without one, however it is written."""
    return {key: value for key, value in headers.items() if key.lower() != name}


def _named(
    entry: Entry | None, text: bytes, store: Callable[[Mapping[str, Any], bytes], dict[str, Any]]
) -> Entry | None:
    if entry is None:
        return None
    return {**entry, "body": {}, "headers": store(entry.get("headers") or {}, text)}


def _is_reference(entry: Any) -> bool:
    if isinstance(entry, RawJson) and OBJECT_ID.encode() not in entry.data:
        return False  # not worth parsing
    return (found := _parsed(entry)) is not None and object_id(found.get("headers") or {}) is not None


def _parsed(entry: Any) -> Entry | None:
    value = entry.parse() if isinstance(entry, RawJson) else entry
    return value if isinstance(value, Mapping) else None
