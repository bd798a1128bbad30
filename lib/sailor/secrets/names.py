"""Finds the secrets in a configuration or a text: values under names such as `password`, and users in addresses."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib import jsontext

_SECRET = re.compile(
    r"passw|passphrase|pwd|[_.-]pass$|^pass$|secret|token|api_?key|private_?key|(tls|ssh)_?key|credential"
    r"|authorization|registries|auth$|signature|^sig$",
    re.IGNORECASE,
)
_OPEN = re.compile(r"^(user_?name|user|email|e-mail|server_?address|server|host)$", re.IGNORECASE)
"""Keys beside a password whose values are no secret, and which people need to see in an error."""
_SCHEMES = ("Basic ", "Bearer ")


def names_a_secret(name: object) -> bool:
    """Return whether the value of a key, parameter or variable with this name is a secret."""
    return _SECRET.search(str(name)) is not None


def secrets_within(value: Any, *, secret: bool = False) -> Iterator[str]:
    """Yield the secrets in a configuration (a JSON value), at any depth; with `secret` all texts in it are secrets.

    Secrets are texts under a key that names a secret, what such a text holds (JSON, base64 of user:password),
    and passwords inside any text (see `secrets_in_text`).
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            hidden = names_a_secret(key) or (secret and not _OPEN.match(str(key)))
            yield from secrets_within(item, secret=hidden)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from secrets_within(item, secret=secret)
    elif isinstance(value, str) and secret:
        yield from parts_of_secret(value)
    elif isinstance(value, str):
        yield from secrets_in_text(value)


def parts_of_secret(text: str) -> Iterator[str]:
    """Yield a text that is a secret, and the secrets inside it: a token after its scheme, values of JSON or base64."""
    yield text
    stripped = text.strip()
    for scheme in _SCHEMES:
        if stripped.startswith(scheme):
            yield stripped.removeprefix(scheme).strip()
            stripped = stripped.removeprefix(scheme).strip()
    if stripped.startswith(("{", "[")):
        yield from _within_json(stripped.encode(errors="replace"))
    elif (unpacked := from_base64(stripped)) is not None:
        if unpacked.lstrip().startswith("{"):
            yield from _within_json(unpacked.encode())
        else:
            _, colon, password = unpacked.partition(":")
            yield password if colon and "\n" not in unpacked else unpacked


def secrets_in_text(text: str) -> Iterator[str]:
    """Yield the passwords in addresses (scheme://user:password@host), and the values of name=value for secret names.

    All that is between :// and the last @ of a word counts as user and password. So a password is found even if a
    slash in it makes the address invalid.
    """
    if "://" in text and "@" in text:
        for word in text.split():
            yield from _passwords_of(word)
    if "=" in text:
        for part in text.replace("&", " ").replace(",", " ").replace("?", " ").replace(";", " ").split():
            name, _, value = part.partition("=")
            if value and names_a_secret(name):
                yield value.strip("\"'")


def user_info(text: str) -> str:
    """Return what is between :// and the last @ of an address, "" when there is no user."""
    _, found, rest = text.partition("://")
    return rest.rpartition("@")[0] if found else ""


def without_secrets(value: Any) -> Any:
    """Return a copy of a configuration without keys that name a secret, and with addresses without users."""
    if isinstance(value, Mapping):
        return {key: without_secrets(item) for key, item in value.items() if not names_a_secret(key)}
    if isinstance(value, (list, tuple)):
        return [without_secrets(item) for item in value]
    if isinstance(value, str) and "://" in value:
        return " ".join(_without_user(word) for word in value.split(" "))
    return value


def _without_user(word: str) -> str:
    user = user_info(word)
    return word.replace(f"://{user}@", "://", 1) if user else word


def from_base64(text: str) -> str | None:
    """Return the decoded text of base64 (either alphabet, padded or not); None when it is no base64 of UTF-8."""
    bare = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True).decode()
    except ValueError:  # the base class of binascii.Error and UnicodeDecodeError
        return None


def _passwords_of(word: str) -> Iterator[str]:
    user = user_info(word)
    password = user.partition(":")[2]
    if not password:
        yield from (user,) if len(user) >= _LONG_USER else ()
        return
    from urllib.parse import unquote

    yield from {password, unquote(password), user, unquote(user)}
    for sign in "/?#@":  # parsers of addresses split there, and their errors may quote the part before
        yield password.partition(sign)[0]


_LONG_USER = 16
"""Characters; a user without a password that has so many is taken as a token (https://ghp_...@github.com)."""


def _within_json(text: bytes) -> Iterator[str]:
    try:
        value = jsontext.decode(text)
    except (ValueError, RecursionError):
        return
    yield from secrets_within(value, secret=True)
