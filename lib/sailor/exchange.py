"""One HTTP request to a service beside the step, on a connection of its own, bounded in bytes and time."""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

from lib.sailor.addresses import redirected, shown
from lib.sailor.destinations import Destinations, Place, resolved
from lib.sailor.errors import RequestError
from lib.sailor.limited_socket import LimitedSocket

AGENT = "python-sailor"
CONNECT_SECONDS = 10.0
PIECE = 65_536
OK = range(200, 300)
REDIRECTS = (301, 302, 303, 307, 308)
# What a target may hold as it is; the rest is encoded as browsers do it.
_TARGET = "%/:=&?~#+!$,;'@()*[]"


class Exchange:
    """A request sent and the head of its answer read; the caller reads the rest, and closes it.

    `idle` are the seconds without a byte, `total` those for everything; a body that is no bytes is not counted in,
    it takes as long as its source. With `destinations` the address is one that a message has named.
    """

    def __init__(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        *,
        idle: float = 15.0,
        total: float = 60.0,
        destinations: Destinations | None = None,
    ) -> None:
        self._what = f"{method} {shown(url)}"
        self._idle, self._destinations = idle, destinations
        streamed = body is not None and not isinstance(body, bytes)
        self._deadline = time.monotonic() + total
        connection, target = self._connection(url)
        chunked = streamed and "Content-Length" not in headers
        table = {"User-Agent": AGENT, **headers, **({"Transfer-Encoding": "chunked"} if chunked else {})}
        try:
            connection.connect()
            wire = cast("LimitedSocket", connection.sock)
            wire.deadline = None if streamed else self._deadline
            source = _marked(body) if streamed else body
            unsent = _sent(connection, method, target, source, table, chunked=chunked)
            wire.deadline = time.monotonic() + total if streamed else self._deadline
            self.response = _answered(connection, unsent)
        except _SourceFailedError as failed:
            connection.close()
            raise cast("Exception", failed.__cause__) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            final = isinstance(error, (ValueError, http.client.InvalidURL))
            raise RequestError(
                f"{self._what} failed: {error or type(error).__name__}", final=final
            ) from error
        except BaseException:
            connection.close()
            raise
        self._close = connection.close

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> dict[str, str]:
        """The answer's headers, names in lower case."""
        return {name.lower(): value for name, value in self.response.getheaders()}

    @property
    def length(self) -> int | None:
        """How many bytes are announced and not read yet; None when nobody knows."""
        return self.response.length

    def refusal(self) -> RequestError | None:
        """Return what is wrong with the status: only 2xx are answers, and no redirect is followed."""
        if self.status in OK:
            return None
        text = f"{self._what} was answered with {self.status}"
        if self.status in REDIRECTS:
            text += redirected(self.response.getheader("Location"))
        return RequestError(text, self.status)

    def pieces(self, limit: int) -> Iterator[bytes]:
        """Yield the content as it comes; RequestError when it is cut off, too slow, or longer than `limit` bytes."""
        came = 0
        if (self.length or 0) > limit:
            raise RequestError(
                f"{self._what} gives {self.length} bytes, more than the limit of {limit}", final=True
            )
        try:
            while piece := self.response.read1(PIECE):
                came += len(piece)
                if came > limit:
                    raise RequestError(f"{self._what} gives more than the limit of {limit} bytes", final=True)
                yield piece
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise RequestError(f"{self._what} was cut off: {error or type(error).__name__}") from error
        if missing := self.length:
            raise RequestError(f"{self._what} was cut off after {came} of {came + missing} bytes")

    def whole(self, limit: int) -> bytes:
        """Return the whole content; RequestError as `pieces`."""
        return b"".join(self.pieces(limit))

    def close(self) -> None:
        self.response.close()
        self._close()

    def _connection(self, url: str) -> tuple[http.client.HTTPConnection, str]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
            ascii_host = host if host.isascii() else host.encode("idna").decode()
        except ValueError as error:
            raise RequestError(f"{shown(url)} is no http address", final=True) from error
        if parts.scheme not in ("http", "https") or not ascii_host:
            raise RequestError(f"{shown(url)} is no http address", final=True)
        make = _Https if parts.scheme == "https" else _Http
        target = quote(urlunsplit(("", "", parts.path or "/", parts.query, "")), safe=_TARGET)
        # http.client would take the end of an IPv6 address for the port.
        return make(ascii_host, make.default_port if port is None else port, self._open), target

    def _open(self, host: str, port: int, *, secure: bool) -> LimitedSocket:
        places = self._destinations.places(host, port) if self._destinations else resolved(host, port)
        sock = _connected(places, self._deadline)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure:
                sock = _trust().wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
        return LimitedSocket(sock, self._idle, self._deadline)


class _Http(http.client.HTTPConnection):
    """http.client's connection on a socket that was opened by somebody else."""

    secure = False

    def __init__(self, host: str, port: int, opened: Callable[..., LimitedSocket]) -> None:
        super().__init__(host, port)
        self._opened = opened

    def connect(self) -> None:
        self.sock = cast("socket.socket", self._opened(self.host, self.port, secure=self.secure))


class _Https(_Http):
    default_port = http.client.HTTPS_PORT
    secure = True


class _SourceFailedError(Exception):
    """The source of a body failed, not the connection; its error is the cause."""


def _sent(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | Iterable[bytes] | None,
    headers: Mapping[str, str],
    *,
    chunked: bool,
) -> OSError | None:
    """Send a request; return what ended that early: a server that refuses a body says so and closes."""
    try:
        connection.request(method, target, body, headers, encode_chunked=chunked)
    except (BrokenPipeError, ConnectionResetError) as fault:
        return fault
    return None


def _answered(connection: http.client.HTTPConnection, unsent: OSError | None) -> http.client.HTTPResponse:
    response = connection.getresponse()
    if unsent is not None and response.status in OK:  # it cannot have stored what it has not read
        response.close()
        raise unsent
    return response


def _marked(chunks: Any) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:
        raise _SourceFailedError from error


def _connected(places: list[Place], deadline: float) -> socket.socket:
    """Return a socket connected to the first of the places that answers: to the address itself, as it was checked."""
    fault: OSError = OSError("the host has no address")
    for family, where in places:
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(max(min(CONNECT_SECONDS, deadline - time.monotonic()), 0.001))
        try:
            sock.connect(where)
        except OSError as error:
            sock.close()
            fault = error
        else:
            return sock
    raise fault


@functools.cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()
