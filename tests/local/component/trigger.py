from __future__ import annotations

import os
from typing import Any

from lib.sailor import Context, Message


def startup(config: dict[str, Any]) -> dict[str, Any]:
    return {"started with": config.get("step")}


def shutdown(config: dict[str, Any], state: dict[str, Any]) -> None:
    if "witness" in config:
        with open(config["witness"], "a") as file:
            file.write(f"shutdown {state}\n")


def process(context: Context, message: Message, config: dict[str, Any], snapshot: dict[str, Any]) -> None:
    n = snapshot.get("n", 0) + int(config.get("step", 1))
    context.emit.data(Message(body={"n": n}))
    if config.get("dieAt") == n:
        os.kill(os.getpid(), 9)
    context.emit.snapshot({"n": n})
