"""The platform's object storage, maester (protocol 6.5): whole objects for messages, streams for attachments."""

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
OBJECT_SECONDS = 300.0
LONGEST_REQUEST_ID = 500
BINARY = "application/octet-stream"
LIFE_TIME = "x-eio-ttl"
"""Seconds; without it the platform's default holds, which may be minutes."""
GONE = (404, 410)
_UNPRINTABLE = re.compile(r"[^!-~]")


class Maester:
    """Reads and writes objects with the step's token."""

    def __init__(self, settings: Settings) -> None:
        self.base = settings.object_storage_uri.rstrip("/")
        self._token = settings.object_storage_token
        self._who = f"f:{settings.flow_id};s:{settings.step_id};m:"
        self._attempts = settings.request_max_retry + 1
        self._timeout = settings.request_timeout / 1000

    def get_object(self, object_id: str, request_id: str = "", most: int = MOST_FETCHED) -> bytes:
        """Return an object's bytes; StorageError after the last attempt, and for more than `most` bytes.

        More bytes than that are not asked for where they are announced, and not read where they are not.
        """
        exchange = self.open(object_id, request_id)
        try:
            return exchange.whole(most)
        except RequestError as error:
            raise StorageError(str(error), error.status, final=error.final) from error
        finally:
            exchange.close()

    def open(self, object_id: str, request_id: str = "", total: float = OBJECT_SECONDS) -> Exchange:
        """Return the exchange whose answer is the object; the caller reads and closes it."""
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
        """Store bytes for so long and return the object's id; StorageError after the last attempt."""
        headers = self._headers("") | {"Content-Type": BINARY, LIFE_TIME: str(seconds)}
        return self._create(headers, data, self._attempts)

    def delete_object(self, object_id: str) -> None:
        """Remove an object; StorageError where that fails, none where there is no such object."""
        url = f"{self.base}/objects/{segment(object_id)}"
        try:
            answer = rest.send("DELETE", url, self._headers(""), timeout=self._timeout)
            if answer.status not in GONE:
                rest.checked(answer, f"DELETE {shown(url)}")
        except RequestError as error:
            raise StorageError(str(error), error.status, final=error.final) from error

    def put_stream(self, chunks: Iterable[bytes], content_type: str, size: int | None) -> str:
        """Store chunks as they come, once: what was read cannot be read again."""
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
        # Ids come from messages; a header holds no line breaks.
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
    """Return the exchange of a GET whose status is good; StorageError otherwise."""
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
