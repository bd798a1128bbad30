"""Metadata and select models, plain and asynchronous."""

from __future__ import annotations

import asyncio
from typing import Any

from lib.sailor import Context


def getMetaModel(context: Context, config: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - the platform's name
    return {"in": {"type": "object"}, "out": {"type": "object"}}


async def colours(context: Context, config: dict[str, Any]) -> dict[str, str]:
    await asyncio.sleep(0)
    if config.get("fail"):
        raise RuntimeError("no colours today")
    prefix = config.get("prefix", "")
    return {"r": f"{prefix}red", "b": f"{prefix}blue"}


def unwritable(context: Context, config: dict[str, Any]) -> Any:
    return {1, 2}


def refreshing(context: Context, config: dict[str, Any]) -> dict[str, str]:
    context.emit.update_keys({"oauth": "fresh"})
    return {"done": "done"}
