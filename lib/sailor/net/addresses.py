"""Addresses of HTTP: how errors show them, what user they name, and ids as a part of their path."""

from __future__ import annotations

import binascii
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from lib.sailor.errors import RequestError

LONGEST_SHOWN = 300
_SEGMENT = re.compile(r"[A-Za-z0-9_.~:@!$'()*+,;=%-]{1,1024}")


def segment(name: object) -> str:
    """Return an id as one segment of a path, as it is; RequestError for one that could lead to another place.

    The platform inserts its ids without encoding, so what would need one is no id of the platform.
    """
    text = plain = str(name)
    while _SEGMENT.fullmatch(plain) and plain.strip("."):
        if (decoded := unquote(plain)) == plain:
            return text
        plain = decoded
    raise RequestError(f"{text[:LONGEST_SHOWN]!r} cannot be an id: it is no part of a path", final=True)


def shown(url: str) -> str:
    """Return a URL as errors show it: without user and query, which may hold secrets.

    Of an address that a password with a slash or the like has broken, nothing is shown.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - what stands there may be the begin of a password
    except ValueError:
        return "the address"
    after = f"{parts.path}?{parts.query}#{parts.fragment}"
    if "@" in after and ":" in parts.netloc and "@" not in parts.netloc:
        return "the address"
    text = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def redirected(location: str | None) -> str:
    """Return what an error says of a redirect, which is never followed with somebody's token in hand."""
    return (
        f", a redirect to {shown(location or 'nowhere')}; it is not followed, the address has to be changed"
    )


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header."""
    return "Basic " + binascii.b2a_base64(f"{user}:{password}".encode(), newline=False).decode()


def without_user(url: str) -> tuple[str, str | None]:
    """Return a URL without the user in it, and the Authorization that the user stands for."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=host)), basic(unquote(name), unquote(password))
