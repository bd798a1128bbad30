"""Reads what BuildKit reports: records `moby.buildkit.trace`, each a StatusResponse of protobuf in base64.

A record tells of vertices (steps), of their states, of what they wrote, and of warnings. A build never fails for a
record that cannot be read: what was read of it counts, the rest is passed over.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lib.engine.protobuf import Value, fields, signed, text

ID = "moby.buildkit.trace"
LONGEST_DIGEST = 128
"""Characters of a vertex's digest; a longer one is none."""


@dataclass(slots=True)
class Vertex:
    """A step as one record tells of it: times in seconds since 1970, None if it has not started or ended."""

    digest: str = ""
    name: str = ""
    cached: bool = False
    started: float | None = None
    completed: float | None = None
    error: str = ""


@dataclass(slots=True)
class Status:
    """A part of a step's work, such as `naming to docker.io/library/a:1`."""

    id: str = ""
    vertex: str = ""
    name: str = ""


@dataclass(slots=True)
class Log:
    """A piece of a step's output, cut anywhere; `stream` is 1 for stdout, 2 for stderr."""

    vertex: str = ""
    stream: int = 0
    message: bytes = b""


@dataclass(slots=True)
class Warned:
    """A warning of the frontend. The whole Dockerfile that comes with it is not read."""

    short: str = ""
    url: str = ""
    file: str = ""
    line: int = 0


Item = Vertex | Status | Log | Warned


def items(aux: Any) -> Iterator[Item]:
    """Yield what a record tells, in its order; nothing if it is none."""
    try:
        data = binascii.a2b_base64(aux) if isinstance(aux, str) else b""
        for number, value in fields(data):
            if number in _MESSAGES and isinstance(value, bytes):
                yield _item(*_MESSAGES[number], value)
    except ValueError:  # no base64, or MalformedError: the rest of the record is passed over
        return


def _digest(value: Value) -> str:
    digest = text(value)
    return digest if len(digest) <= LONGEST_DIGEST else ""


def _seconds(value: Value) -> float | None:
    if not isinstance(value, bytes):
        return None
    whole, nanos = _first(value, 1), _first(value, 2)
    return signed(whole) + signed(nanos) / 1e9


def _raw(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _file(info: Value) -> str:
    return text(_first(_raw(info), 1))


def _line(span: Value) -> int:
    """Return the first line of a range: in its start, the line."""
    return signed(_first(_raw(_first(_raw(span), 1)), 1))


def _first(data: bytes, wanted: int) -> Value:
    """Return the first value of a field, 0 if it is not there, as protobuf leaves out zeros."""
    return next((value for number, value in fields(data) if number == wanted), 0)


Fields = dict[int, tuple[str, Callable[[Value], Any]]]

_MESSAGES: dict[int, tuple[type[Item], Fields]] = {
    1: (
        Vertex,
        {
            1: ("digest", _digest),
            3: ("name", text),
            4: ("cached", bool),
            5: ("started", _seconds),
            6: ("completed", _seconds),
            7: ("error", text),
        },
    ),
    2: (Status, {1: ("id", text), 2: ("vertex", _digest), 3: ("name", text)}),
    3: (Log, {1: ("vertex", _digest), 3: ("stream", signed), 4: ("message", _raw)}),
    4: (Warned, {3: ("short", text), 5: ("url", text), 6: ("file", _file), 7: ("line", _line)}),
}


def _item(kind: type[Item], known: Fields, data: bytes) -> Item:
    found = kind()
    for number, value in fields(data):
        if number in known:
            name, read = known[number]
            setattr(found, name, getattr(found, name) or read(value))
    return found
