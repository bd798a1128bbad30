"""URLs: how errors show them, the user and password in them, and ids as segments of a path."""

from __future__ import annotations

import binascii
import re
from urllib.parse import unquote, urlsplit, urlunsplit

from lib.sailor.errors import RequestError

LONGEST_SHOWN = 300
_SEGMENT = re.compile(r"[A-Za-z0-9_.~:@!$'()*+,;=%-]{1,1024}")


def segment(name: object) -> str:
    """Return an id unchanged, for use as one segment of a path; RequestError when it could lead to another path.

    The platform inserts ids without encoding (protocol 2.2), so an id that needs encoding is not the platform's.
    """
    text = plain = str(name)
    while _SEGMENT.fullmatch(plain) and plain.strip("."):
        if (decoded := unquote(plain)) == plain:
            return text
        plain = decoded
    raise RequestError(f"{text[:LONGEST_SHOWN]!r} cannot be an id: it is no part of a path", final=True)


def shown(url: str) -> str:
    """Return a URL as errors show it: without user, password, query and fragment, 300 characters at most.

    Nothing of a URL is shown that an unencoded character of a password, such as a slash, has made unreadable.
    """
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises ValueError when the port is the start of a password
    except ValueError:
        return "the address"
    after = f"{parts.path}?{parts.query}#{parts.fragment}"
    if "@" in after and ":" in parts.netloc and "@" not in parts.netloc:
        return "the address"
    text = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def redirected(location: str | None) -> str:
    """Return the part of an error's text that names a redirect; calls with a token follow none."""
    return (
        f", a redirect to {shown(location or 'nowhere')}; it is not followed, the address has to be changed"
    )


def basic(user: str, password: str) -> str:
    """Return the value of the header Authorization for Basic auth."""
    return "Basic " + binascii.b2a_base64(f"{user}:{password}".encode(), newline=False).decode()


def without_user(url: str) -> tuple[str, str | None]:
    """Return a URL without user and password, and the header value of Basic auth made of them, or None."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=host)), basic(unquote(name), unquote(password))
