"""An adapter for requests, with one pool of connections to one engine.

requests' own adapter spends most of a call on pools, proxies and cookies, which an engine does not have. This one
keeps the interface (PreparedRequest in, Response out) at a third of the CPU time. It follows no redirects, reads no
proxy settings and asks for no compression (the engine would compress archives).

A call takes a kept connection or opens one, sends the request, and reads the head of the answer. Then it reads the
body whole, or leaves it to the reader of a stream. The connection goes back into the pool when the body has ended.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from lib.engine.endpoint import Endpoint
from lib.engine.http.connect import connect
from lib.engine.http.connection import Connection
from lib.engine.http.exchange import Exchange
from lib.engine.http.faults import FAULTS, NO_ANSWER, STOPPED, Exit
from lib.engine.http.request_head import host_of, request_head
from lib.engine.http.response import Body, EngineRequest, EngineResponse
from lib.engine.http.status import check_encoding
from lib.engine.timeouts import Timeout

if TYPE_CHECKING:  # it is imported late, with its library: few credentials need it
    from lib.engine.http.ssh.connections import SshConnections

MOST_IDLE = 16
"""Connections kept for the next call; those that a burst opens beyond this number are closed after their call."""


class EngineAdapter(BaseAdapter):
    """Sends prepared requests to one engine. It keeps idle connections and takes the most recently used one first."""

    def __init__(self, endpoint: Endpoint, connect_timeout: float) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.connect_timeout = connect_timeout
        self.context = endpoint.tls.context() if endpoint.tls else None
        self._ssh = _over_ssh(endpoint) if endpoint.ssh else None
        self._pool: deque[Connection] = deque()
        self._always = [("Host", host_of(endpoint)), ("Accept-Encoding", "identity")]

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,  # noqa: ARG002 - the endpoint's TLS context checks certificates
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> Response:
        """Send one request; `timeout` is a Timeout. Raises EngineErrors, and what the source of an upload raises.

        With `stream`, the body of a 2xx answer is not read yet; any other answer is whole.
        """
        method, limits = request.method or "GET", timeout or Timeout(None, None)
        written = request if isinstance(request, EngineRequest) else EngineRequest.of(request)
        body = cast("bytes | Iterable[bytes] | None", request.body)
        head = request_head(method, written.target, self._headers(written, body, method))
        exchange = Exchange(self._connection(), method, limits)
        try:
            if body is not None and not isinstance(body, bytes):
                self._upload(exchange, head, body, written)
            return self._exchanged(
                exchange, head + body if isinstance(body, bytes) else head, written, stream=stream
            )
        except BaseException:
            exchange.close()
            raise

    def _exchanged(
        self, exchange: Exchange, data: bytes, request: EngineRequest, *, stream: bool
    ) -> Response:
        try:
            if not exchange.reader.status and not exchange.sending:
                exchange.send(data)
            exchange.head()
            response = EngineResponse(exchange.reader, request)
            check_encoding(exchange.reader, reads=request.reads)
            if not 200 <= response.status_code < 300:  # noqa: PLR2004
                response.whole(exchange.error_text())
            elif stream:
                response.raw = Body(exchange, self._release)
                return response
            else:
                response.whole(exchange.content())
        except FAULTS as fault:
            slow = STOPPED if exchange.reader.status else NO_ANSWER
            raise Exit(reads=request.reads, slow=slow).error(fault) from fault
        self._release(exchange)
        return response

    def _upload(self, exchange: Exchange, head: bytes, body: Iterable[bytes], request: EngineRequest) -> None:
        pieces = _chunks(body) if "Transfer-Encoding" in request.headers else iter(body)
        first = next(pieces, b"")  # a source that cannot be opened raises before anything is sent
        exchange.upload(head + first, pieces, Exit(reads=request.reads))

    def _headers(
        self, request: EngineRequest, body: bytes | Iterable[bytes] | None, method: str
    ) -> list[tuple[str, str]]:
        headers = [*self._always, *request.fields]
        if body is None:
            if method in ("POST", "PUT"):
                headers.append(("Content-Length", "0"))
        elif isinstance(body, bytes):
            headers.append(("Content-Length", str(len(body))))
        return headers

    def _connection(self) -> Connection:
        with suppress(IndexError):  # other threads take from it, too: it may be empty by now
            while True:
                connection = self._pool.pop()
                if connection.silent():
                    return connection
                connection.close()
        return Connection(self.socket(self.connect_timeout))

    def socket(self, timeout: float, *, secure: bool = True) -> socket.socket:
        """Return a new connection, of which `timeout` and errors are those of `connect`.

        Without `secure` it has no TLS yet: who closes one direction of it alone does the handshake in another way.
        """
        if self._ssh:
            return self._ssh.socket(timeout)
        return connect(self.endpoint, timeout, self.context if secure else None)

    def _release(self, exchange: Exchange) -> None:
        if exchange.reusable and len(self._pool) < MOST_IDLE:
            self._pool.append(exchange.connection)
        else:
            exchange.close()

    def close(self) -> None:
        """Close the idle connections."""
        with suppress(IndexError):
            while True:
                self._pool.pop().close()
        if self._ssh:
            self._ssh.close()


def _over_ssh(endpoint: Endpoint) -> SshConnections:
    from lib.engine.http.ssh.connections import SshConnections

    return SshConnections(endpoint)


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
