"""Logins to image registries: X-Registry-Auth and X-Registry-Config (shapes.json, general, auth)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib import jsontext
from lib.engine.errors import BadInput
from lib.engine.query import parsed

HUB = "docker.io"
_HUB_NAMES = ("", "index." + HUB, "registry-1." + HUB, "hub." + HUB)
_LOGIN_KEYS = {"username", "password", "serveraddress", "identitytoken", "registrytoken", "email", "auth"}
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]+")


@dataclass(frozen=True)
class Registries:
    """Logins by registry host, as the credential holds them."""

    logins: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, value: Any, *, name: str = "registries") -> Registries:
        """Read an object of host -> login, or its JSON text; raises BadInput naming what is wrong."""
        if value in (None, ""):
            return cls()
        tree = parsed(value, name)
        if not isinstance(tree, dict) or not all(isinstance(login, dict) for login in tree.values()):
            raise BadInput(
                f"{name} must be an object of registry hosts",
                field=name,
                hint='Write {"registry.example.org": {"username": "me", "password": "..."}}',
            )
        return cls({host_of_server(host): _login(login, f"{name}.{host}") for host, login in tree.items()})

    def login_for(self, reference: str) -> Mapping[str, str] | None:
        """Return the login for the registry that an image or plugin reference names."""
        host = host_of_reference(reference)
        login = self.logins.get(host)
        return {"serveraddress": host, **login} if login and "serveraddress" not in login else login


@dataclass(frozen=True, slots=True)
class RegistryAuth:
    """Header X-Registry-Auth: the field X_Registry_Auth, else the credential's login for a reference.

    `reference` names the field (or a.path.in.it) that holds the image or plugin; `always` sends an empty
    login where there is none (ImagePush: engines up to 28.3 want the header).
    """

    reference: str
    always: bool = False

    def write(self, fields: Mapping[str, Any], registries: Registries) -> tuple[str, str] | None:
        """Return the header, or None for an anonymous call."""
        given = fields.get("X_Registry_Auth")
        login = _given(given) if given else registries.login_for(_named(fields, self.reference))
        if login is None and not self.always:
            return None
        return "X-Registry-Auth", login if isinstance(login, str) else encode(login or {})


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """Header X-Registry-Config: logins by host for the base images of a build (ImageBuild)."""

    def write(self, fields: Mapping[str, Any], registries: Registries) -> tuple[str, str] | None:
        """Return the header, or None where nobody gave a login."""
        given = fields.get("X_Registry_Config")
        if isinstance(given, str) and not given.lstrip().startswith("{"):
            return "X-Registry-Config", _rebased(given, "X_Registry_Config")
        logins = Registries.parse(given, name="X_Registry_Config").logins if given else registries.logins
        return ("X-Registry-Config", encode(logins)) if logins else None


def encode(login: Mapping[str, Any]) -> str:
    """Write a login as the engine reads it: JSON in base64 with the URL-safe alphabet and padding."""
    return base64.urlsafe_b64encode(jsontext.encode(dict(login))).decode()


def host_of_reference(reference: str) -> str:
    """Return the registry host of "host[:port]/path[:tag]"; Docker Hub where the reference names none."""
    first, slash, _ = reference.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return host_of_server(first) if named else HUB


def host_of_server(server: str) -> str:
    """Return the host of a server address, which may be written as a URL (config.json does)."""
    host = re.sub(r"^https?://", "", server.strip()).partition("/")[0].lower()
    return HUB if host in _HUB_NAMES else host


def _login(login: Mapping[str, Any], name: str) -> dict[str, str]:
    unknown = set(login) - _LOGIN_KEYS
    if unknown:
        raise BadInput(f"{name} has the unknown key {min(unknown)!r}", field=name)
    if "auth" in login:  # config.json keeps user and password in one
        user, _, password = base64.b64decode(str(login["auth"])).decode("utf-8", "replace").partition(":")
        return {"username": user, "password": password}
    return {key: str(value) for key, value in login.items()}


def _named(fields: Mapping[str, Any], reference: str) -> str:
    first, *below = reference.split(".")
    value = fields.get(first)
    value = parsed(value, first) if below else value
    for key in below:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _given(value: Any) -> str | dict[str, str]:
    if isinstance(value, str) and not value.lstrip().startswith("{"):
        return _rebased(value, "X_Registry_Auth")
    tree = parsed(value, "X_Registry_Auth")
    if not isinstance(tree, dict):
        raise BadInput(
            "X_Registry_Auth must be an object with username and password", field="X_Registry_Auth"
        )
    return _login(tree, "X_Registry_Auth")


def _rebased(text: str, name: str) -> str:
    # Engines take standard or unpadded base64 for no login at all, without a word.
    if not _BASE64.fullmatch(text):
        raise BadInput(f"{name} is neither an object nor base64", field=name)
    bare = "".join(text.split()).rstrip("=").replace("+", "-").replace("/", "_")
    return bare + "=" * (-len(bare) % 4)
