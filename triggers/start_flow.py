"""Trigger startFlow (docs/triggers.md#startflow): starts a flow by its schedule and asks the engine nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lib.sailor.message.message import Message
from lib.sailor.secrets.names import without_secrets
from lib.sailor.step.context import Context


def process(_context: Context, _message: Message, config: Mapping[str, Any], snapshot: Any) -> Message:
    """Return the message {now, config, snapshot}; `config` is without its secrets."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Message(body={"now": now, "config": without_secrets(config), "snapshot": snapshot or {}})
