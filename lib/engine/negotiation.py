"""Negotiation: asks an engine which API versions it speaks, and chooses one.

SystemPing reports the newest version in a header and is cheap. SystemVersion reports the oldest one, too, but costs
the engine more. It is called only where a proxy hides the header or forbids SystemPing, for a pin, and for error
texts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from lib import jsontext
from lib.engine.errors import (
    NotFound,
    Redirected,
    Refused,
    Unauthorized,
    Unreachable,
    VersionMismatch,
)
from lib.engine.http.sender import Sender
from lib.engine.timeouts import Timeout
from lib.engine.version import EngineFacts, Version, settle

Warn = Callable[[str], None]


class Negotiation:
    """The API versions of one engine: asked at first use, kept, and shared by all copies of a client.

    Thread-safe: if several threads need them first, one asks. `pin` is the wanted version. `pin_yields` says that
    another version is used where the engine does not speak it. The methods raise EngineErrors.
    """

    def __init__(self, sender: Sender, timeout: Timeout, pin: Version | None, *, pin_yields: bool) -> None:
        self.pin, self.pin_yields = pin, pin_yields
        self._sender, self._timeout = sender, timeout
        self._lock = threading.RLock()
        self._facts: EngineFacts | None = None
        self._full_facts: EngineFacts | None = None
        self._version: Version | None = None

    def facts(self) -> EngineFacts:
        """Return what the engine reports about itself."""
        with self._lock:
            if self._facts is None:
                self._facts = ask(self._sender, self._timeout)
            return self._facts

    def full_facts(self) -> EngineFacts:
        """Return the same, with the oldest version that the engine speaks."""
        with self._lock:
            if self._full_facts is None:
                self._full_facts = with_minimum(self.facts(), self._sender, self._timeout)
            return self._full_facts

    def version(self, warn: Warn) -> Version:
        """Return the API version in use: the pin, else the newest that both sides know. Raises VersionMismatch.

        `warn` gets a text for people if the pin is not the version in use.
        """
        version = self._version
        if version is not None:
            return version
        with self._lock:
            if self._version is None:
                facts = self.full_facts() if self.pin else self.facts()
                self._version, remark = settle(facts, self.pin, pin_yields=self.pin_yields)
                if remark:
                    warn(remark)
            return self._version

    def forget(self, used: Version) -> None:
        """Ask the engine again before the next call, unless another thread has asked since `used` was the version."""
        with self._lock:
            if self._version == used:
                self._facts = self._full_facts = self._version = None


class Negotiated:
    """The API versions of an engine for one message; `warn` takes the warnings about them."""

    def __init__(self, negotiation: Negotiation, warn: Warn) -> None:
        self.negotiation = negotiation
        self.warn = warn

    @property
    def facts(self) -> EngineFacts:
        """What the engine reports about itself."""
        return self.negotiation.facts()

    @property
    def full_facts(self) -> EngineFacts:
        """The same, with the oldest version that the engine speaks."""
        return self.negotiation.full_facts()

    @property
    def version(self) -> Version:
        """The API version in use: the pin, else the newest that both sides know."""
        return self.negotiation.version(self.warn)

    def require(self, since: Version, what: str, *, field: str | None = None) -> None:
        """Raise VersionMismatch unless the version in use has `what` (an operation or a field)."""
        if self.version >= since:
            return
        pinned = f", and {self.version} is in use" if self.version < self.facts.maximum else ""
        raise VersionMismatch(
            f"The engine speaks API {self.full_facts.range}{pinned}; {what} needs {since}",
            field=field,
            hint=f"Leave {field} empty, or use a newer engine" if field else "Use a newer engine",
        )


def ask(sender: Sender, timeout: Timeout) -> EngineFacts:
    """Return what SystemPing, or else SystemVersion, reports; raises Unreachable if no Docker Engine answers."""
    forbidden: Unauthorized | None = None
    try:
        facts = _ping(sender, timeout)
    except Unauthorized as refused:
        facts, forbidden = None, refused
    if facts is None:  # a proxy strips headers or forbids SystemPing
        facts = _version(sender, timeout)
    if facts is None and forbidden:
        raise forbidden
    if facts is None:
        raise Unreachable(
            f"What answers at {sender.endpoint} is no Docker Engine", hint="Check the address and its path"
        )
    return facts


def with_minimum(facts: EngineFacts, sender: Sender, timeout: Timeout) -> EngineFacts:
    """Return `facts` with the oldest version that the engine speaks; only SystemVersion reports it."""
    told = _version(sender, timeout)
    return replace(facts, minimum=told.minimum) if told else facts


def _ping(sender: Sender, timeout: Timeout) -> EngineFacts | None:
    for method in ("HEAD", "GET"):  # HEAD is known from API 1.40
        try:
            response = sender.send(method, "/_ping", timeout=timeout, reads=True)
        except NotFound:
            continue
        except Redirected:  # any other call would get one, too: the address is wrong
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
        told = jsontext.decode(sender.send("GET", "/version", timeout=timeout, reads=True).content)
    except Redirected:
        raise
    except (ValueError, Refused):  # a socket proxy may allow SystemPing and nothing else
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
