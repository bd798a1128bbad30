"""HTTP for the platform's own services, on the standard library: it loads fast and these calls are few."""

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
SLOWEST = 4
"""A whole exchange may take so many times what a wait for the next byte may."""
LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer of the platform's API: a step's configuration and snapshot, an id, an address."""
LONGEST_ERROR = 10_000
"""Characters of an answer's text that an error quotes."""

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


def send(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | Iterable[bytes] | None = None,
    timeout: float = 15.0,
    total: float | None = None,
) -> Response:
    """Send a request and return its whole answer, of any status; RequestError when there is none.

    `timeout` are the seconds without a byte, `total` those for everything (a few times that by default).
    """
    from lib.sailor.net.exchange import Exchange

    exchange = Exchange(method, url, headers, body, idle=timeout, total=total or timeout * SLOWEST)
    try:
        return Response(exchange.status, exchange.headers, exchange.whole(LARGEST_ANSWER))
    finally:
        exchange.close()


def retrying(call: Callable[[], T], attempts: int, pause: Callable[[int], float]) -> T:
    """Return what the call returns; repeated after `pause(k)` milliseconds when the error may pass."""
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
    """Return pauses of base, twice base, … with up to a fifth more by chance (protocol 6.5)."""
    return lambda attempt: min(spread(growing_pause(attempt + 1, base, LONGEST_PAUSE)), LONGEST_PAUSE)


def checked(response: Response, what: str) -> Response:
    """Return an answer of 2xx; RequestError with the answer's own text otherwise, or with the target of a redirect."""
    if response.status in GOOD:
        return response
    if response.status < CLIENT_ERROR:
        text = f"{what} was answered with {response.status}{redirected(response.headers.get('location'))}"
        raise RequestError(text, response.status)
    text = response.text[:LONGEST_ERROR]
    raise RequestError(text or f"HTTP status {response.status}", response.status)
