"""Lightweight messages (protocol 6.1-6.4): a large body lies in the object storage, and a header names the object.

`resolve` works on inputs: it fetches the bodies that headers name. `prepare` works on outputs: it stores bodies if
the message is too large, or, if the platform wants no lightweight messages, fetches those that the passthrough names.
`Known` connects the two: a body that was fetched or stored for an input is not stored again for its outputs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lib import jsontext
from lib.jsontext import RawJson
from lib.sailor.errors import EmitError, InputError, StorageError
from lib.sailor.message import Message
from lib.sailor.message.cipher import Cipher
from lib.sailor.message.headers import OBJECT_ID
from lib.sailor.settings import Settings
from lib.sailor.transport import MOST_FETCHED, Transport

REFERENCE = 256
"""Upper bound of the bytes of JSON that the header of a stored body takes."""

Entry = Mapping[str, Any]
Known = dict[bytes, str]
"""The bodies of one input that are in the object storage: SHA-256 of the body's JSON -> id of the object."""


class ObjectReferences:
    """Fetches bodies for inputs and stores bodies of outputs; safe for threads."""

    def __init__(self, settings: Settings, transport: Transport, cipher: Cipher) -> None:
        self._emits = settings.emit_lightweight_message
        self._threshold = settings.object_storage_size_threshold
        self._transport = transport
        self._cipher = cipher

    def resolve(self, message: Message, request_id: str) -> tuple[Message, Known]:
        """Return the input with all bodies fetched and without the headers that named them, and the known bodies.

        `request_id` is the input's message id. Raises InputError when an object cannot be fetched or opened.
        """
        known: Known = {}
        fetches = _Fetches(request_id, known)
        try:
            body = message.body
            if is_empty(body) and (named := object_id(message.headers)) is not None:
                body = self._fetch(named, fetches)
            entries = {step: self._inlined(entry, fetches) for step, entry in message.passthrough.items()}
        except _FetchError as error:
            raise InputError(str(error)) from error
        headers = without(message.headers, OBJECT_ID)
        return replace(message, body=body, headers=headers, passthrough=entries), known

    def prepare(self, message: Message, request_id: str, known: Known) -> Message:
        """Return an emitted message with its bodies stored if it is too large, or with its passthrough fetched.

        What is stored is added to `known`, for the next message of the same input. Raises EmitError when an object
        cannot be stored or fetched.
        """
        if self._emits:
            return self._offloaded(message, request_id, known)
        if not any(_is_reference(entry) for entry in message.passthrough.values()):
            return message
        fetches = _Fetches(request_id, known)
        try:
            entries = {step: self._inlined(entry, fetches) for step, entry in message.passthrough.items()}
        except _FetchError as error:
            raise EmitError(str(error)) from error
        return replace(message, passthrough=entries)

    def length(self, passed: Mapping[str, RawJson]) -> int:
        """Return the bytes of JSON that the entries of a passthrough take in an outgoing message."""
        length = sum(
            len(jsontext.encode(step)) + len(entry.data) + len(":,") for step, entry in passed.items()
        )
        if not self._emits or length <= self._threshold:
            return length
        entries = [entry for one in passed.values() if (entry := _parsed(one))]
        bodies = sum(len(jsontext.encode(entry.get("body"))) for entry in entries)
        # Bodies above the threshold are stored, whatever the message's own body is.
        return length if bodies <= self._threshold else length - bodies + len(entries) * REFERENCE

    def _inlined(self, entry: Any, fetches: _Fetches) -> Any:
        if (found := _parsed(entry)) is None or (named := object_id(_headers(found))) is None:
            return entry
        headers = without(_headers(found), OBJECT_ID)
        if not is_empty(found.get("body")):  # protocol 6.2: the header is stale
            return {**found, "headers": headers}
        return {**found, "body": self._fetch(named, fetches), "headers": headers}

    def _fetch(self, named: str, fetches: _Fetches) -> Any:
        try:
            sealed = self._transport.get_object(named, fetches.request_id, fetches.left)
            fetches.left -= len(sealed)
            body = jsontext.decode(self._cipher.open(sealed))
        except (StorageError, ValueError) as error:
            raise _FetchError(f"Failed to get message body with id={named}") from error
        if self._emits:
            fetches.known[_digest(jsontext.encode(body))] = named
        return body

    def _offloaded(self, message: Message, request_id: str, known: Known) -> Message:
        entries = {step: _parsed(entry) for step, entry in message.passthrough.items()}
        texts = {step: jsontext.encode(entry.get("body")) for step, entry in entries.items() if entry}
        main = jsontext.encode(message.body)
        fits = len(main) + sum(len(text) for text in texts.values()) <= self._threshold
        if fits and not known:
            return message

        def stored(headers: Mapping[str, Any], body: Any, text: bytes) -> dict[str, Any] | None:
            """Store the body if it is not known, and return headers that name it; None when the body stays."""
            digest = _digest(text)
            named = (object_id(headers) if is_empty(body) else None) or known.get(digest)
            if named is None:
                if fits or body is None:
                    return None
                named = known[digest] = self._transport.put_object(self._cipher.seal(text), request_id)
            return {**without(headers, OBJECT_ID), OBJECT_ID: named}

        passed = dict(message.passthrough)
        try:
            for step, text in texts.items():
                entry = entries[step] or {}
                if (headers := stored(_headers(entry), entry.get("body"), text)) is not None:
                    passed[step] = {**entry, "body": {}, "headers": headers}
            headers = None if fits else stored(message.headers, message.body, main)
        except StorageError as error:
            raise EmitError("Lightweight message/passthrough body upload error") from error
        if headers is None:
            return replace(message, passthrough=passed)
        return replace(message, body={}, headers=headers, passthrough=passed)


@dataclass(slots=True)
class _Fetches:
    """The fetches for one message; their sum is bounded, since all bodies are in memory at the same time."""

    request_id: str
    known: Known
    left: int = MOST_FETCHED
    """Bytes that may still be fetched."""


class _FetchError(Exception):
    """An object cannot be fetched or opened."""


def object_id(headers: Mapping[str, Any]) -> str | None:
    """Return the id of the object that headers name, or None."""
    named = headers.get(OBJECT_ID)
    return named if isinstance(named, str) and named else None


def is_empty(body: Any) -> bool:
    """Return whether a body is empty (`{}` or null), as that of a reference is; beside another body a name is stale."""
    if isinstance(body, RawJson):
        return body.data.strip() in (b"{}", b"null")
    return body is None or (isinstance(body, Mapping) and not body)


def without(headers: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return headers without the one of this name (lower case), whatever the case of its letters."""
    return {key: value for key, value in headers.items() if key.lower() != name}


def _headers(entry: Entry) -> Mapping[str, Any]:
    found = entry.get("headers")
    return found if isinstance(found, Mapping) else {}


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _is_reference(entry: Any) -> bool:
    if isinstance(entry, RawJson) and OBJECT_ID.encode() not in entry.data:
        return False  # saves the parsing of most entries
    return (found := _parsed(entry)) is not None and object_id(_headers(found)) is not None


def _parsed(entry: Any) -> Entry | None:
    value = entry.parse() if isinstance(entry, RawJson) else entry
    return value if isinstance(value, Mapping) else None
