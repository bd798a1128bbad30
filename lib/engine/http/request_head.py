"""The head of a request: one builder for plain calls, upgrades and websockets."""

from __future__ import annotations

from collections.abc import Iterable

from lib.engine.endpoint import Endpoint
from lib.engine.errors import BadInput


def host_of(endpoint: Endpoint) -> str:
    """Return the value of the Host header: name and port, an IPv6 address in brackets.

    Nobody checks it on a unix socket, but HTTP/1.1 wants one.
    """
    name = (endpoint.host or "docker").partition("%")[0]  # the zone of an address means nothing elsewhere
    if ":" in name:
        name = f"[{name}]"
    return f"{name}:{endpoint.port}" if endpoint.port else name


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of a request, up to and with its blank line.

    `target` is path and query. A value that would begin another header is a BadInput that names the header.
    """
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers]]
    text = "\r\n".join(lines)
    ends = len(lines) - 1
    if text.count("\n") != ends or text.count("\r") != ends or "\0" in text:
        raise _broken([("target", target), *headers])
    try:
        return f"{text}\r\n\r\n".encode()
    except UnicodeEncodeError:
        raise _broken([("target", target), *headers]) from None


def _broken(headers: list[tuple[str, str]]) -> BadInput:
    for name, value in headers:
        text = name + value
        if any(character in text for character in "\r\n\0"):
            return BadInput(f"The header {name!r} must not hold line breaks", field=name)
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            return BadInput(f"The header {name!r} holds half a character (a lone surrogate)", field=name)
    return BadInput("A header must not hold line breaks")
