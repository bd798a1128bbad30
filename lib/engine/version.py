"""Engine API versions: reads them, compares them, and chooses the one that client and engine use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from lib.engine.errors import BadInput, VersionMismatch
from lib.engine.text import shown

_FORM = re.compile(r"v?([0-9]{1,3})\.([0-9]{1,4})")


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """An API version. Its parts compare as numbers: 1.9 < 1.33."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: Any, *, field: str = "apiVersion") -> Version:
        """Read "1.41" or "v1.41"; anything else raises BadInput that names `field`.

        A number is refused, because 1.4 may have been 1.40.
        """
        found = cls._read(text)
        if found is None:
            number = isinstance(text, int | float) and not isinstance(text, bool)
            raise BadInput(
                f"{field}: {shown(text)} is {'a number, not a text' if number else 'no API version'}",
                field=field,
                hint='Write it as text, as in "1.40"' if number else "Write it as in 1.41, or leave it empty",
            )
        return found

    @classmethod
    def of_engine(cls, text: Any) -> Version | None:
        """Read a version that an engine reports; None if it is not a version."""
        return cls._read(text)

    @classmethod
    def _read(cls, text: Any) -> Version | None:
        match = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        return cls(int(match[1]), int(match[2])) if match else None

    def __lt__(self, other: Version) -> bool:
        return (self.major, self.minor) < (other.major, other.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


NEWEST = Version(1, 56)
OLDEST = Version(1, 25)


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What an engine reports about itself in the headers of SystemPing; `minimum` comes from SystemVersion."""

    maximum: Version
    minimum: Version | None = None
    os_type: str | None = None
    experimental: bool = False
    builder: str | None = None
    swarm: str | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> EngineFacts | None:
        """Read the headers of SystemPing; None if they are not from a Docker Engine."""
        maximum = Version.of_engine(headers.get("Api-Version"))
        if maximum is None:
            return None
        return cls(
            maximum=maximum,
            os_type=headers.get("Ostype"),
            experimental=headers.get("Docker-Experimental", "").lower() == "true",
            builder=headers.get("Builder-Version"),
            swarm=headers.get("Swarm"),
        )

    @property
    def range(self) -> str:
        """The versions that the engine speaks, for people: "1.24-1.51"."""
        return f"{self.minimum}-{self.maximum}" if self.minimum else f"up to {self.maximum}"


def settle(facts: EngineFacts, pin: Version | None, *, pin_yields: bool) -> tuple[Version, str | None]:
    """Return the version to use, and a text for people about the choice, or None.

    Without a pin it is the newest version that both sides speak. A pin outside the engine's range raises
    VersionMismatch, unless it yields, as a pin in the server's address does (README.md#the-credential).
    """
    newest = min(NEWEST, facts.maximum)
    if facts.minimum and facts.minimum > NEWEST:
        raise VersionMismatch(
            f"The engine speaks API {facts.range}, this component up to {NEWEST}",
            hint="Use a newer release of this component",
        )
    if newest < OLDEST:
        raise VersionMismatch(
            f"The engine speaks API {facts.range}, this component needs {OLDEST} or newer",
            hint="Upgrade the engine to 1.13 or newer",
        )
    if pin is None:
        return newest, None
    speaks = f"The engine speaks API {facts.range}"
    if pin <= facts.maximum and (facts.minimum is None or pin >= facts.minimum):
        if OLDEST <= pin <= NEWEST:
            return pin, None
        speaks = f"This component speaks API {OLDEST}-{NEWEST}"
    if pin_yields:
        return newest, f"{speaks}, the server's URL asks for {pin}: {newest} is used"
    raise VersionMismatch(
        f"{speaks}, the credential pins {pin}",
        field="apiVersion",
        hint='Empty apiVersion ("API version") in the credential, or write another one',
    )
