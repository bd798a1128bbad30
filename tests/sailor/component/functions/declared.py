from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lib.sailor import Context, Message


def process(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"from": "the module"})


def one() -> None: ...


one.declared = SimpleNamespace(key="declared", process=lambda *_: Message({"from": "the declaration"}))  # type: ignore[attr-defined]
