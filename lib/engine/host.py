"""Checks host names and IP addresses before the resolver or TLS uses them."""

from __future__ import annotations

import ipaddress
import re

from lib.engine.errors import BadInput
from lib.engine.text import plain, shown

_LONGEST, _LONGEST_LABEL = 253, 63
_LABEL = re.compile(r"[A-Za-z0-9_-]+")


def host_name(text: str, field: str) -> str:
    """Return `text` if it is a host name or IP address (IPv6 without brackets). Raises BadInput that names `field`."""
    plain(text, field, line=True)
    if ":" in text:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            raise _refused(text, field, "is no IPv6 address") from None
        return text
    if len(text) > _LONGEST + 1:  # before it is split; one more for a dot at its end
        raise _refused(text, field, f"is longer than {_LONGEST} characters")
    labels = ascii_name(text, field).removesuffix(".").split(".")
    if "" in labels:
        raise _refused(text, field, "has an empty part between its dots")
    if len(".".join(labels)) > _LONGEST or max(map(len, labels)) > _LONGEST_LABEL:
        raise _refused(text, field, f"is too long: {_LONGEST_LABEL} characters a part, {_LONGEST} in all")
    if not all(map(_LABEL.fullmatch, labels)):
        raise _refused(text, field, "holds characters that no host name has")
    return text


def ascii_name(text: str, field: str = "server") -> str:
    """Return a name in ASCII, as DNS needs it; raises BadInput. The IDNA codec is loaded for other letters only."""
    if text.isascii():
        return text
    try:
        return text.encode("idna").decode()
    except UnicodeError as fault:
        raise _refused(text, field, f"is no host name ({str(fault)[:80]})") from None


def _refused(text: str, field: str, why: str) -> BadInput:
    return BadInput(f"{field}: the host {shown(text)} {why}", field=field, hint="Check the name of the host")
