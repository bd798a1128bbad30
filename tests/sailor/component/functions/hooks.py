"""Hooks that do what the configuration says and tell a stand-in platform in which order they ran."""

from __future__ import annotations

import asyncio
import sys
import urllib.request
from typing import Any

from lib.sailor import Context, Message


def startup(config: dict[str, Any]) -> Any:
    _tell(config, "startup")
    if config.get("startup_fails"):
        raise RuntimeError("startup failed")
    return config.get("state")


async def init(config: dict[str, Any]) -> None:
    await asyncio.sleep(0)
    _tell(config, "init")
    if config.get("init_hangs"):
        await asyncio.Event().wait()
    if config.get("init_leaves"):
        sys.exit("left")
    if config.get("init_fails"):
        raise RuntimeError("init failed")


def shutdown(config: dict[str, Any], state: Any) -> None:
    _tell(config, f"shutdown?{state['subscription']}")
    if config.get("shutdown_fails"):
        raise RuntimeError("shutdown failed")


def process(context: Context, message: Message, config: Any, snapshot: Any) -> Message:
    return Message({"hooked": True})


def _tell(config: dict[str, Any], what: str) -> None:
    if "tell" in config:
        urllib.request.urlopen(f"{config['tell']}/hook/{what}").close()
