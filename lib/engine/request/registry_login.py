"""One login to an image registry, in each form that people have it, as the engine takes it.

The rules are those of Docker's own client: `auth` (base64 of user:password) goes before `username` and
`password`, and neither of them replaces `identitytoken` or `registrytoken`; a login always says for which
server it is, since engines with the containerd image store send it to no other one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput
from lib.engine.text import parsed

HUB = "docker.io"
# What engines call Docker Hub in logins; they find no other spelling.
HUB_SERVER = "https://index.docker.io/v1/"
_HUB_NAMES = {
    "",
    HUB,
    f"index.{HUB}",
    f"registry-1.{HUB}",
    f"www.{HUB}",
    "hub.docker.com",
    "registry.hub.docker.com",
}
_KEYS = {"username", "password", "serveraddress", "identitytoken", "registrytoken", "email", "auth"}
_SECRETS = ("username", "identitytoken", "registrytoken")
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_FORM = '{"username": "me", "password": "..."}'

Login = dict[str, str]


def host_of_server(server: str) -> str:
    """Return the host of a server address, which may be written as a URL (config.json does)."""
    host = _SCHEME.sub("", server.strip(), count=1).partition("/")[0].lower()
    return HUB if host in _HUB_NAMES else host


def server_of_host(host: str) -> str:
    """Return how a login names its server."""
    return HUB_SERVER if host == HUB else host


def read_login(login: Mapping[str, Any], name: str) -> Login:
    """Return the login of an object with the keys of Docker's config.json, without those that are empty.

    `name` is the field, for errors. Raises BadInput for an unknown key and for an `auth` that cannot be read.
    """
    unknown = set(login) - _KEYS
    if unknown:
        raise BadInput(f"{name} has the unknown key {min(unknown)!r}", field=name, hint=f"Write {_FORM}")
    read = {}
    for key, value in login.items():
        if value not in (None, ""):
            read[key] = _text(value, f"{name}.{key}")
    if "auth" in read:
        user, password = _user_and_password(read.pop("auth"), f"{name}.auth")
        read = {**read, "username": user, "password": password}
        if not password:
            del read["password"]
    if "serveraddress" in read:
        host = host_of_server(read["serveraddress"])
        read["serveraddress"] = HUB_SERVER if host == HUB else read["serveraddress"].strip()
    return read


def has_login(login: Mapping[str, str]) -> bool:
    """Whether there is anything that a registry could know a user by."""
    return any(login.get(key) for key in _SECRETS)


def decoded(value: Any, name: str) -> dict[str, Any]:
    """Return the object that a field holds as itself, as JSON text, or as either base64 of it."""
    if isinstance(value, str) and not value.lstrip().startswith("{"):
        value = _decoded(value, name).decode("utf-8", "replace")
        if not value.lstrip().startswith("{"):
            raise BadInput(
                f"{name} is base64 of something else than an object", field=name, hint=f"Write {_FORM}"
            )
    tree = parsed(value, name)
    if not isinstance(tree, dict):
        raise BadInput(f"{name} must be an object", field=name, hint=f"Write {_FORM}")
    return tree


def _text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(
        value, bool
    ):  # a password of digits that a mapper made a number
        return str(value)
    raise BadInput(f"{name} must be a text", field=name)


def _user_and_password(auth: str, name: str) -> tuple[str, str]:
    form = "It is base64 of user:password, as docker login writes it; or give username and password"
    try:
        text = _decoded(auth, name, hint=form).decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{name} is not the base64 of a text", field=name, hint=form) from None
    user, colon, password = text.partition(":")
    if not colon or not user:
        raise BadInput(f"{name} is not the base64 of user:password", field=name, hint=form)
    return user, password.strip("\0")


def _decoded(text: str, name: str, *, hint: str | None = None) -> bytes:
    """Decode either alphabet, with padding or without, over any number of lines."""
    bare = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput(
            f"{name} cannot be read as base64", field=name, hint=hint or f"Write {_FORM}, or base64 of it"
        ) from None
