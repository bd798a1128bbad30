"""HTTP for the platform's own services, on the standard library: it loads fast and these calls are few."""

from __future__ import annotations

import binascii
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from lib import jsontext
from lib.sailor.errors import RequestError

if TYPE_CHECKING:
    import http.client

JSON = "application/json"
AGENT = "python-sailor"
SERVER_ERROR = 500
CLIENT_ERROR = 400
LONGEST_PAUSE = 15_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """Return the value of the body; RequestError when it is no JSON."""
        try:
            return jsontext.decode(self.body)
        except ValueError:
            raise RequestError("The answer is no JSON", self.status) from None


class Exchange:
    """One request on a connection of its own; the answer is read by the caller, who closes it."""

    def __init__(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterable[bytes] | None = None,
        timeout: float = 15.0,
    ) -> None:
        import http.client

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RequestError(f"{shown(url)} is no http address")
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.hostname, parts.port, timeout=timeout)
        target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
        self._what = f"{method} {shown(url)}"
        try:
            chunked = body is not None and not isinstance(body, bytes) and "Content-Length" not in headers
            table = {"User-Agent": AGENT, **headers, **({"Transfer-Encoding": "chunked"} if chunked else {})}
            self._connection.request(method, target, body, table, encode_chunked=chunked)
            self.response: http.client.HTTPResponse = self._connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise RequestError(f"{self._what} failed: {error or type(error).__name__}") from error

    @property
    def status(self) -> int:
        return self.response.status

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.response.getheaders()}

    def read(self, size: int | None = None) -> bytes:
        """Return the rest, or so many bytes at most; RequestError when the connection breaks."""
        import http.client

        try:
            return self.response.read(size)
        except (OSError, http.client.HTTPException) as error:
            raise RequestError(f"{self._what} was cut off: {error or type(error).__name__}") from error

    def close(self) -> None:
        self._connection.close()


def send(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | Iterable[bytes] | None = None,
    timeout: float = 15.0,
) -> Response:
    """Send a request and return its whole answer, of any status; RequestError when there is none."""
    exchange = Exchange(method, url, headers, body, timeout)
    try:
        return Response(exchange.status, exchange.headers, exchange.read())
    finally:
        exchange.close()


def retrying(call: Callable[[], T], attempts: int, pause: Callable[[int], float]) -> T:
    """Return what the call returns; repeated after `pause(k)` milliseconds when no answer or a 5xx came."""
    attempt = 0
    while True:
        try:
            return call()
        except RequestError as error:
            attempt += 1
            if attempt >= attempts or (error.status is not None and error.status < SERVER_ERROR):
                raise
        time.sleep(pause(attempt - 1) / 1000)


def growing(base: int) -> Callable[[int], float]:
    """Return pauses of base, twice base, … with up to a fifth more by chance (protocol 6.5)."""
    return lambda attempt: min(base * 2**attempt * random.uniform(1, 1.2), LONGEST_PAUSE)  # noqa: S311 - no secret


def checked(response: Response) -> Response:
    """Return a good answer; RequestError with the answer's own text otherwise."""
    if response.status >= CLIENT_ERROR:
        raise RequestError(response.text or f"HTTP status {response.status}", response.status)
    return response


def basic(user: str, password: str) -> str:
    """Return the value of an Authorization header."""
    return "Basic " + binascii.b2a_base64(f"{user}:{password}".encode(), newline=False).decode()


def without_user(url: str) -> tuple[str, str | None]:
    """Return a URL without the user in it, and the Authorization that the user stands for."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=host)), basic(unquote(name), unquote(password))


def shown(url: str) -> str:
    """Return a URL as errors show it: without user and query, which may hold secrets."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
