"""What counts as a secret in a configuration or a text: the one list of names, and the user in an address."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib import jsontext

_SECRET = re.compile(
    r"passw|passphrase|pwd|[_.-]pass$|^pass$|secret|token|api_?key|private_?key|tlskey|credential"
    r"|authorization|registries|auth$|signature|^sig$",
    re.IGNORECASE,
)
_OPEN = re.compile(r"^(user_?name|user|email|e-mail|server_?address|server|host)$", re.IGNORECASE)
"""Keys beside a password that are no secret themselves, and that people need in an error."""
_SCHEMES = ("Basic ", "Bearer ")


def names_a_secret(name: object) -> bool:
    """Tell whether the value under this key, parameter or variable has to stay hidden."""
    return _SECRET.search(str(name)) is not None


def secrets_within(value: Any, *, secret: bool = False) -> Iterator[str]:
    """Yield the secrets of a configuration, at any depth.

    These are texts under a key that names a secret, what such a text holds (JSON, base64 of user:password),
    and passwords inside of any text (see `secrets_in_text`).
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
    """Yield a text that is a secret, and the secrets that are packed in it."""
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
    """Yield the passwords of addresses (scheme://user:password@host) and the values of name=value that name a secret.

    Whatever stands between :// and the last @ of a word counts as user and password: an address whose
    password holds a slash is no address any more, but the password is one.
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
    """Return what stands between :// and the last @ of an address, "" where nothing does."""
    _, found, rest = text.partition("://")
    return rest.rpartition("@")[0] if found else ""


def without_secrets(value: Any) -> Any:
    """Return a configuration without the keys that name a secret, and its addresses without users."""
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
    """Return the text that base64 of either alphabet, padded or not, stands for; None where it stands for none."""
    bare = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True).decode()
    except ValueError:  # binascii.Error and UnicodeDecodeError are ones
        return None


def _passwords_of(word: str) -> Iterator[str]:
    user = user_info(word)
    password = user.partition(":")[2]
    if not password:
        yield from (user,) if len(user) >= _LONG_USER else ()
        return
    from urllib.parse import unquote

    yield from {password, unquote(password), user, unquote(user)}
    for sign in "/?#@":  # readers of addresses end the host there, and may quote the part before
        yield password.partition(sign)[0]


_LONG_USER = 16
"""A user without a password that is as long as this is a token (https://ghp_...@github.com)."""


def _within_json(text: bytes) -> Iterator[str]:
    try:
        value = jsontext.decode(text)
    except (ValueError, RecursionError):
        return
    yield from secrets_within(value, secret=True)
