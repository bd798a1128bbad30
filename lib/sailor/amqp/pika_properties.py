"""Message properties in AMQP's binary form, with header tables of our own: the client library's lose fractions."""

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
    """The properties of one message; the client library calls `encode` and `decode`."""

    longest = 0
    """So many bytes fit into the one frame that has to hold them all; 0: no limit."""

    sheds = False
    """Whether headers are left out where the message could not be sent with them: an error has to arrive."""
    left_out: tuple[str, ...] = ()
    """The names of the headers that were left out for that."""

    def encode(self) -> list[bytes]:
        """Return the binary form; ValueError where it is too long, also without the headers that only people read."""
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
    """Have the client library make these for deliveries, too; its own reader ends the process on odd headers."""
    spec.props[spec.BasicProperties.INDEX] = Properties
