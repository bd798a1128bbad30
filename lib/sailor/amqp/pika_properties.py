"""Message properties in AMQP's binary form, with the header tables of lib/sailor/amqp/header_table.py.

The client library calls `encode` and `decode` of its own class; `install` puts this one in its place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Self

from pika import BasicProperties, spec

from lib.sailor.amqp.fitting import fitting, without_spare
from lib.sailor.amqp.header_table import NO_TEXT, read_table, table


def _text(value: str) -> bytes:
    data = value.encode(errors=NO_TEXT)
    return bytes((len(data),)) + data


def _read_text(data: bytes, offset: int) -> tuple[str, int]:
    end = offset + 1 + data[offset]
    return data[offset + 1 : end].decode(errors=NO_TEXT), end


def _octet(value: int) -> bytes:
    return bytes((value,))


def _read_octet(data: bytes, offset: int) -> tuple[int, int]:
    return data[offset], offset + 1


def _time(value: int) -> bytes:
    return int(value).to_bytes(8, "big")


def _read_time(data: bytes, offset: int) -> tuple[int, int]:
    return int.from_bytes(data[offset : offset + 8], "big"), offset + 8


Write = Callable[[Any], bytes]
Read = Callable[[bytes, int], tuple[Any, int]]
_TEXT, _OCTET, _TIME = (_text, _read_text), (_octet, _read_octet), (_time, _read_time)
_ORDER: dict[str, tuple[Write, Read]] = {
    "content_type": _TEXT,
    "content_encoding": _TEXT,
    "headers": (table, read_table),
    "delivery_mode": _OCTET,
    "priority": _OCTET,
    "correlation_id": _TEXT,
    "reply_to": _TEXT,
    "expiration": _TEXT,
    "message_id": _TEXT,
    "timestamp": _TIME,
    "type": _TEXT,
    "user_id": _TEXT,
    "app_id": _TEXT,
    "cluster_id": _TEXT,
}
_FIELDS = tuple((1 << (15 - place), name, *both) for place, (name, both) in enumerate(_ORDER.items()))


class Properties(BasicProperties):
    """The properties of one message; headers are left out if they are too large for a frame."""

    longest = 0
    """Bytes that the encoded properties may have, because they share one frame; 0: no limit."""

    sheds = False
    """Whether any header may be left out so that the message can be sent; True for errors (protocol 5.4)."""
    left_out: tuple[str, ...] = ()
    """Names of the headers that were left out because `sheds` is True."""

    def encode(self) -> list[bytes]:
        """Return the binary form in pieces; ValueError when it is too long even without the headers in SPARE."""
        if self.sheds:
            self._shed()
        pieces = self._pieces()
        if self._is_too_long(pieces) and self.headers:
            self.headers = without_spare(self.headers)
            pieces = self._pieces()
        if self._is_too_long(pieces):
            size = sum(map(len, pieces))
            raise ValueError(f"the headers have {size} bytes, a frame of the broker takes {self.longest}")
        return pieces

    def _shed(self) -> None:
        given, self.headers = self.headers or {}, None
        room = self.longest - sum(map(len, self._pieces())) if self.longest else sys.maxsize
        self.headers = fitting(given, room)
        self.left_out = tuple(name for name in given if name not in self.headers)

    def _is_too_long(self, pieces: list[bytes]) -> bool:
        return 0 < self.longest < sum(map(len, pieces))

    def _pieces(self) -> list[bytes]:
        flags = 0
        pieces = []
        for bit, name, write, _ in _FIELDS:
            if (value := getattr(self, name)) is not None:
                flags |= bit
                pieces.append(write(value))
        return [flags.to_bytes(2, "big"), *pieces]

    def decode(self, encoded: bytes, offset: int = 0) -> Self:
        flags = int.from_bytes(encoded[offset : offset + 2], "big")
        offset += 2
        for bit, name, _, read in _FIELDS:
            if flags & bit:
                value, offset = read(encoded, offset)
                setattr(self, name, value)
        return self


def install() -> None:
    """Make the client library decode deliveries with `Properties`; its own class raises on some headers."""
    spec.props[spec.BasicProperties.INDEX] = Properties
