"""The platform's side of the broker for one measured step."""

from __future__ import annotations

import json
import time
from typing import Any

import pika

from tests.sailor.platform_queues import IV, PASSWORD, seal, unseal

IN, OUT, FAILED = "bench.in", "bench.data", "bench.error"
KEYS = {"DATA": OUT, "ERROR": FAILED, "REBOUND": "bench.rebound", "SNAPSHOT": "bench.snapshot"}


class Queues:
    """Queues of fixed names on a broker of our own."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._connection = pika.BlockingConnection(pika.URLParameters(uri))
        self._channel = self._connection.channel()
        self._channel.exchange_declare("bench", "direct", durable=True)
        for name in (IN, *KEYS.values()):
            self._channel.queue_declare(name, durable=True)
            self._channel.queue_bind(name, "bench", name)

    def environment(self) -> dict[str, str]:
        return {
            "ELASTICIO_AMQP_URI": self._uri,
            "ELASTICIO_LISTEN_MESSAGES_ON": IN,
            "ELASTICIO_PUBLISH_MESSAGES_TO": "bench",
            "ELASTICIO_MESSAGE_CRYPTO_PASSWORD": PASSWORD,
            "ELASTICIO_MESSAGE_CRYPTO_IV": IV,
            **{f"ELASTICIO_{kind}_ROUTING_KEY": key for kind, key in KEYS.items()},
        }

    def put(self, body: dict[str, Any], count: int) -> None:
        """Put so many inputs into the queue, with the headers that a step before would send."""
        sealed = seal({"body": body, "headers": {}, "attachments": {}})
        for number in range(count):
            headers = {
                "messageId": f"00000000-0000-4000-8000-{number:012d}",
                "threadId": "11111111-1111-4111-8111-111111111111",
                "stepId": "step_0",
                "execId": "exec1",
                "taskId": "flow1",
                "workspaceId": "workspace1",
                "containerId": "container0",
                "userId": "user1",
                "compId": "comp0",
                "function": "before",
                "start": 1700000000000,
                "end": 1700000000001,
                "protocolVersion": 1,
            }
            properties = pika.BasicProperties("application/json", "utf8", headers, 1)  # type: ignore[no-untyped-call]
            self._channel.basic_publish("bench", IN, sealed, properties, mandatory=True)

    def count(self, name: str) -> tuple[int, int]:
        """Messages that wait in a queue, and its consumers."""
        answer = self._channel.queue_declare(name, durable=True, passive=True).method
        return answer.message_count, answer.consumer_count

    def wait(self, wanted: int, seconds: float = 300) -> None:
        """Return when so many outputs are there; the queue is only asked how long it is."""
        deadline = time.monotonic() + seconds
        while self.count(OUT)[0] < wanted:
            if self.count(FAILED)[0]:
                raise RuntimeError(f"the step failed: {self._get(FAILED)}")
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{self.count(OUT)[0]} of {wanted} outputs, {self.count(IN)[0]} inputs left"
                )
            time.sleep(0.004)

    def latencies(self, body: dict[str, Any], count: int) -> list[float]:
        """Seconds from publishing an input to having its output, one message at a time."""
        took: list[float] = []
        arrived: list[float] = []
        tag = self._channel.basic_consume(OUT, lambda *_: arrived.append(time.perf_counter()), auto_ack=True)
        for number in range(count):
            began = time.perf_counter()
            self.put(body, 1)
            while len(arrived) <= number:
                self._connection.process_data_events(10)
            took.append(arrived[number] - began)
        self._channel.basic_cancel(tag)
        return took

    def take(self) -> Any:
        """The body of one output."""
        return self._get(OUT)["body"]

    def _get(self, name: str) -> Any:
        method, properties, body = self._channel.basic_get(name, auto_ack=True)
        if method is None or properties is None or body is None:
            raise RuntimeError(f"nothing is in {name}")
        if name == FAILED:
            return unseal(json.loads(body)["error"])["message"]
        return unseal(body, (properties.headers or {}).get("protocolVersion", 1))

    def purge(self) -> None:
        for name in (IN, *KEYS.values()):
            self._channel.queue_purge(name)

    def close(self) -> None:
        self._connection.close()
