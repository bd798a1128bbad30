"""Asking an engine which API versions it speaks (versions.md: SystemPing first, SystemVersion for the range)."""

from __future__ import annotations

from dataclasses import replace

from lib.engine.errors import NotFound, Refused, Unreachable
from lib.engine.funnel import Funnel
from lib.engine.timeouts import Timeout
from lib.engine.version import EngineFacts, Version


def ask(funnel: Funnel, timeout: Timeout) -> EngineFacts:
    """Return what SystemPing tells; raises Unreachable where no Docker Engine stands behind the address."""
    facts = _ping(funnel, timeout)
    if facts is None:  # a proxy that strips headers, or one that forbids SystemPing
        facts = _version(funnel, timeout)
    if facts is None:
        raise Unreachable(
            f"What answers at {funnel.endpoint} is no Docker Engine", hint="Check the address and its path"
        )
    return facts


def with_minimum(facts: EngineFacts, funnel: Funnel, timeout: Timeout) -> EngineFacts:
    """Add the oldest version the engine speaks; only SystemVersion tells it, and it costs the engine more."""
    told = _version(funnel, timeout)
    return replace(facts, minimum=told.minimum) if told else facts


def _ping(funnel: Funnel, timeout: Timeout) -> EngineFacts | None:
    for method in ("HEAD", "GET"):  # HEAD is known from API 1.40
        try:
            response = funnel.send(method, "/_ping", timeout=timeout, reads=True)
        except NotFound:
            continue
        except Refused as refused:
            if refused.status and refused.status >= 500:  # noqa: PLR2004
                raise
            continue
        facts = EngineFacts.from_headers(response.headers)
        if facts:
            return facts
    return None


def _version(funnel: Funnel, timeout: Timeout) -> EngineFacts | None:
    try:
        told = funnel.send("GET", "/version", timeout=timeout, reads=True).json()
    except (ValueError, Refused):  # a socket proxy may let SystemPing through and nothing else
        return None
    if not isinstance(told, dict) or "ApiVersion" not in told:
        return None
    minimum = told.get("MinAPIVersion")
    return EngineFacts(
        maximum=Version.parse(told["ApiVersion"]),
        minimum=Version.parse(minimum) if minimum else None,
        os_type=told.get("Os"),
        experimental=bool(told.get("Experimental")),
    )
