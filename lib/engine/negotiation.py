"""Asking an engine which API versions it speaks (versions.md: SystemPing first, SystemVersion for the range)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from lib.engine.errors import NotFound, Redirected, Refused, Unauthorized, Unreachable, VersionMismatch
from lib.engine.http.sender import Sender
from lib.engine.timeouts import Timeout, Timeouts
from lib.engine.version import EngineFacts, Version, settle


class Negotiated:
    """What is known of an engine's versions, asked when it is first needed and kept."""

    def __init__(
        self,
        sender: Sender,
        timeouts: Timeouts,
        pin: Version | None,
        *,
        pin_yields: bool,
        warn: Callable[[str], None],
    ) -> None:
        self.sender = sender
        self.timeouts = timeouts
        self.warn = warn
        self._pin = pin
        self._pin_yields = pin_yields

    @cached_property
    def facts(self) -> EngineFacts:
        """What the engine says of itself."""
        return ask(self.sender, self.timeouts.short)

    @cached_property
    def full_facts(self) -> EngineFacts:
        """The same with the oldest version the engine speaks."""
        return with_minimum(self.facts, self.sender, self.timeouts.short)

    @cached_property
    def version(self) -> Version:
        """The API version that is spoken: the pin, else the newest that both sides know."""
        facts = self.full_facts if self._pin else self.facts
        version, remark = settle(facts, self._pin, pin_yields=self._pin_yields)
        if remark:
            self.warn(remark)
        return version

    def require(self, since: Version, what: str, *, field: str | None = None) -> None:
        """Raise VersionMismatch unless the spoken version has `what` (an operation or a field)."""
        if self.version >= since:
            return
        pinned = f", and {self.version} is in use" if self.version < self.facts.maximum else ""
        raise VersionMismatch(
            f"The engine speaks API {self.full_facts.range}{pinned}; {what} needs {since}",
            field=field,
            hint=f"Leave {field} empty, or use a newer engine" if field else "Use a newer engine",
        )

    def forget(self) -> None:
        """Ask the engine for its versions again before the next call."""
        for name in ("facts", "full_facts", "version"):
            self.__dict__.pop(name, None)


def ask(sender: Sender, timeout: Timeout) -> EngineFacts:
    """Return what SystemPing tells; raises Unreachable where no Docker Engine stands behind the address."""
    forbidden: Unauthorized | None = None
    try:
        facts = _ping(sender, timeout)
    except Unauthorized as refused:
        facts, forbidden = None, refused
    if facts is None:  # a proxy that strips headers, or one that forbids SystemPing
        facts = _version(sender, timeout)
    if facts is None and forbidden:
        raise forbidden
    if facts is None:
        raise Unreachable(
            f"What answers at {sender.endpoint} is no Docker Engine", hint="Check the address and its path"
        )
    return facts


def with_minimum(facts: EngineFacts, sender: Sender, timeout: Timeout) -> EngineFacts:
    """Add the oldest version the engine speaks; only SystemVersion tells it, and it costs the engine more."""
    told = _version(sender, timeout)
    return replace(facts, minimum=told.minimum) if told else facts


def _ping(sender: Sender, timeout: Timeout) -> EngineFacts | None:
    for method in ("HEAD", "GET"):  # HEAD is known from API 1.40
        try:
            response = sender.send(method, "/_ping", timeout=timeout, reads=True)
        except NotFound:
            continue
        except Redirected:  # whatever is asked there, the address has to be changed
            raise
        except Refused as refused:
            if (refused.status or 0) >= 500 or (method == "GET" and isinstance(refused, Unauthorized)):  # noqa: PLR2004
                raise
            continue
        facts = EngineFacts.from_headers(response.headers)
        if facts:
            return facts
    return None


def _version(sender: Sender, timeout: Timeout) -> EngineFacts | None:
    try:
        told = sender.send("GET", "/version", timeout=timeout, reads=True).json()
    except Redirected:
        raise
    except (ValueError, Refused):  # a socket proxy may let SystemPing through and nothing else
        return None
    maximum = Version.of_engine(told.get("ApiVersion")) if isinstance(told, dict) else None
    if maximum is None:
        return None
    return EngineFacts(
        maximum=maximum,
        minimum=Version.of_engine(told.get("MinAPIVersion")),
        os_type=told.get("Os"),
        experimental=bool(told.get("Experimental")),
    )
