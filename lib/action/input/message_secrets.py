"""Finds the secrets in one message, so that they are masked in logs and errors.

A field is secret if the operation's in-schema marks it with `x-secret`:

| x-secret | what is secret |
|---|---|
| text | every text of the field |
| base64 | the text, and the text that it encodes |
| assignments | the value of NAME=value in a list, or of name: value in an object; not the name |
| login | password and tokens of registry logins, as object, JSON text or base64 of it |

Values of assignments are often configuration and no secrets. If the name does not say password, token or the like,
these values stay visible: those below 6 characters (1, true, 8080), paths, common words of error texts, and what the
message also has in a visible field (its name, its image). Without them no error could be understood.

In unmarked fields these are secret: the value in name=value and the entry of a free map (labels, driver options), if
the name says so, and the password in an address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.sailor.message import RawJson
from lib.sailor.secrets.masking import SHORTEST_INSIDE
from lib.sailor.secrets.names import (
    from_base64,
    names_a_secret,
    parts_of_secret,
    secrets_in_text,
    secrets_within,
)

Node = Mapping[str, Any]
_PATH = re.compile(r"(/[a-z0-9_.-]{1,24})+/?")
"""Lower case only: a secret in base64 can begin with a slash too."""
_WORDS = frozenset(
    (
        *(
            "address",
            "client",
            "command",
            "config",
            "connection",
            "container",
            "containers",
            "context",
            "daemon",
        ),
        *("default", "development", "disabled", "docker", "enabled", "engine", "exists", "failed", "filter"),
        *("folder", "follow", "format", "header", "images", "invalid", "linux", "localhost", "manager"),
        *("message", "method", "missing", "network", "networks", "object", "plugin", "production", "python"),
        *(
            "refused",
            "registry",
            "request",
            "response",
            "running",
            "server",
            "service",
            "services",
            "staging",
        ),
        *("status", "stopped", "system", "testing", "timeout", "unknown", "verbose", "version", "volume"),
        *("volumes", "warning", "windows", "worker"),
    )
)
_NOTHING: Node = {}


def message_secrets(schema: Node, body: Any) -> Iterator[str]:
    """Yield the secrets in a message's body; the body may have any shape, since it is not checked yet."""
    try:
        value = body.parse() if isinstance(body, RawJson) else body
        definitions = schema.get("definitions", _NOTHING)
        shown = frozenset(_shown(value, schema, definitions))
        for found in _within(value, schema, definitions):
            if not isinstance(found, _Assigned) or found not in shown:
                yield found
    except (ValueError, RecursionError):  # a body that cannot be read is refused, and no error quotes it
        return


class _Assigned(str):
    """The value of an assignment whose name does not say that it is a secret."""

    __slots__ = ()


def _shown(value: Any, node: Node, definitions: Node, depth: int = 2) -> Iterator[str]:
    """Yield the texts of unmarked fields on the first `depth` levels, such as names and images."""
    for name, item in value.items() if isinstance(value, Mapping) else ():
        below = node.get("properties", _NOTHING).get(name)
        if below is None or "x-secret" in below:
            continue
        below = definitions.get(below["$ref"].rpartition("/")[2], _NOTHING) if "$ref" in below else below
        if "x-secret" in below:
            continue
        if isinstance(item, str):
            yield item
        elif depth > 1:
            yield from _shown(item, below, definitions, depth - 1)


def _is_ordinary(text: str) -> bool:
    return text.lower() in _WORDS or _PATH.fullmatch(text) is not None


def _within(value: Any, node: Node, definitions: Node) -> Iterator[str]:
    kind = node.get("x-secret")
    if "$ref" in node:
        node = definitions.get(node["$ref"].rpartition("/")[2], _NOTHING)
    if kind := kind or node.get("x-secret"):
        yield from _READERS[kind](value)
    elif isinstance(value, str):
        yield from _within_text(value, node, definitions)
    elif isinstance(value, Mapping):
        known = node.get("properties", _NOTHING)
        others = node.get("additionalProperties") or _NOTHING
        for name, item in value.items():
            if name not in known and isinstance(item, str) and names_a_secret(name):
                yield from parts_of_secret(item)
            else:
                yield from _within(item, known.get(name, others), definitions)
    elif isinstance(value, list):
        for item in value:
            yield from _within(item, node.get("items") or _NOTHING, definitions)


def _within_text(text: str, node: Node, definitions: Node) -> Iterator[str]:
    yield from secrets_in_text(text)
    if node.get("type") in ("object", "array") and (value := _json(text)) is not None:
        yield from _within(value, node, definitions)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)  # a number in the place of a text


def _packed(value: Any) -> Iterator[str]:
    for text in _texts(value):
        yield text
        if unpacked := from_base64(text):
            yield unpacked


def _assigned(value: Any) -> Iterator[str]:
    if isinstance(value, str) and isinstance(found := _json(value), Mapping | list):
        value = found
    if isinstance(value, Mapping):
        pairs = [(str(name), text) for name, item in value.items() for text in _texts(item)]
    else:
        pairs = [(name, item) for name, _, item in (text.partition("=") for text in _texts(value))]
    for name, text in pairs:
        if names_a_secret(name):
            yield from parts_of_secret(text)
        elif len(text) >= SHORTEST_INSIDE and not _is_ordinary(text):
            yield _Assigned(text)
            yield from secrets_in_text(text)


def _logins(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from parts_of_secret(value)
    else:
        yield from secrets_within(value, secret=True)


_READERS = {"text": _texts, "base64": _packed, "assignments": _assigned, "login": _logins}


def _json(text: str) -> Any:
    """Return the value of a text with a JSON object or list, None for any other text."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
