"""Runs coroutines of a component to their end; the runtime itself is synchronous."""

from __future__ import annotations

from typing import Any


def awaited(value: Any) -> Any:
    """Return the result of a coroutine or other awaitable; return any other value unchanged."""
    if not hasattr(value, "__await__"):
        return value
    import asyncio  # imported late: few components have coroutines

    async def result() -> Any:
        return await value

    return asyncio.run(result())
