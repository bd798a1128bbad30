"""One call to the ticket service, bounded in bytes and in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib import jsontext
from lib.sailor.net.exchange import Exchange


def get(config: Mapping[str, Any], path: str) -> Any:
    """Return the JSON at a path; RequestError otherwise: `passing` where the same call may succeed later."""
    headers = {"Authorization": f"Bearer {config['token']}"}
    exchange = Exchange("GET", config["url"].rstrip("/") + path, headers, idle=10, total=30)
    try:
        if refusal := exchange.refusal():
            raise refusal
        return jsontext.decode(exchange.whole(1_000_000))
    finally:
        exchange.close()
