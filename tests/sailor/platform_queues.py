"""The platform's side of the broker: queues of one test, sealed by code that the runtime does not share."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any, Self

import pika
import pika.exceptions
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from lib.sailor.amqp.pika_properties import Properties, install
from tests.lab.waiting import DEADLINE

PASSWORD = "testCryptoPassword"
IV = "iv=any16_symbols"
KINDS = ("in", "data", "error", "rebound", "snapshot", "reply", "other")


def seal(value: Any, version: int = 1) -> bytes:
    text = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    pad = padding.PKCS7(128).padder()
    encryptor = _cipher().encryptor()
    sealed = encryptor.update(pad.update(text) + pad.finalize()) + encryptor.finalize()
    return sealed if version >= 2 else base64.b64encode(sealed)


def unseal(body: bytes | str, version: int = 1) -> Any:
    sealed = body if version >= 2 and isinstance(body, bytes) else base64.b64decode(body, validate=True)
    decryptor = _cipher().decryptor()
    pad = padding.PKCS7(128).unpadder()
    return json.loads(pad.update(decryptor.update(sealed) + decryptor.finalize()) + pad.finalize())


def _cipher() -> Cipher[Any]:
    return Cipher(algorithms.AES(hashlib.sha256(PASSWORD.encode()).digest()), modes.CBC(IV.encode()))


@dataclass(frozen=True)
class Got:
    """One message of a queue."""

    routing_key: str
    headers: dict[str, Any]
    properties: Any
    raw: bytes

    @property
    def payload(self) -> Any:
        return unseal(self.raw, self.headers.get("protocolVersion", 1))

    @property
    def plain(self) -> Any:
        return json.loads(self.raw)

    @property
    def error(self) -> Any:
        return unseal(self.plain["error"])

    @property
    def error_input(self) -> Any:
        return unseal(self.plain["errorInput"])


class PlatformQueues:
    """An exchange and a queue per kind, named for one test alone; removed with it."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.prefix = uuid.uuid4().hex[:8]
        self.exchange = f"{self.prefix}.exchange"
        self._connection: Any = None
        self.connect()
        self.declare_exchange()

    def declare_exchange(self) -> None:
        self.channel.exchange_declare(self.exchange, "direct", durable=True)
        for kind in KINDS:
            self.declare(kind)

    def connect(self) -> None:
        install()
        if self._connection is not None:
            with contextlib.suppress(pika.exceptions.AMQPError):
                self._connection.close()
        self._connection = pika.BlockingConnection(pika.URLParameters(self.uri))
        self.channel = self._connection.channel()
        self.channel.confirm_delivery()

    def name(self, kind: str) -> str:
        return f"{self.prefix}.{kind}"

    def declare(self, kind: str, **arguments: Any) -> None:
        self.channel.queue_declare(self.name(kind), durable=True, arguments=arguments)
        self.channel.queue_bind(self.name(kind), self.exchange, self.name(kind))

    def fill_up(self, kind: str) -> None:
        """Make a queue one that takes no second message, and put the first one in."""
        self.delete(kind)
        self.declare(kind, **{"x-max-length": 1, "x-overflow": "reject-publish"})
        self.channel.basic_publish(self.exchange, self.name(kind), b"in the way")

    def delete(self, kind: str) -> None:
        self.channel.queue_delete(self.name(kind))

    def environment(self) -> dict[str, str]:
        return {
            "ELASTICIO_AMQP_URI": self.uri,
            "ELASTICIO_LISTEN_MESSAGES_ON": self.name("in"),
            "ELASTICIO_PUBLISH_MESSAGES_TO": self.exchange,
            "ELASTICIO_DATA_ROUTING_KEY": self.name("data"),
            "ELASTICIO_ERROR_ROUTING_KEY": self.name("error"),
            "ELASTICIO_REBOUND_ROUTING_KEY": self.name("rebound"),
            "ELASTICIO_SNAPSHOT_ROUTING_KEY": self.name("snapshot"),
            "ELASTICIO_MESSAGE_CRYPTO_PASSWORD": PASSWORD,
            "ELASTICIO_MESSAGE_CRYPTO_IV": IV,
        }

    def send(self, payload: Any, headers: dict[str, Any] | None = None, version: int = 1) -> dict[str, Any]:
        """Put a message into the step's queue, with an id unless the headers say otherwise; returns its headers."""
        table = {"messageId": str(uuid.uuid4()), "threadId": "thread-1", "stepId": "step_0"}
        if version != 1:
            table["protocolVersion"] = version
        table = {key: value for key, value in {**table, **(headers or {})}.items() if value is not None}
        self.send_raw(seal(payload, version), table)
        return table

    def send_past_the_exchange(self, payload: Any) -> None:
        """Put a message into the step's queue also when the exchange is not there."""
        wanted: Any = Properties(headers={"messageId": str(uuid.uuid4())})
        self.channel.basic_publish("", self.name("in"), seal(payload), wanted, mandatory=True)

    def send_raw(self, body: bytes, headers: dict[str, Any] | None, **properties: Any) -> None:
        wanted: Any = Properties(headers=headers, **properties)
        self.channel.basic_publish(self.exchange, self.name("in"), body, wanted, mandatory=True)

    def take(self, kind: str) -> Got:
        """The next message of a queue, as soon as there is one."""
        deadline = time.monotonic() + DEADLINE
        while (got := self.peek(kind)) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing in {kind} within {DEADLINE} s")
            self._connection.process_data_events(0.005)
        return got

    def peek(self, kind: str) -> Got | None:
        """The next message of a queue, if there is one now."""
        method, properties, body = self.channel.basic_get(self.name(kind), auto_ack=True)
        if method is None:
            return None
        return Got(method.routing_key, properties.headers or {}, properties, body)

    def depth(self, kind: str) -> int:
        """Messages that wait in a queue, without those in work."""
        return int(self.channel.queue_declare(self.name(kind), passive=True).method.message_count)

    def consumers(self, kind: str) -> int:
        """Those who take messages from a queue; when one is gone, what it held is back."""
        return int(self.channel.queue_declare(self.name(kind), passive=True).method.consumer_count)

    def purge(self) -> None:
        for kind in KINDS:
            self.channel.queue_purge(self.name(kind))

    def close(self) -> None:
        if not self._connection.is_open:
            self.connect()
        for kind in KINDS:
            self.channel.queue_delete(self.name(kind))
        self.channel.exchange_delete(self.exchange)
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
