from __future__ import annotations

from typing import Any

from lib.sailor import Context, Message


class Declared:
    def __init__(self, key: str, process: Any) -> None:
        self.key = key
        self.process = process


def action(function: Any) -> Any:
    function.declared = Declared(function.__name__.rstrip("_"), function)
    return function


@action
def echo(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message(body=message.body)


@action
def fail(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    raise ValueError(f"no luck with {config.get('token')}")


@action
def warn(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    context.logger.warning("mind the gap", token=config.get("token"))


@action
def configured(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message(body=config)


@action
def comeBack(context: Context, message: Message, config: Any, snapshot: Any) -> Message | None:  # noqa: N802
    tries = snapshot.get("tries", 0)
    if tries < 2:
        context.emit.update_snapshot({"tries": tries + 1})
        context.emit.rebound("not yet")
        return None
    return Message(body={"tries": tries, **message.body})


@action
def store(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    assert context.storage is not None
    with context.storage.open(message.attachments["in"]) as blob:
        entry = context.storage.store(blob.chunks(), content_type="text/plain")
    return Message(body={}, attachments={"out": entry})


@action
def tell(context: Context, message: Message, config: Any, snapshot: Any) -> None:
    for number in range(3):
        context.logger.trace("progress", line=f"line {number} of {config.get('token')}\x1b[2J")
    context.cancelled.wait()


@action
def items(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message(body={"results": [{"id": "sha256:" + "a" * 64, "size": 1500, "note": "n" * 90}]})
