from __future__ import annotations

from typing import Any

from lib.sailor import Context, Message


def process(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"from": "the trigger"})
