"""The wire: a requests adapter over http.client and one pool of connections to one engine.

requests' own adapter spends most of a call on pools, proxies and cookies that an engine does not have; this
one keeps the API (PreparedRequest in, Response out) at a third of the CPU. It never follows redirects,
reads no proxy settings and asks for no compression (the engine would gzip archives).
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from lib.engine.endpoint import Endpoint
from lib.engine.errors import TlsRefused, Unreachable
from lib.engine.timeouts import Timeout

CHUNK = 65536


class Lost(Exception):
    """The connection failed after the request, or a part of it, was sent."""


class TooSlow(Lost):
    """A time limit passed after the request was sent."""


def dial(endpoint: Endpoint, timeout: float, context: ssl.SSLContext | None) -> socket.socket:
    """Open a connection to the engine, with TLS where the endpoint has it; raises Unreachable."""
    try:
        if endpoint.scheme == "unix":
            return _dial_unix(endpoint.socket_path, timeout)
        plain = socket.create_connection((endpoint.host, endpoint.port), timeout)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as fault:
        raise Unreachable(
            f"No engine answers at {endpoint} ({_reason(fault)})", hint=_unreachable_hint(endpoint, fault)
        ) from fault
    return _secure(plain, endpoint, context) if context else plain


def _dial_unix(path: str, timeout: float) -> socket.socket:
    plain = socket.socket(socket.AF_UNIX)
    try:
        plain.settimeout(timeout)
        plain.connect(path)
    except BaseException:
        plain.close()
        raise
    return plain


def _secure(plain: socket.socket, endpoint: Endpoint, context: ssl.SSLContext) -> socket.socket:
    name = (endpoint.tls and endpoint.tls.server_name) or endpoint.host
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except ssl.SSLCertVerificationError as fault:
        plain.close()
        raise TlsRefused(
            f"The certificate of {endpoint} is not trusted: {fault.verify_message}",
            hint="Check tlsCa, and tlsServerName if the certificate is made out to another name",
        ) from fault
    except OSError as fault:
        plain.close()
        raise TlsRefused(
            f"No TLS connection to {endpoint} ({_reason(fault)})",
            hint="Check that this port speaks TLS, and tlsCertificate and tlsKey",
        ) from fault


def _reason(fault: OSError) -> str:
    if isinstance(fault, TimeoutError):
        return "no answer in time"
    return fault.strerror or str(fault)


def _unreachable_hint(endpoint: Endpoint, fault: OSError) -> str:
    if isinstance(fault, PermissionError):
        return "The user of this process may not use the socket"
    if endpoint.scheme == "unix":
        return "Check that the engine runs and that its socket is mounted into this container"
    return "Check host, port and firewall, and that the engine listens there"


class Connection(HTTPConnection):
    """An http.client connection whose socket comes from `dial`."""

    def __init__(self, endpoint: Endpoint, connect_timeout: float, context: ssl.SSLContext | None) -> None:
        # Nobody checks the Host header of a unix socket, but HTTP/1.1 wants one.
        super().__init__(endpoint.host or "docker", endpoint.port or 80)
        self._endpoint, self._connect_timeout, self._context = endpoint, connect_timeout, context

    def connect(self) -> None:
        self.sock = self.wire = dial(self._endpoint, self._connect_timeout, self._context)

    def usable(self) -> bool:
        """Whether a kept connection is still open: nothing to read means neither an end nor leftovers."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)


