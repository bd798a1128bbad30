from __future__ import annotations

from typing import Any


def verify(context: Any, config: dict[str, Any]) -> dict[str, Any]:
    if config.get("token") != "right":
        raise ValueError("the token is wrong")
    return {"verified": True, "account": "tests"}
