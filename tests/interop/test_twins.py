"""The same function in both languages, given the same messages: only ids and times of what comes out may differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.interop.node import Twin, end_in_order
from tests.lab.broker import Broker
from tests.sailor.platform_queues import Got

pytestmark = pytest.mark.broker

SETTINGS: dict[str, dict[str, Any]] = {
    "version 1": {},
    "version 2, passthrough": {"protocol_version": "2", "passthrough": True},
    "version 1, passthrough of the sender": {"no_self_passtrhough": "1", "passthrough": True},
    "more headers, persistent": {
        "additional_vars_for_headers": "ELASTICIO_FOO_BAR,NOWHERE",
        "foo_bar": "more",
        "amqp_persistent_messages": "true",
    },
}
# What each behaviour publishes: kind and count, in no order between kinds.
BEHAVIOURS: dict[str, dict[str, int]] = {
    "plain": {"data": 1},
    "several": {"data": 3},
    "attach": {"data": 1},
    "forward": {"data": 1},
    "fail": {"error": 1},
    "complain": {"error": 1, "data": 1},
    "remember": {"snapshot": 2, "data": 1},
    "later": {"rebound": 1},
    "reply": {"reply": 1, "data": 1},
    "route": {"other": 1},
    "nothing": {},
}
# Ours are new with every publish (protocol D-01); times and names of queues are nobody's fault.
OF_ITS_OWN = {"messageId", "start", "end"}


@dataclass
class Pair:
    js: Twin
    py: Twin
    passthrough: bool

    def ask(self, behaviour: str, version: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """What both publish for the same message."""
        told = [self._ask(twin, behaviour, version) for twin in (self.js, self.py)]
        return told[0], told[1]

    def _ask(self, twin: Twin, behaviour: str, version: int) -> list[dict[str, Any]]:
        payload = {
            "body": {"do": behaviour, "text": "größe € \u2028", "key": twin.wires.name("other")},
            "headers": {"given": "by the sender"},
            "passthrough": {"step_00": {"body": {"early": True}, "headers": {}}},
        }
        headers = {"messageId": "m-1", "X-EIO-META-Trace": "t", "x-eio-meta-n": 7, "stepId": "step_0"}
        if behaviour in ("reply", "fail"):
            headers["reply_to"] = twin.wires.name("reply")
        if behaviour == "later":
            headers["reboundIteration"] = 2
        twin.wires.send(payload, headers, version)
        wanted = dict(BEHAVIOURS[behaviour])
        if behaviour == "fail":
            wanted["reply"] = 1
        return [seen(twin, kind, twin.take(kind)) for kind, count in wanted.items() for _ in range(count)]


def seen(twin: Twin, kind: str, got: Got) -> dict[str, Any]:
    """What a peer can see of a message, without what differs from run to run."""
    headers = {name: value for name, value in got.headers.items() if name not in OF_ITS_OWN}
    text = {name: str(value).replace(twin.wires.prefix, "PREFIX") for name, value in headers.items()}
    properties = got.properties
    return {
        "kind": kind,
        "headers": {name: (type(headers[name]).__name__, text[name]) for name in sorted(headers)},
        "times": sorted(name for name in OF_ITS_OWN if name in got.headers),
        "properties": [
            properties.content_type,
            properties.content_encoding,
            properties.delivery_mode,
            properties.expiration,
            properties.priority,
            properties.message_id,
        ],
        "payload": decoded(twin, kind, got),
    }


def decoded(twin: Twin, kind: str, got: Got) -> Any:
    if kind == "snapshot":
        return got.plain
    if kind == "error":
        return {
            "error": without_stack(got.error),
            "errorInput": unprefixed(twin, got.error_input),
            "keys": set(got.plain),
        }
    if got.headers.get("x-eio-error-response"):
        return without_stack(got.payload)
    return unprefixed(twin, got.payload)


def without_stack(error: dict[str, str]) -> dict[str, Any]:
    assert error["stack"]
    return {**error, "stack": error["stack"] == "Not Available"}


def unprefixed(twin: Twin, value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(twin.wires.prefix, "PREFIX")
    if isinstance(value, dict):
        return {key: unprefixed(twin, item) for key, item in value.items()}
    return value


@pytest.fixture(scope="module", params=SETTINGS, ids=str)
def pair(request: pytest.FixtureRequest, broker: Broker) -> Iterator[Pair]:
    """A step in each language with the same settings."""
    changes = dict(SETTINGS[request.param])
    passthrough = changes.pop("passthrough", False)
    with ExitStack() as stack:
        twins = [stack.enter_context(Twin(broker.uri, language)) for language in ("js", "py")]
        for twin in twins:
            twin.platform.step |= {"config": {"word": "given"}, "is_passthrough": passthrough}
            twin.launch(**changes)
        yield Pair(twins[0], twins[1], bool(passthrough))
        end_in_order(*twins)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_both_publish_the_same(pair: Pair, behaviour: str, version: int) -> None:
    js, py = pair.ask(behaviour, version)

    if behaviour == "route" and pair.passthrough:
        forget_routing_key(js)
    assert py == js


@pytest.mark.parametrize("version", [1, 2])
def test_both_show_a_null_body_as_null(pair: Pair, version: int) -> None:
    """Fault 8.14."""
    for twin in (pair.js, pair.py):
        twin.wires.send({"body": None, "headers": {}}, {"stepId": "step_0"}, version)
        assert twin.take("data").payload["body"] == {"seen": None}


def forget_routing_key(published: list[dict[str, Any]]) -> None:
    """The other runtime leaves the key in the copy that it passes on (protocol D-21)."""
    for message in published:
        for entry in message["payload"].get("passthrough", {}).values():
            entry.get("headers", {}).pop("X-Eio-Routing-Key", None)
