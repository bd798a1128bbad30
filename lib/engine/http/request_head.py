"""Builds the head of a request, for plain calls, upgrades and websockets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lib.engine.endpoint import Endpoint
from lib.engine.errors import BadInput
from lib.engine.host import ascii_name


def host_of(endpoint: Endpoint) -> str:
    """Return the value of the Host header: name and port, an IPv6 address in brackets.

    HTTP/1.1 needs it on a unix socket, too, here and behind SSH, though no engine checks it there.
    """
    if endpoint.socket_path:
        return "docker"
    name = endpoint.host.partition("%")[0]  # a zone is known on this machine only
    if ":" in name:
        name = f"[{name}]"
    return f"{name}:{endpoint.port}" if endpoint.port else name


def ascii_host_of(endpoint: Endpoint) -> str:
    """Return the same with the letters that the name has for DNS, for a proxy that looks it up."""
    return host_of(replace(endpoint, host=ascii_name(endpoint.host)))


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """Return the head of a request, with its blank line.

    `target` is path and query. Raises BadInput that names the header if its value would begin another one or is not
    Unicode.
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
