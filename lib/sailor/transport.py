"""The seam between a step and whatever carries its messages: AMQP, the local runner, one day the platform's proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, Self

MOST_FETCHED = 128 * 1024 * 1024
"""Bytes of all objects that are fetched for one message; platforms keep objects of up to 100 MB."""


class Kind(StrEnum):
    """What is published; the transport knows where each kind goes."""

    DATA = "data"
    ERROR = "error"
    REPLY = "reply"
    """httpReply and error replies: to the address that the input names."""
    REBOUND = "rebound"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, eq=False)
class Delivery:
    """One input as it came: sealed body, headers, and what the transport needs to finish it."""

    body: bytes = field(repr=False)
    headers: Mapping[str, Any]
    facts: Mapping[str, Any] = field(default_factory=dict)
    """For the log: deliveryTag, exchange, routingKey, redelivered."""
    origin: Any = None
    """The transport's own; nobody else looks into it."""


@dataclass(frozen=True, slots=True, eq=False)
class Outgoing:
    """One publish, encoded; `address` overrides the kind's own routing key, `of` is the input it belongs to."""

    kind: Kind
    body: bytes = field(repr=False)
    headers: dict[str, Any]
    address: str | None = None
    of: Delivery | None = None
    expiration: int | None = None
    """Milliseconds after which a rebound comes back."""


Done = Callable[[Exception | None], None]


class Transport(Protocol):
    """Receives inputs, publishes outputs, finishes inputs, keeps large objects."""

    def receive(self) -> Delivery | None:
        """Block until an input is there; None when no more will come."""

    def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
        """Return once it is safely delivered; Undeliverable otherwise.

        With `done` it may return before that, and calls `done` then, on any thread: with None, or with the failure.
        `done` must not block when it is called with None.
        """

    def finish(self, delivery: Delivery, ok: bool) -> None:
        """Take the input off the queue: done, or rejected for good."""

    def get_object(self, object_id: str, request_id: str, most: int) -> bytes:
        """Return a stored object's bytes; StorageError otherwise, also for more than `most` of them."""

    def put_object(self, data: bytes, request_id: str) -> str:
        """Store bytes, return the new object's id; StorageError otherwise."""


class StateStore(Protocol):
    """Where a step keeps what does not fit into its snapshot. StorageError, `final` or 404 for what will not come."""

    def put(self, data: bytes) -> str:
        """Store bytes and return their name."""

    def get(self, name: str, most: int) -> bytes:
        """Return what was stored; more than `most` bytes are a StorageError."""

    def delete(self, name: str) -> None:
        """Remove what was stored; what is not there any more is no error."""


class Blob(Protocol):
    """An opened attachment; a context manager that closes it."""

    size: int | None
    content_type: str | None

    def chunks(self) -> Iterator[bytes]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


class Storage(Protocol):
    """Where attachments are read and written, always streamed."""

    def open(self, attachment: Mapping[str, Any]) -> Blob: ...

    def store(
        self, chunks: Iterable[bytes], *, content_type: str, size: int | None = None
    ) -> dict[str, Any]: ...
