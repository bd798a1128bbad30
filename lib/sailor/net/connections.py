"""Opens connections for http.client: to the address that was checked, with a time limit on every wait.

http.client would resolve the name a second time, and could then reach an address that nobody has checked. So the
name is resolved here once, the addresses are checked, and the socket connects to one of them.
"""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import quote, urlsplit, urlunsplit

from lib.resolving import Place
from lib.sailor.errors import RequestError
from lib.sailor.net.addresses import shown
from lib.sailor.net.destinations import Destinations, resolved
from lib.sailor.net.limited_socket import LimitedSocket

CONNECT_SECONDS = 10.0
# Characters that stay as they are in path and query; all others are percent-encoded, as browsers do it.
_TARGET = "%/:=&?~#+!$,;'@()*[]"


def connection_to(
    url: str, idle: float, deadline: float, destinations: Destinations | None
) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection that is not open yet, and the target of its request (path and query).

    `idle` is the limit in seconds without a byte, `deadline` a time of time.monotonic(). Raises RequestError when
    `url` is no http address; what `destinations` refuses is raised when the connection is opened.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        ascii_host = host if host.isascii() else host.encode("idna").decode()
    except ValueError as error:
        raise RequestError(f"{shown(url)} is no http address", final=True) from error
    if parts.scheme not in ("http", "https") or not ascii_host:
        raise RequestError(f"{shown(url)} is no http address", final=True)
    make = _Https if parts.scheme == "https" else _Http

    def opened(host: str, port: int, *, secure: bool) -> LimitedSocket:
        left = deadline - time.monotonic()
        places = destinations.places(host, port, left) if destinations else resolved(host, port, left)
        return LimitedSocket(_secured(_connected(places, deadline), host, secure=secure), idle, deadline)

    target = quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe=_TARGET)
    # Without a port, http.client would read the end of an IPv6 address as the port.
    return make(ascii_host, make.default_port if port is None else port, opened), target


class _Http(http.client.HTTPConnection):
    """A connection of http.client whose socket is opened by the callable `opened`."""

    secure = False

    def __init__(self, host: str, port: int, opened: Callable[..., LimitedSocket]) -> None:
        super().__init__(host, port)
        self._opened = opened

    def connect(self) -> None:
        self.sock = cast("socket.socket", self._opened(self.host, self.port, secure=self.secure))


class _Https(_Http):
    default_port = http.client.HTTPS_PORT
    secure = True


def _connected(places: list[Place], deadline: float) -> socket.socket:
    """Return a socket connected to the first place that accepts; OSError of the last one when none does."""
    fault: OSError = OSError("the host has no address")
    for family, where in places:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(_patience(deadline))
        try:
            sock.connect(where)
        except OSError as error:
            sock.close()
            fault = error
        else:
            sock.settimeout(_patience(deadline))  # for the handshake of TLS
            return sock
    raise fault


def _patience(deadline: float) -> float:
    return max(min(CONNECT_SECONDS, deadline - time.monotonic()), 0.001)


def _secured(sock: socket.socket, host: str, *, secure: bool) -> socket.socket:
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _trust().wrap_socket(sock, server_hostname=host) if secure else sock
    except BaseException:
        sock.close()
        raise


@functools.cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
