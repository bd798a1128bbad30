"""Trigger startFlow: starts a flow by the schedule; emits the time, the step's configuration and its snapshot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lib.credentials import SECRET_KEYS
from lib.sailor.context import Context
from lib.sailor.message import Message

_SECRET = re.compile(r"passw|secret|token|api_?key|authorization", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")


def process(_context: Context, _message: Message, config: Mapping[str, Any], snapshot: Any) -> Message:
    """Emit {now, config, snapshot}; what is secret in the configuration stays out."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Message(body={"now": now, "config": _public(config), "snapshot": snapshot or {}})


def _public(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _USER_INFO.sub("", value) if isinstance(value, str) else value
        for name, value in config.items()
        if name not in SECRET_KEYS and not _SECRET.search(name)
    }
