"""The transport of a run without a broker: it decodes publishes and keeps them in lists (local runner, unit tests)."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lib import jsontext
from lib.sailor.errors import StorageError
from lib.sailor.message import Message
from lib.sailor.message.cipher import Cipher, Plain, from_base64, from_wire, to_wire
from lib.sailor.message.ids import random_id
from lib.sailor.transport import Delivery, Done, Kind, Outgoing


@dataclass(frozen=True, slots=True)
class Published:
    """One publish, decoded: its kind, its headers, and the value of its body."""

    kind: Kind
    value: Any
    """DATA: a Message. ERROR and error replies: name, message, stack. SNAPSHOT, httpReply: the JSON value."""
    headers: Mapping[str, Any]
    outgoing: Outgoing = field(repr=False)


class InProcess:
    """A Transport that appends publishes to `published` and finished inputs, with `ok`, to `finished`.

    `listener` is called with each publish before `publish` returns. Objects are kept in `objects`, by id.
    """

    def __init__(
        self, listener: Callable[[Published], None] | None = None, cipher: Cipher | None = None
    ) -> None:
        self.published: list[Published] = []
        self.finished: list[tuple[Delivery, bool]] = []
        self.objects: dict[str, bytes] = {}
        self._listener = listener
        self._cipher = cipher or Plain()
        self._waiting: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()

    def delivery(self, message: Message, headers: Mapping[str, Any] | None = None) -> Delivery:
        """Return a message as an input for `Step.run`; `headers` are AMQP headers, a message id is added."""
        table = {"messageId": message.id or random_id(), **(headers or {})}
        return Delivery(to_wire(self._cipher, jsontext.encode(message.payload()), 1), table)

    def put(self, delivery: Delivery | None) -> None:
        """Queue an input for `receive`; None makes `receive` return None."""
        self._waiting.put(delivery)

    def receive(self) -> Delivery | None:
        return self._waiting.get()

    def publish(self, outgoing: Outgoing, done: Done | None = None) -> None:
        published = Published(outgoing.kind, self._value(outgoing), outgoing.headers, outgoing)
        self.published.append(published)
        if self._listener is not None:
            self._listener(published)
        if done is not None:
            done(None)

    def finish(self, delivery: Delivery, ok: bool) -> None:
        self.finished.append((delivery, ok))

    def get_object(self, object_id: str, request_id: str, most: int) -> bytes:  # noqa: ARG002 - part of Transport
        if (data := self.objects.get(object_id)) is None:
            raise StorageError(f"no object {object_id}", 404)
        if len(data) > most:
            raise StorageError(f"the object {object_id} has more than {most} bytes", final=True)
        return data

    def put_object(self, data: bytes, request_id: str) -> str:  # noqa: ARG002 - part of Transport
        object_id = random_id()
        self.objects[object_id] = data
        return object_id

    def of(self, kind: Kind) -> list[Published]:
        """Return the publishes of one kind, in order."""
        return [published for published in self.published if published.kind is kind]

    def _value(self, outgoing: Outgoing) -> Any:
        if outgoing.kind is Kind.SNAPSHOT:
            return jsontext.decode(outgoing.body)
        if outgoing.kind is Kind.ERROR:
            sealed = jsontext.decode(outgoing.body)["error"]
            return jsontext.decode(self._cipher.open(from_base64(sealed.encode())))
        value = jsontext.decode(
            from_wire(self._cipher, outgoing.body, outgoing.headers.get("protocolVersion", 1))
        )
        return value if outgoing.kind is Kind.REPLY else Message.from_payload(value)
