"""One HTTP request to a service other than the engine, on a connection of its own, with limits in bytes and seconds.

The constructor sends the request and reads the head of the answer; `pieces` and `whole` read the body. All faults of
the socket, of TLS and of http.client become RequestError here.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from lib.sailor.errors import RequestError
from lib.sailor.net.addresses import redirected, shown
from lib.sailor.net.connections import connection_to
from lib.sailor.net.destinations import Destinations
from lib.sailor.net.limited_socket import LimitedSocket

AGENT = "python-sailor"
PIECE = 65_536
OK = range(200, 300)
REDIRECTS = (301, 302, 303, 307, 308)


class Exchange:
    """A request that was sent, with the head of its answer; the caller reads the body and calls `close`.

    `idle` is the limit in seconds without a byte, `total` the limit in seconds for everything. While a body that is
    not bytes is sent, `total` does not count: it takes as long as its source. `destinations` is given when a message
    has named the address. Raises RequestError; an error of the body's source is raised as it is.
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
        streamed = body is not None and not isinstance(body, bytes)
        deadline = time.monotonic() + total
        connection, target = connection_to(url, idle, deadline, destinations)
        chunked = streamed and "Content-Length" not in headers
        table = {"User-Agent": AGENT, **headers, **({"Transfer-Encoding": "chunked"} if chunked else {})}
        try:
            connection.connect()
            sock = cast("LimitedSocket", connection.sock)
            sock.deadline = None if streamed else deadline
            source = _marked(body) if streamed else body
            unsent = _sent(connection, method, target, source, table, chunked=chunked)
            sock.deadline = time.monotonic() + total if streamed else deadline
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
        """Bytes of the body that are announced and not read yet; None when the server announced no length."""
        return self.response.length

    def refusal(self) -> RequestError | None:
        """Return the error for a status that is not 2xx, None for 2xx; redirects are not followed."""
        if self.status in OK:
            return None
        text = f"{self._what} was answered with {self.status}"
        if self.status in REDIRECTS:
            text += redirected(self.response.getheader("Location"))
        return RequestError(text, self.status)

    def pieces(self, limit: int) -> Iterator[bytes]:
        """Yield the body as it comes; RequestError when it is cut off, too slow, or longer than `limit` bytes."""
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
        """Return the whole body; raises RequestError as `pieces` does. The bytes are in memory only once."""
        content = io.BytesIO()
        for piece in self.pieces(limit):
            content.write(piece)
        return content.getvalue()

    def close(self) -> None:
        self.response.close()
        self._close()


class _SourceFailedError(Exception):
    """The source of a request's body failed, not the connection; its error is the cause."""


def _sent(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | Iterable[bytes] | None,
    headers: Mapping[str, str],
    *,
    chunked: bool,
) -> OSError | None:
    """Send a request; return the fault when the server closed early: it may have sent an answer before."""
    try:
        connection.request(method, target, body, headers, encode_chunked=chunked)
    except (BrokenPipeError, ConnectionResetError) as fault:
        return fault
    return None


def _answered(connection: http.client.HTTPConnection, unsent: OSError | None) -> http.client.HTTPResponse:
    response = connection.getresponse()
    if unsent is not None and response.status in OK:  # it has not read, and so not stored, the whole body
        response.close()
        raise unsent
    return response


def _marked(chunks: Any) -> Iterator[bytes]:
    try:
        yield from chunks
    except Exception as error:
        raise _SourceFailedError from error
