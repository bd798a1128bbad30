"""A verifier that does what the credential says."""

from __future__ import annotations

from typing import Any

from lib.sailor import Context


def verify(context: Context, config: dict[str, Any]) -> Any:
    if "raise" in config:
        raise RuntimeError(config["raise"])
    return config.get("return")
