"""Logins to image registries: the headers X-Registry-Auth (one login) and X-Registry-Config (one for each registry).

Their values are JSON in base64 with the URL-safe alphabet and padding. An engine ignores what it cannot decode: the
call goes on without a login, and the registry's refusal does not name the cause. So the logins are checked here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.request.registry_login import (
    HUB,
    HUB_SERVER,
    Login,
    decoded,
    has_login,
    host_of_server,
    read_login,
    server_of_host,
)
from lib.engine.text import encoded, parsed

_AUTH = "X_Registry_Auth"
_CONFIG = "X_Registry_Config"
_FORM = 'Write {"registry.example.org": {"username": "me", "password": "..."}}'


@dataclass(frozen=True)
class Registries:
    """Logins by registry host, from the credential."""

    logins: Mapping[str, Login] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, value: Any, *, name: str = "registries") -> Registries:
        """Read an object of host -> login, or a whole config.json of Docker, or the JSON text of either.

        Raises BadInput that names the wrong part.
        """
        if value is None or (isinstance(value, str) and not value.strip()):
            return cls()
        tree = parsed(value, name)
        stores: Mapping[str, Any] = {}
        if isinstance(tree, dict) and isinstance(tree.get("auths"), dict):
            name, stores, tree = f"{name}.auths", tree, tree["auths"]
        if not isinstance(tree, dict) or not all(isinstance(login, dict) for login in tree.values()):
            raise BadInput(f"{name} must be an object of registry hosts", field=name, hint=_FORM)
        found: dict[str, tuple[int, Login]] = {}
        for server, entry in tree.items():
            login = read_login(entry, f"{name}.{server}")
            if not has_login(login):
                raise _empty(f"{name}.{server}", stores)
            host, rank = host_of_server(server), _rank(server)
            if host not in found or rank < found[host][0]:
                found[host] = rank, {**login, "serveraddress": server_of_host(host)}
        return cls({host: login for host, (_, login) in found.items()})

    def login_for(self, reference: str) -> Login | None:
        """Return the login for the registry of an image or plugin reference, or None."""
        return self.logins.get(host_of_reference(reference))


@dataclass(frozen=True, slots=True)
class RegistryAuth:
    """Header X-Registry-Auth: the field X_Registry_Auth, else the credential's login for a reference.

    `reference` names the field (or a.path.in.it) that holds the image or plugin. `always` sends an empty login if
    there is none (ImagePush: engines up to 28.3 need the header).
    """

    reference: str
    always: bool = False

    def write(self, fields: Mapping[str, Any], registries: Registries) -> tuple[str, str] | None:
        """Return (name, value), or None for an anonymous call. Raises BadInput."""
        reference = _named(fields, self.reference)
        login = _given(fields.get(_AUTH), reference) or registries.login_for(reference)
        if login is None and not self.always:
            return None
        return "X-Registry-Auth", encode(login or {})


@dataclass(frozen=True, slots=True)
class RegistryConfig:
    """Header X-Registry-Config: logins by host for the base images of a build (ImageBuild)."""

    def write(self, fields: Mapping[str, Any], registries: Registries) -> tuple[str, str] | None:
        """Return (name, value), or None if there is no login. Raises BadInput."""
        chosen = self.chosen(fields, registries)
        logins = {server_of_host(host): login for host, login in chosen.logins.items()}
        return ("X-Registry-Config", encode(logins)) if logins else None

    @staticmethod
    def chosen(fields: Mapping[str, Any], registries: Registries) -> Registries:
        """Return the logins of the message, or those of the credential if it has none. Raises BadInput."""
        given = fields.get(_CONFIG)
        return Registries.parse(decoded(given, _CONFIG), name=_CONFIG) if given else registries


def encode(login: Mapping[str, Any]) -> str:
    """Return a login as the engine reads it: JSON in base64 with the URL-safe alphabet and padding."""
    return base64.urlsafe_b64encode(encoded(dict(login), "X_Registry_Auth")).decode()


def host_of_reference(reference: str) -> str:
    """Return the registry host of "host[:port]/path[:tag]"; Docker Hub if the reference names none."""
    first, slash, _ = reference.partition("/")
    named = slash and ("." in first or ":" in first or first == "localhost")
    return host_of_server(first) if named else HUB


def _given(value: Any, reference: str) -> Login | None:
    """Return the login of the message; None if it is empty."""
    login = read_login(decoded(value, _AUTH), _AUTH) if value else {}
    if login and not has_login(login):
        raise _empty(_AUTH, {})
    return {"serveraddress": server_of_host(host_of_reference(reference)), **login} if login else None


def _rank(server: str) -> int:
    """Return the rank of an entry; of several for one host the lowest counts: Docker's name, a plain host, others."""
    if server == HUB_SERVER:
        return 0
    return 1 if "/" not in server else 2


def _empty(name: str, stores: Mapping[str, Any]) -> BadInput:
    hint = "Give username and password, or identitytoken; or leave it out"
    if stores.get("credsStore") or stores.get("credHelpers"):
        hint = (
            "The login is in the credential store of the machine that the file comes from; write it out here"
        )
    return BadInput(f"{name} has no login", field=name, hint=hint)


def _named(fields: Mapping[str, Any], reference: str) -> str:
    first, *below = reference.split(".")
    value = fields.get(first)
    value = parsed(value, first) if below else value
    for key in below:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
