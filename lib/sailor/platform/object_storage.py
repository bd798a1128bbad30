"""Calls of the platform's object storage, maester (protocol 6.5): whole objects for messages, streams for attachments.

Writing a stream is not repeated, because its source can be read only once; everything else is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lib.sailor.errors import RequestError, StorageError
from lib.sailor.net.addresses import segment, shown
from lib.sailor.net.destinations import Destinations
from lib.sailor.platform import http as rest
from lib.sailor.settings import Settings
from lib.sailor.transport import MOST_FETCHED

if TYPE_CHECKING:
    from lib.sailor.net.exchange import Exchange

FIRST_PAUSE = 100
"""Milliseconds before the first repeat."""
OBJECT_SECONDS = 300.0
"""Limit of one exchange."""
LONGEST_REQUEST_ID = 500
BINARY = "application/octet-stream"
LIFE_TIME = "x-eio-ttl"
"""The header with the seconds to keep an object; without it the platform's default holds, which may be minutes."""
GONE = (404, 410)
_UNPRINTABLE = re.compile(r"[^!-~]")


class Maester:
    """Reads and writes objects with the step's token; a `request_id` is the message id of the input, or empty."""

    def __init__(self, settings: Settings) -> None:
        self.base = settings.object_storage_uri.rstrip("/")
        self._token = settings.object_storage_token
        self._who = f"f:{settings.flow_id};s:{settings.step_id};m:"
        self._attempts = settings.request_max_retry + 1
        self._timeout = settings.request_timeout / 1000

    def get_object(self, object_id: str, request_id: str = "", most: int = MOST_FETCHED) -> bytes:
        """Return an object's bytes; StorageError after the last attempt, and for an object of more than `most` bytes.

        Of a larger object nothing is read if its size is announced, and at most `most` bytes if it is not.
        """
        exchange = self.open(object_id, request_id)
        try:
            return exchange.whole(most)
        except RequestError as error:
            raise StorageError(str(error), error.status, final=error.final) from error
        finally:
            exchange.close()

    def open(self, object_id: str, request_id: str = "", total: float = OBJECT_SECONDS) -> Exchange:
        """Return an exchange whose body is the object; the caller reads and closes it. Raises StorageError."""
        try:
            url = f"{self.base}/objects/{segment(object_id)}"
        except RequestError as error:
            raise StorageError(str(error), final=True) from error
        return opened(url, self._headers(request_id), self._attempts, self._timeout, total)

    def put_object(self, data: bytes, request_id: str = "") -> str:
        """Store bytes and return the object's id; StorageError after the last attempt."""
        headers = self._headers(request_id) | {"Content-Type": BINARY}
        return self._create(headers, data, self._attempts)

    def put_lasting(self, data: bytes, seconds: int) -> str:
        """Store bytes for `seconds` and return the object's id; StorageError after the last attempt."""
        headers = self._headers("") | {"Content-Type": BINARY, LIFE_TIME: str(seconds)}
        return self._create(headers, data, self._attempts)

    def delete_object(self, object_id: str) -> None:
        """Remove an object, with one attempt; StorageError when that fails, but not when there is no such object."""
        try:
            url = f"{self.base}/objects/{segment(object_id)}"
            answer = rest.send("DELETE", url, self._headers(""), timeout=self._timeout)
            if answer.status not in GONE:
                rest.checked(answer, f"DELETE {shown(url)}")
        except RequestError as error:
            raise StorageError(str(error), error.status, final=error.final) from error

    def put_stream(self, chunks: Iterable[bytes], content_type: str, size: int | None) -> str:
        """Store chunks as they come, with one attempt, and return the object's id; raises StorageError."""
        headers = self._headers("") | {"Content-Type": content_type}
        if size is not None:
            headers["Content-Length"] = str(size)
        return self._create(headers, chunks, 1)

    def _create(self, headers: Mapping[str, str], body: bytes | Iterable[bytes], attempts: int) -> str:
        def create() -> rest.Response:
            url = f"{self.base}/objects"
            answer = rest.send("POST", url, headers, body, self._timeout, OBJECT_SECONDS)
            return rest.checked(answer, f"POST {shown(url)}")

        try:
            answer = rest.retrying(create, attempts, rest.growing(FIRST_PAUSE)).json()
        except RequestError as error:
            text = f"The object storage took nothing: {error}"
            raise StorageError(text, error.status, final=error.final) from error
        named = answer.get("objectId") if isinstance(answer, dict) else None
        if not isinstance(named, str) or not named:
            raise StorageError("The object storage gave no objectId")
        return named

    def _headers(self, request_id: str) -> dict[str, str]:
        # The id comes from a message, and a header must not have line breaks.
        named = _UNPRINTABLE.sub("?", (self._who + request_id)[:LONGEST_REQUEST_ID])
        return {"Authorization": f"Bearer {self._token}", "x-request-id": named}


def opened(
    url: str,
    headers: Mapping[str, str],
    attempts: int,
    idle: float,
    total: float,
    destinations: Destinations | None = None,
) -> Exchange:
    """Return the exchange of a GET that was answered with 2xx; StorageError after the last of `attempts`.

    `idle` is the limit in seconds without a byte, `total` the limit in seconds for one exchange.
    """
    from lib.sailor.net.exchange import Exchange

    def get() -> Exchange:
        exchange = Exchange("GET", url, headers, idle=idle, total=total, destinations=destinations)
        if (refusal := exchange.refusal()) is None:
            return exchange
        exchange.close()
        raise refusal

    try:
        return rest.retrying(get, attempts, rest.growing(FIRST_PAUSE))
    except RequestError as error:
        raise StorageError(str(error), error.status, final=error.final) from error