class Body:
    """The body of one answer, in the form that requests reads; gives its connection back at the end."""

    def __init__(
        self, answer: HTTPResponse, connection: Connection, pool: deque[Connection], timeout: Timeout
    ) -> None:
        self._answer, self._connection, self._pool = answer, connection, pool
        self._deadline = None if timeout.total is None else time.monotonic() + timeout.total
        self._idle = timeout.idle
        # http.client lets go of the socket where the engine will close it; the answer still reads from it.
        self._socket = connection.wire
        self._socket.settimeout(self._patience())
        self._held = True

    def set_timeout(self, seconds: float | None) -> None:
        """Limit the wait for the next piece."""
        self._socket.settimeout(seconds)

    def _patience(self) -> float | None:
        if self._deadline is None:
            return self._idle
        left = max(self._deadline - time.monotonic(), 0.001)
        return left if self._idle is None else min(self._idle, left)

    def stream(self, amount: int = CHUNK, decode_content: bool = True) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the body in pieces as they come; raises Lost where it ends too early."""
        answer = self._answer
        try:
            if answer.length is not None and answer.length <= CHUNK:
                data = answer.read()
                if data:
                    yield data
            else:
                yield from self._pieces(answer)
        except TimeoutError as fault:
            self.close()
            raise TooSlow("the engine stopped sending") from fault
        except (HTTPException, OSError, ValueError) as fault:
            self.close()
            raise Lost(_lost(fault)) from fault
        self.release_conn()

    def _pieces(self, answer: HTTPResponse) -> Iterator[bytes]:
        while piece := answer.read1(CHUNK):
            yield piece
            if self._deadline is not None and time.monotonic() > self._deadline:
                raise TimeoutError
        if answer.length:
            raise HTTPException(f"{answer.length} bytes are missing")
        answer.close()

    def read(self, amount: int | None = None, decode_content: bool = True) -> bytes:  # noqa: ARG002
        """Read up to `amount` bytes, or all."""
        return self._answer.read(amount)

    def release_conn(self) -> None:
        """Keep the connection for the next request if the engine does."""
        if self._held and not self._answer.will_close and self._answer.isclosed():
            self._held = False
            self._pool.append(self._connection)
        self.close()

    def close(self) -> None:
        """End the connection; the engine cancels a build, pull, push or prune on this (shapes.json)."""
        if self._held:
            self._held = False
            self._answer.close()
            self._connection.close()


def _lost(fault: Exception) -> str:
    if isinstance(fault, HTTPException):
        return f"the answer was cut: {fault or type(fault).__name__}"
    return f"the connection was lost: {fault}"


class EngineAdapter(BaseAdapter):
    """Sends prepared requests to one engine; keeps idle connections, most recently used first."""

    def __init__(self, endpoint: Endpoint, connect_timeout: float) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.connect_timeout = connect_timeout
        self.context = endpoint.tls.context() if endpoint.tls else None
        self._pool: deque[Connection] = deque()

    def _connection(self) -> Connection:
        while self._pool:
            connection = self._pool.pop()
            if connection.sock is not None and connection.usable():
                return connection
            connection.close()
        connection = Connection(self.endpoint, self.connect_timeout, self.context)
        connection.connect()
        return connection

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,  # noqa: ARG002 - the endpoint's context does the checking
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Response:
        """Send one request; `timeout` is a Timeout. Raises Unreachable before, Lost after the first byte."""
        limits: Timeout = timeout
        connection = self._connection()
        connection.sock.settimeout(limits.first_byte)
        try:
            connection.request(
                request.method or "GET",
                request.path_url,
                body=request.body,
                headers=request.headers,
                encode_chunked="Transfer-Encoding" in request.headers,
            )
        except TimeoutError as fault:
            connection.close()
            raise TooSlow("the engine stopped reading") from fault
        except OSError:
            # The engine refuses an upload early by answering and closing: what it says is still to be read.
            pass
        except BaseException:
            connection.close()
            raise
        return self._response(request, _head(connection), connection, limits, stream=stream)

    def _response(
        self,
        request: PreparedRequest,
        answer: HTTPResponse,
        connection: Connection,
        limits: Timeout,
        *,
        stream: bool,
    ) -> Response:
        response = Response()
        response.status_code = answer.status
        response.reason = answer.reason
        response.headers = CaseInsensitiveDict(answer.headers.items())
        response.url = request.url or ""
        response.request = request
        response.raw = Body(answer, connection, self._pool, limits)
        if not stream:
            response.content  # noqa: B018 - reads the body and frees the connection
        return response

    def close(self) -> None:
        """Close the idle connections."""
        while self._pool:
            self._pool.pop().close()


def _head(connection: Connection) -> HTTPResponse:
    try:
        return connection.getresponse()
    except TimeoutError as fault:
        connection.close()
        raise TooSlow("the engine did not answer in time") from fault
    except ssl.SSLError as fault:
        # TLS 1.3 tells a client that its certificate is refused only with the first read.
        connection.close()
        raise TlsRefused(
            f"The engine refused the TLS connection ({fault.reason or fault})",
            hint="Check tlsCertificate and tlsKey: the engine wants a client certificate that its CA signed",
        ) from fault
    except (HTTPException, OSError) as fault:
        connection.close()
        raise Lost(_lost(fault)) from fault
