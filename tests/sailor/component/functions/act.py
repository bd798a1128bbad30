"""One function with many behaviours; the body's `do` names one."""

from __future__ import annotations

import asyncio
import builtins
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

from lib.sailor import Context, Message, RawJson
from lib.sailor.errors import RequestError, SailorError
from tests.lab.waiting import wait_until


class OwnError(Exception):
    """An error of the component's own."""


def process(context: Context, message: Message, config: Any, snapshot: Any) -> Any:
    body = message.body if isinstance(message.body, dict) else {}
    behaviour = globals().get(body.get("do", "echo"), echo)
    return behaviour(context, message, config, snapshot)


def echo(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"echo": message.body, "headers": message.headers, "passthrough": message.passthrough})


def see(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"config": config, "snapshot": snapshot, "variables": context.variables})


def again(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Send the message on as it came."""
    return message


def dictionary(context: Context, message: Message, config: Any, snapshot: Any) -> dict[str, Any]:
    return {"body": {"n": 2}, "attachments": {"a": {"url": "http://x"}}, "metadata": {"m": 1}, "unknown": [1]}


def raw(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message(RawJson('{"text":"größe €","big":123456789012345678901234567890}'.encode()))


def strange_numbers(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message(
        {"nan": float("nan"), "inf": float("inf"), "text": "größe €", "lone": "\ud800", "big": 2**70}
    )


def nothing(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    return None


async def later_nothing(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    await asyncio.sleep(0)


async def later(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    await asyncio.sleep(0)
    return Message({"later": True})


def several(context: Context, message: Message, config: Any, snapshot: Any) -> Iterator[Message]:
    for n in range(message.body.get("n", 3)):
        yield Message({"n": n})


async def several_later(
    context: Context, message: Message, config: Any, snapshot: Any
) -> AsyncIterator[Message]:
    for n in range(3):
        yield Message({"n": n})


def fail(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    raise OwnError(message.body.get("text", "It went wrong"))


def leave(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    sys.exit("left")


def return_text(context: Context, message: Message, config: Any, snapshot: Any) -> str:
    return "text"


def data_error_data(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.data(Message({"n": 1}))
    context.emit.error(OwnError("between"))
    context.emit.data(Message({"n": 2}))


def error_text(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.error("text")


def emit_ids(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.data(Message({"n": 1}))
    context.emit.data(Message({"n": 2}))
    context.emit.data(Message({"n": 3}, id="11111111-2222-4333-8444-555555555555"))
    context.emit.snapshot({"a": 1})
    context.emit.error("four")


def everything(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.data(Message({"n": 1}))
    context.emit.snapshot({"a": 1})
    context.emit.http_reply({"statusCode": 200, "body": "ok", "headers": {}})
    context.emit.error("wrong")


def kept_emitter(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Emit for an earlier message, after its end."""
    earlier = globals().get("_kept")
    globals()["_kept"] = context.emit
    if earlier is not None:
        try:
            earlier.data(Message({"late": True}))
        except SailorError as error:
            return Message({"refused": type(error).__name__})
        earlier.end()
    return Message({"kept": True})


def end_twice(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.data(Message({"before": True}))
    context.emit.end()
    context.emit.end()


def swallow(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    """Notice that an emission failed, and go on."""
    try:
        context.emit.data(Message({"text": "x" * message.body["size"]}))
    except SailorError as error:
        context.logger.info("noticed", kind=type(error).__name__)


def sized(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"text": "x" * message.body["size"]})


def own_passthrough(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"n": 1}, passthrough={"mine": {"body": {"x": 1}}})


def routed(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"n": 1}, headers={message.body["name"]: message.body["key"], "kept": "yes"})


def mutate(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Change everything that was handed over."""
    message.body["changed"] = True
    for entry in message.passthrough.values():
        entry["changed"] = True
    dict.__setitem__(message.passthrough, "invented", {"body": {}})  # type: ignore[arg-type]
    before = {"config": dict(config), "snapshot": dict(snapshot)}
    config["changed"] = snapshot["changed"] = True
    return Message(before)


def rebound(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.rebound(message.body.get("reason", "later please"))


def take_snapshot(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.snapshot(message.body["value"])


def update_snapshot(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.update_snapshot(message.body["value"])


def update_keys(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.update_keys({"oauth": "fresh"})


def reply(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.http_reply(
        {
            "statusCode": 201,
            "body": "done",
            "headers": {"x-eio-routing-key": "no", "content-type": "text/plain"},
        }
    )


def work(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Say in the log when the work begins, and return at once."""
    context.logger.info("at work", n=message.body.get("n"))
    return Message({"n": message.body.get("n"), "worked": True})


def wait_for_file(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Work until a file is there."""
    context.logger.info("at work", n=message.body.get("n"))
    wait_until(lambda: os.path.exists(message.body["file"]), "the file")
    return Message({"n": message.body.get("n"), "pid": os.getpid()})


def emit_then_wait(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.emit.data(Message({"n": message.body.get("n")}))
    wait_for_file(context, message, config, snapshot)


def hang(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.logger.info("at work")
    threading.Event().wait()


def until_cancelled(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.logger.info("at work")
    context.cancelled.wait()
    raise OwnError("cancelled")


def burn(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Keep the processor busy, without ever waiting."""
    context.logger.info("at work")
    end = time.monotonic() + message.body["seconds"]
    while time.monotonic() < end:
        sum(range(1000))
    return Message({"burnt": True})


def log(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.logger.info("a line", answer=42, nested={"a": [1]})
    secrets = [os.environ["ELASTICIO_API_KEY"], config.get("password")]
    context.logger.warning("the secrets are", secrets=secrets)
    context.logger.error("an error", err=OwnError("logged"))


def open_attachment(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    assert context.storage is not None
    with context.storage.open(message.body["attachment"]) as blob:
        text = b"".join(blob.chunks()).decode()
        return Message({"text": text, "size": blob.size, "type": blob.content_type})


def store_attachment(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    assert context.storage is not None
    stored = context.storage.store(
        iter((b"abc", b"def")), content_type="text/plain", size=message.body.get("size")
    )
    return Message({}, attachments={"file": stored})


def store_slowly(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Store the first half of an attachment, and the second when a file is there."""
    assert context.storage is not None

    def halves() -> Iterator[bytes]:
        yield b"abc" * 10_000
        context.logger.info("at work")
        wait_until(lambda: os.path.exists(message.body["file"]), "the file")
        yield b"def" * 10_000

    stored = context.storage.store(halves(), content_type="text/plain", size=message.body.get("size"))
    return Message({}, attachments={"file": stored})


def without_id_header(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Hand the incoming headers on with another body."""
    return replace(message, body={"new": True})


def raise_it(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    raise getattr(builtins, message.body["name"])


def with_id(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({}, id="i" * message.body["size"])


def with_odd_id(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({}, id="lone \ud800")


def keep_state(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    """Store a state, read it, and read it once more after it was removed."""
    if context.states is None:
        return Message({"states": None})
    name = context.states.put(b"the state")
    read = context.states.get(name, 100)
    context.states.delete(name)
    try:
        context.states.get(name, 100)
    except RequestError as error:
        return Message({"read": read.decode(), "then": error.status})
    return Message({"read": read.decode(), "then": "still there"})
