"""The platform's object storage, maester (protocol 6.5): whole objects for messages, streams for attachments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lib.sailor import rest
from lib.sailor.errors import RequestError, StorageError
from lib.sailor.settings import Settings

FIRST_PAUSE = 100
BINARY = "application/octet-stream"


class Maester:
    """Reads and writes objects with the step's token."""

    def __init__(self, settings: Settings) -> None:
        self.base = settings.object_storage_uri.rstrip("/")
        self._token = settings.object_storage_token
        self._who = f"f:{settings.flow_id};s:{settings.step_id};m:"
        self._attempts = settings.request_max_retry + 1
        self._timeout = settings.request_timeout / 1000

    def get_object(self, object_id: str, request_id: str = "") -> bytes:
        """Return an object's bytes; StorageError after the last attempt."""
        exchange = self.open(object_id, request_id)
        try:
            return exchange.read()
        except RequestError as error:
            raise StorageError(str(error), error.status) from error
        finally:
            exchange.close()

    def open(self, object_id: str, request_id: str = "") -> rest.Exchange:
        """Return the exchange whose answer is the object; the caller reads and closes it."""
        url, headers = f"{self.base}/objects/{object_id}", self._headers(request_id)
        return opened(url, headers, self._attempts, self._timeout)

    def put_object(self, data: bytes, request_id: str = "") -> str:
        """Store bytes and return the object's id; StorageError after the last attempt."""
        headers = self._headers(request_id) | {"Content-Type": BINARY}
        return self._create(headers, data, self._attempts)

    def put_stream(self, chunks: Iterable[bytes], content_type: str, size: int | None) -> str:
        """Store chunks as they come, once: what was read cannot be read again."""
        headers = self._headers("") | {"Content-Type": content_type}
        if size is not None:
            headers["Content-Length"] = str(size)
        return self._create(headers, chunks, 1)

    def _create(self, headers: Mapping[str, str], body: bytes | Iterable[bytes], attempts: int) -> str:
        def create() -> rest.Response:
            return rest.checked(rest.send("POST", f"{self.base}/objects", headers, body, self._timeout))

        try:
            answer = rest.retrying(create, attempts, rest.growing(FIRST_PAUSE)).json()
        except RequestError as error:
            raise StorageError(f"The object storage took nothing: {error}", error.status) from error
        if not isinstance(answer, dict) or not answer.get("objectId"):
            raise StorageError("The object storage gave no objectId")
        return str(answer["objectId"])

    def _headers(self, request_id: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "x-request-id": self._who + request_id}


def opened(url: str, headers: Mapping[str, str], attempts: int, timeout: float) -> rest.Exchange:
    """Return the exchange of a GET whose status is good; StorageError otherwise."""

    def get() -> rest.Exchange:
        exchange = rest.Exchange("GET", url, headers, None, timeout)
        if exchange.status < rest.CLIENT_ERROR:
            return exchange
        exchange.close()
        raise RequestError(f"GET {rest.shown(url)} was answered with {exchange.status}", exchange.status)

    try:
        return rest.retrying(get, attempts, rest.growing(FIRST_PAUSE))
    except RequestError as error:
        raise StorageError(str(error), error.status) from error
