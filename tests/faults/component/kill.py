"""Hands the message on, or fails."""

from __future__ import annotations

from typing import Any

from lib.sailor import Context, Message


def process(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    if message.body["fail"]:
        raise ValueError("as told")
    return Message(message.body)
