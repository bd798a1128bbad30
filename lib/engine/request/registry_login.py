"""One login to an image registry: read from each form that people have it in, returned as the engine needs it.

The rules are those of Docker's own client. `auth` (base64 of user:password) wins over `username` and `password`.
Neither replaces `identitytoken` or `registrytoken`. A login always names its server, since engines with the containerd
image store send it to no other one.
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
# The name of Docker Hub in logins; engines find no other spelling.
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
    """Return the host of a server address, which may be a URL (as in config.json)."""
    host = _SCHEME.sub("", server.strip(), count=1).partition("/")[0].lower()
    return HUB if host in _HUB_NAMES else host


def server_of_host(host: str) -> str:
    """Return the name that a login has for the server of `host`."""
    return HUB_SERVER if host == HUB else host


def read_login(login: Mapping[str, Any], name: str) -> Login:
    """Return the login in an object with the keys of Docker's config.json, without empty keys.

    `name` is the field, for errors. Raises BadInput for an unknown key, and for an `auth` that cannot be read.
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
    """Whether a login has anything by which a registry could know a user."""
    return any(login.get(key) for key in _SECRETS)


def decoded(value: Any, name: str) -> dict[str, Any]:
    """Return the object that a field holds directly, as JSON text, or as base64 of that text. Raises BadInput."""
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
    if isinstance(value, int) and not isinstance(value, bool):  # digits that a mapper made a number
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
    """Decode base64 with either alphabet, with padding or without, over any number of lines."""
    bare = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput(
            f"{name} cannot be read as base64", field=name, hint=hint or f"Write {_FORM}, or base64 of it"
        ) from None
