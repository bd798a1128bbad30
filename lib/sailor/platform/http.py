"""HTTP calls of the platform's own services, with retries; on the standard library, because that loads fast."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lib import jsontext
from lib.backoff import growing_pause, spread
from lib.sailor.errors import RequestError
from lib.sailor.net.addresses import redirected

JSON = "application/json"
GOOD = range(200, 300)
CLIENT_ERROR = 400
LONGEST_PAUSE = 15_000
"""Milliseconds (protocol 6.5)."""
SLOWEST = 4
"""The default of `total` is this many times `timeout`."""
LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of one answer of the platform's API; the largest are step data: configuration and snapshot."""
LONGEST_ERROR = 10_000
"""Characters of an answer that an error quotes."""

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
        """Return the JSON value of the body; RequestError when it is no JSON."""
        try:
            return jsontext.decode(self.body)
        except ValueError:
            raise RequestError("The answer is no JSON", self.status) from None


def send(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | Iterable[bytes] | None = None,
    timeout: float = 15.0,
    total: float | None = None,
) -> Response:
    """Send a request and return its whole answer, whatever its status; RequestError when no whole answer came.

    `timeout` is the limit in seconds without a byte, `total` the limit in seconds for everything.
    """
    from lib.sailor.net.exchange import Exchange

    exchange = Exchange(method, url, headers, body, idle=timeout, total=total or timeout * SLOWEST)
    try:
        return Response(exchange.status, exchange.headers, exchange.whole(LARGEST_ANSWER))
    finally:
        exchange.close()


def retrying(call: Callable[[], T], attempts: int, pause: Callable[[int], float]) -> T:
    """Make a call, `attempts` times at most, and return its result.

    It is repeated only when its RequestError is `passing`; repeat k = 0, 1, ... comes after `pause(k)` milliseconds.
    Raises the error of the last attempt.
    """
    attempt = 0
    while True:
        try:
            return call()
        except RequestError as error:
            attempt += 1
            if attempt >= attempts or not error.passing:
                raise
        time.sleep(max(pause(attempt - 1), 0) / 1000)


def growing(base: int) -> Callable[[int], float]:
    """Return pause(k) = base * 2^k milliseconds plus up to a fifth by chance, LONGEST_PAUSE at most (protocol 6.5)."""
    return lambda attempt: min(spread(growing_pause(attempt + 1, base, LONGEST_PAUSE)), LONGEST_PAUSE)


def checked(response: Response, what: str) -> Response:
    """Return an answer of 2xx; otherwise raise RequestError with the answer's text, or with a redirect's target."""
    if response.status in GOOD:
        return response
    if response.status < CLIENT_ERROR:
        text = f"{what} was answered with {response.status}{redirected(response.headers.get('location'))}"
        raise RequestError(text, response.status)
    text = response.text[:LONGEST_ERROR]
    raise RequestError(text or f"HTTP status {response.status}", response.status)
