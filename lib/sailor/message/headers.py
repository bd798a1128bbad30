"""Reads the headers of inputs and makes those of publishes (protocol 4.5)."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from typing import Any

from lib.sailor.message.ids import random_id
from lib.sailor.settings import Settings

META = "x-eio-meta-"
TRACE_ID = "x-eio-meta-trace-id"
ROUTING_KEY = "x-eio-routing-key"
ERROR_REPLY = "x-eio-error-response"
OBJECT_ID = "x-ipaas-object-storage-id"

_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d+)?\s*")


def now() -> int:
    """Return milliseconds since 1970, the unit of the headers `start` and `end`."""
    return time.time_ns() // 1_000_000


def number(value: object, default: int) -> float:
    """Return a header as a number, also when it is the text of one; the default for anything else."""
    if isinstance(value, bool):
        return default
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else default
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return default


def text(value: object) -> str | None:
    """Return a header as text; None when it is absent or empty."""
    if value is None or value == "":
        return None
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else str(value)


def identity(settings: Settings) -> dict[str, Any]:
    """Return the headers that name this step and its flow, and the additional variables (protocol 1.4)."""
    return {
        **settings.additional_headers,
        "execId": settings.exec_id,
        "taskId": settings.flow_id,
        "workspaceId": settings.workspace_id,
        "containerId": settings.container_id,
        "userId": settings.user_id,
        "stepId": settings.step_id,
        "compId": settings.comp_id,
        "function": settings.function,
    }


def incoming(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headers of an input that are read or taken over, with a thread id: a new one if it has none."""
    taken = {key.lower(): value for key, value in headers.items() if key.lower().startswith(META)}
    taken["threadId"] = text(headers.get("threadId")) or text(taken.get(TRACE_ID)) or random_id()
    for key in ("messageId", "parentMessageId", "stepId", "reply_to"):
        if (value := text(headers.get(key))) is not None:
            taken[key] = value
    return {key: value for key, value in taken.items() if value is not None}


def outgoing(taken: Mapping[str, Any], own: Mapping[str, Any], start: int) -> dict[str, Any]:
    """Return the headers that all publishes about one input share (protocol 4.5).

    `taken` comes from `incoming`, `own` from `identity`; `start` is in milliseconds since 1970.
    """
    table = {**taken, **own, "threadId": taken["threadId"], "start": start}
    table.pop("parentMessageId", None)
    if "messageId" in taken:
        table["parentMessageId"] = taken["messageId"]
    return table
