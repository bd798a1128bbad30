"""The wire: a requests adapter over http.client and one pool of connections to one engine.

requests' own adapter spends most of a call on pools, proxies and cookies that an engine does not have; this
one keeps the API (PreparedRequest in, Response out) at a third of the CPU. It never follows redirects,
reads no proxy settings and asks for no compression (the engine would gzip archives).
"""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from lib.engine.answers import Answer, EngineResponse
from lib.engine.connection import Connection
from lib.engine.endpoint import Endpoint
from lib.engine.timeouts import Timeout
from lib.engine.trust import identity_refused

CHUNK = 65536


class Lost(Exception):
    """The connection failed after the request, or a part of it, was sent."""


class TooSlow(Lost):
    """A time limit passed after the request was sent."""


class Body:
    """The body of one answer, in the form that requests reads; gives its connection back at the end."""

    def __init__(
        self, answer: Answer, connection: Connection, pool: deque[Connection], timeout: Timeout
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
            yield from self._pieces(answer)
        except TimeoutError as fault:
            self.close()
            raise TooSlow("the engine stopped sending") from fault
        except (HTTPException, OSError, ValueError) as fault:
            self.close()
            raise Lost(_lost(fault)) from fault
        self.release_conn()

    def _pieces(self, answer: Answer) -> Iterator[bytes]:
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
            connection.send_request(request)
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
        answer: Answer,
        connection: Connection,
        limits: Timeout,
        *,
        stream: bool,
    ) -> Response:
        response = EngineResponse(answer, request, Body(answer, connection, self._pool, limits))
        if not stream:
            response.content  # noqa: B018 - reads the body and frees the connection
        return response

    def close(self) -> None:
        """Close the idle connections."""
        while self._pool:
            self._pool.pop().close()


def _head(connection: Connection) -> Answer:
    try:
        return connection.answer()
    except TimeoutError as fault:
        connection.close()
        raise TooSlow("the engine did not answer in time") from fault
    except ssl.SSLError as fault:
        connection.close()
        raise identity_refused(fault) from fault
    except (HTTPException, OSError) as fault:
        connection.close()
        raise Lost(_lost(fault)) from fault
