"""One call of gRPC as its server sees it: messages come, messages go back, and a code at the end.

A message on the wire is one byte (0: not compressed), its length in 4 bytes, and the bytes of the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

OK, UNKNOWN, NOT_FOUND, DENIED, EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, NO_LOGIN = (
    0,
    2,
    5,
    7,
    8,
    12,
    13,
    14,
    16,
)
"""The codes of gRPC that are used here."""
LONGEST_MESSAGE = 4 << 20
"""Bytes of one message, as clients of gRPC have it by default."""
_HEAD = 5
_LATER = ("408", "429", "500", "502", "503", "504")

Metadata = Mapping[str, str]


class BrokenSessionError(Exception):
    """The engine broke the rules of HTTP/2, or asked for too much."""


class RefusedCallError(Exception):
    """Ends a call with a code; the engine shows the text in its error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class Call(Protocol):
    """What serves one call. Each method may raise RefusedCallError."""

    def take(self, message: bytes) -> Iterable[bytes]:
        """Take a message; return those to answer with now."""

    def end(self) -> Iterable[bytes]:
        """Take the end of the messages; return the last ones to answer with."""

    def cut(self) -> None:
        """The call was cut: no end comes."""


Method = Callable[[Metadata], Call]
Methods = Mapping[str, Method]


class Unary:
    """A call with one message and one answer."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._message = b""

    def take(self, message: bytes) -> Iterable[bytes]:
        self._message = message
        return ()

    def end(self) -> Iterable[bytes]:
        return (self._answer(self._message),)

    def cut(self) -> None:
        """Nothing is held."""


class Answers:
    """A call with a row of answers, each of which is fetched when the engine has taken those before it."""

    def __init__(self, answers: Iterator[bytes]) -> None:
        self.answers = answers

    def take(self, message: bytes) -> Iterable[bytes]:  # noqa: ARG002 - what comes is of no interest
        """Pass over a message."""
        return ()

    def end(self) -> Iterable[bytes]:
        """The engine says no more; it still listens."""
        return ()

    def cut(self) -> None:
        """Nothing is held."""


def unary(answer: Callable[[bytes], bytes]) -> Method:
    """Return the method that answers each message with `answer(message)`."""
    return lambda _: Unary(answer)


def framed(message: bytes) -> bytes:
    """Return a message as it goes onto the wire."""
    return b"\0" + len(message).to_bytes(4, "big") + message


class Unframed:
    """Takes the bytes of a call, cut anywhere, and gives its messages. `held` is the number of bytes that wait."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def held(self) -> int:
        return len(self._rest)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the messages that are whole; raises RefusedCallError for one that is compressed or too long."""
        self._rest += data
        while len(self._rest) >= _HEAD:
            size = int.from_bytes(self._rest[1:_HEAD], "big")
            if self._rest[0]:
                raise RefusedCallError(UNIMPLEMENTED, "compressed messages are not read")
            if size > LONGEST_MESSAGE:
                raise RefusedCallError(EXHAUSTED, f"a message is longer than {LONGEST_MESSAGE} bytes")
            if len(self._rest) < _HEAD + size:
                return
            message = bytes(self._rest[_HEAD : _HEAD + size])
            del self._rest[: _HEAD + size]
            yield message


def code_of_status(status: str) -> int:
    """Return what a status means that is no answer of gRPC: another time, another login, or no such service there."""
    if status in _LATER:
        return UNAVAILABLE
    return {"401": NO_LOGIN, "403": DENIED}.get(status, UNIMPLEMENTED)
