"""The twin of ../js/twin.js: the body's `do` names what to do, and both do the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib.sailor import Context, Message


class Error(Exception):
    """Called as the other language calls it."""


def process(context: Context, message: Message, config: Any, snapshot: Any) -> Any:
    behaviour = globals()[message.body["do"] if message.body else "bodiless"]
    return behaviour(context, message, config, snapshot)


def plain(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    numbers = [1, 2.5, -3, 1e21, 0.1]
    body = {
        "text": message.body["text"],
        "numbers": numbers,
        "nothing": None,
        "cfg": config,
        "snapshot": snapshot,
    }
    return Message(body, headers={"kept": "yes"})


def visit(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    path = [*message.body.get("path", []), "py"]
    return Message({"path": path, "text": message.body["text"], "do": message.body.get("then", "visit")})


def several(context: Context, message: Message, config: Any, snapshot: Any) -> Iterator[Message]:
    for n in (1, 2, 3):
        yield Message({"n": n})


def attach(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message(
        {"a": 1},
        attachments={"file": {"url": "http://storage/1", "size": 3, "content-type": "text/plain"}},
        id="11111111-2222-4333-8444-555555555555",
        extra={"metadata": {"older": True}},
    )


def forward(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return message


def fail(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    raise Error(message.body["text"])


def complain(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    context.emit.error("only a text")
    return Message({"after": "the error"})


def remember(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    context.emit.snapshot({"a": 1, "b": [2]})
    context.emit.update_snapshot({"c": "größe"})
    return Message({})


def later(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.rebound("not now")


def reply(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    context.emit.http_reply({"statusCode": 201, "body": "done", "headers": {"content-type": "text/plain"}})
    return Message({"replied": True})


def route(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"n": 1}, headers={"X-Eio-Routing-Key": message.body["key"], "kept": "yes"})


def nothing(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    return None


def bodiless(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"seen": message.body})
