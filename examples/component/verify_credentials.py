"""Tells whether a credential works: what it raises becomes the reason that people see."""

from __future__ import annotations

from typing import Any

from tickets import get

from lib.sailor import Context


def verify(context: Context, config: dict[str, Any]) -> dict[str, Any]:
    return {"verified": True, "tickets": len(get(config, "/tickets.json"))}
