"""Action: the ticket of a number."""

from __future__ import annotations

from typing import Any

from tickets import get

from lib.sailor import Context, Message
from lib.sailor.errors import RequestError


def process(context: Context, message: Message, config: dict[str, Any], snapshot: Any) -> Message | None:
    number = message.body.get("number")
    if not isinstance(number, int):
        raise ValueError("number: a whole number was expected")  # becomes the error of this message
    try:
        return Message(get(config, f"/tickets/{number:d}.json"))
    except RequestError as error:
        if not error.passing:
            raise
        context.emit.rebound(error)  # the same message comes again later
        return None
