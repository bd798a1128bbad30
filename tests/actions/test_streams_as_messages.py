"""Streams as messages: what a limit cuts off is told, nothing is repeated of which a part was emitted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.conftest import Run
from tests.engine.scripted import HEAD, Act, answer, chunked, piece, say, say_and_close

INDIVIDUALLY = {"emitBehavior": "emitIndividually"}
EVENTS = [{"Type": "container", "Action": f"a{number}"} for number in range(5)]
SAMPLES = [{"name": f"/{number}", "cpu_stats": {}} for number in range(5)]
FRAMED = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"
FRAMES = b"".join(b"\1\0\0\0\0\0\0\3%d!\n" % number for number in range(5))
CONFIG = answer(b'{"Config":{"Tty":false}}')


def logs(end: bytes) -> list[Act]:
    body = FRAMED + b"Transfer-Encoding: chunked\r\n\r\n" + piece(FRAMES) + end
    return [say(CONFIG), say(body)]


@pytest.mark.parametrize(
    ("key", "fields", "acts"),
    [
        ("SystemEvents", {"since": 1}, lambda end: [say(chunked(*EVENTS, end=end))]),
        ("ContainerStats", {"id": "web", "stream": True}, lambda end: [say(chunked(*SAMPLES, end=end))]),
        ("ContainerLogs", {"id": "web"}, logs),
    ],
)
@pytest.mark.parametrize(
    ("limit", "items"),
    [
        ({"maxItems": "3"}, 3),
        ({"maxBytes": "9"}, 0),
        ({"idleSeconds": "0.2"}, None),
        ({"maxSeconds": "0.3"}, None),
    ],
)
def test_a_cut_stream_says_so_in_a_message_of_its_own_fault_8_5(
    run: Run, key: str, fields: Any, acts: Any, limit: dict[str, str], items: int | None
) -> None:
    outcome = run(key, fields, *acts(b""), **INDIVIDUALLY, **limit)

    (name,) = limit
    assert outcome.errors == []
    assert items is None or len(outcome.bodies) == items + 1  # a busy machine may need the time for less
    assert all("truncated" not in body for body in outcome.bodies[:-1])
    assert outcome.bodies[-1] == {"truncated": name}
    assert any("ended by a limit" in line and name in line for line in outcome.log)


def test_a_stream_that_ends_by_itself_has_no_such_message_fault_8_5(run: Run) -> None:
    outcome = run("SystemEvents", {"since": 1}, say(chunked(*EVENTS)), **INDIVIDUALLY)

    assert outcome.bodies == EVENTS
    assert not any("ended by a limit" in line for line in outcome.log)


def test_the_items_of_a_list_are_never_cut_fault_8_5(run: Run) -> None:
    text = b"[" + b",".join(b'{"Id":"%d"}' % number for number in range(2_000)) + b"]"
    outcome = run("ContainerList", {}, say(answer(text)), **INDIVIDUALLY)

    assert [body["Id"] for body in outcome.bodies] == [str(number) for number in range(2_000)]


@pytest.mark.parametrize("policy", ["byComponent", "rebound", "throwError"])
def test_a_stream_that_was_cut_after_messages_is_not_repeated_fault_8_6(run: Run, policy: str) -> None:
    cut = say_and_close(chunked(*EVENTS[:2], end=b""))
    outcome = run("SystemEvents", {"since": 1}, cut, **INDIVIDUALLY, errorPolicy=policy)

    assert outcome.bodies == EVENTS[:2]
    assert outcome.rebounds == []
    assert [error["name"] for error in outcome.errors] == ["StreamCut"]
    assert "2 messages were emitted before it" in outcome.errors[0]["message"]


def test_the_error_of_a_cut_stream_can_be_emitted_after_its_messages_fault_8_6(run: Run) -> None:
    cut = say_and_close(chunked(*EVENTS[:2], end=b""))
    outcome = run("SystemEvents", {"since": 1}, cut, **INDIVIDUALLY, errorPolicy="emit")

    assert outcome.bodies[:2] == EVENTS[:2]
    assert outcome.bodies[2]["error"]["name"] == "StreamCut"
    assert "2 messages were emitted before it" in outcome.bodies[2]["error"]["hint"]


@pytest.mark.parametrize("settings", [{}, INDIVIDUALLY])
def test_a_stream_that_was_cut_before_any_message_comes_again_fault_8_6(
    run: Run, settings: dict[str, str]
) -> None:
    outcome = run("SystemEvents", {"since": 1}, say_and_close(HEAD), **settings)

    assert (outcome.bodies, outcome.errors, len(outcome.rebounds)) == ([], [], 1)
