"""The interface between a step and what carries its messages: `lib/sailor/amqp` or `lib/sailor/standalone`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, Self

MOST_FETCHED = 128 * 1024 * 1024
"""Bytes in all of the objects fetched for one message; platforms keep objects of up to 100 MB (protocol 6.7)."""


class Kind(StrEnum):
    """The kinds of a publish; the transport knows the routing key of each."""

    DATA = "data"
    ERROR = "error"
    REPLY = "reply"
    """httpReply and error replies; the routing key is the input's reply_to."""
    REBOUND = "rebound"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One input as the broker delivered it: sealed body and AMQP headers."""

    body: bytes = field(repr=False)
    headers: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Fields for log lines (protocol 10): deliveryTag, consumerTag, redelivered, exchange, routingKey."""
    origin: Any = None
    """What the transport needs to finish the input; private to the transport."""


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """One publish, encoded: `body` is what goes to the broker, `headers` its header table.

    `address` replaces the routing key of the kind. `of` is the input that it belongs to, None for a failed start.
    """

    kind: Kind
    body: bytes = field(repr=False)
    headers: dict[str, Any]
    address: str | None = None
    of: Delivery | None = None
    expiration: int | None = None
    """Milliseconds until a rebound comes back; None for the other kinds."""


Done = Callable[[Exception | None], None]


class Transport(Protocol):
    """Receives inputs, publishes, finishes inputs, and reads and writes large objects."""

    def receive(self) -> Delivery | None:
        """Wait for the next input and return it; None when no more will come."""

    def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
        """Publish, and return when it is confirmed; raise Undeliverable when it cannot be.

        With `done` the call may return before the confirm. Then `done` is called, on any thread: with None after the
        confirm, else with the failure. It must not block when it gets None.
        """

    def finish(self, delivery: Delivery, ok: bool) -> None:
        """Ack the input (`ok`), or reject it without requeue."""

    def get_object(self, object_id: str, request_id: str, most: int) -> bytes:
        """Return the bytes of a stored object; StorageError when it fails or has more than `most` bytes."""

    def put_object(self, data: bytes, request_id: str) -> str:
        """Store bytes and return the new object's id; StorageError when it fails."""


class StateStore(Protocol):
    """Keeps what does not fit into a step's snapshot.

    All methods raise StorageError; it is `final`, or has the status 404, when a later try cannot succeed.
    """

    def put(self, data: bytes) -> str:
        """Store bytes and return their name."""

    def get(self, name: str, most: int) -> bytes:
        """Return what was stored under a name; StorageError also when it has more than `most` bytes."""

    def delete(self, name: str) -> None:
        """Remove what was stored under a name; nothing happens when it is gone already."""


class Blob(Protocol):
    """An opened attachment: its size in bytes if that is known, its content type, its bytes once. `with` closes it."""

    size: int | None
    content_type: str | None

    def chunks(self) -> Iterator[bytes]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Storage(Protocol):
    """Reads and writes attachments as streams; both methods raise StorageError (protocol 6.6).

    `open` takes an attachment's entry in a message, `store` returns one: `url`, `size` in bytes, `content-type`.
    """

    def open(self, attachment: Mapping[str, Any]) -> Blob: ...

    def store(
        self, chunks: Iterable[bytes], *, content_type: str, size: int | None = None
    ) -> dict[str, Any]: ...
