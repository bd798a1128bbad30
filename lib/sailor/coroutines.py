"""Component functions may be coroutines; everything here is synchronous."""

from __future__ import annotations

from typing import Any


def awaited(value: Any) -> Any:
    """Return the result of a coroutine, and everything else as it is."""
    if not hasattr(value, "__await__"):
        return value
    import asyncio  # late: hardly any component is asynchronous

    async def result() -> Any:
        return await value

    return asyncio.run(result())
