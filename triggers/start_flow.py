"""Trigger startFlow: starts a flow by the schedule; emits the time, the step's configuration and its snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lib.sailor.message.message import Message
from lib.sailor.secrets.names import without_secrets
from lib.sailor.step.context import Context


def process(_context: Context, _message: Message, config: Mapping[str, Any], snapshot: Any) -> Message:
    """Emit {now, config, snapshot}; what is secret in the configuration stays out."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Message(body={"now": now, "config": without_secrets(config), "snapshot": snapshot or {}})
