"""`context.storage` on the platform: reads and writes attachments in steward and maester, as streams (protocol 6.6)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

from lib.sailor.errors import RequestError, StorageError
from lib.sailor.net.addresses import shown
from lib.sailor.platform import http as rest
from lib.sailor.platform.api import Platform
from lib.sailor.platform.object_storage import Maester, opened
from lib.sailor.settings import Settings

if TYPE_CHECKING:
    from lib.sailor.net.exchange import Exchange

CHUNK = 65_536
IN_MEMORY = 1_048_576
"""Bytes of an attachment of unknown size that are kept in memory; larger ones go to a temporary file."""
MAESTER, STEWARD = "maester", "steward"


class Attachments:
    """Opens attachments that a message names; stores new ones in maester if it is set up, else in steward."""

    def __init__(self, settings: Settings, platform: Platform) -> None:
        self._settings = settings
        self._limits = settings.attachments
        self._platform = platform
        has_maester = settings.object_storage_uri and settings.object_storage_token
        self._maester = Maester(settings) if has_maester else None

    def open(self, attachment: Mapping[str, Any]) -> HttpBlob:
        """Open the attachment of a message's entry for reading; StorageError when that fails."""
        url = str(attachment.get("url") or "")
        try:
            kind = parse_qs(urlsplit(url).query).get("storage_type", [STEWARD])[0]
        except ValueError:
            raise StorageError("The url of the attachment is no http address", final=True) from None
        if kind == STEWARD:
            attempts, idle = self._settings.request_max_retry + 1, self._settings.request_timeout / 1000
            exchange = opened(url, {}, attempts, idle, self._limits.max_seconds, self._limits)
        elif kind == MAESTER:
            exchange = self._open_object(url)
        else:
            raise StorageError(f'Storage type "{kind[:100]}" is not supported', final=True)
        return HttpBlob(exchange, attachment.get("content-type"), self._limits.max_bytes)

    def store(self, chunks: Iterable[bytes], *, content_type: str, size: int | None = None) -> dict[str, Any]:
        """Store chunks as they come and return the entry for a message: url, size in bytes, content-type.

        Raises StorageError; an error of `chunks` is raised as it is.
        """
        counted = _Counted(chunks)
        if self._maester is not None:
            object_id = self._maester.put_stream(counted, content_type, size)
            url = f"{self._maester.base}/objects/{object_id}?storage_type={MAESTER}"
        else:
            url = self._store_in_steward(counted, content_type, size)
        return {"url": url, "size": counted.size, "content-type": content_type}

    def _open_object(self, url: str) -> Exchange:
        if self._maester is None:
            raise StorageError(
                "The attachment is in maester, but ELASTICIO_OBJECT_STORAGE_URI or _TOKEN is not set",
                final=True,
            )
        _, found, object_id = urlsplit(url).path.partition("/objects/")
        if not found or not object_id:
            raise StorageError(f"{shown(url)} names no object of maester", final=True)
        return self._maester.open(object_id, total=self._limits.max_seconds)

    def _store_in_steward(self, chunks: Iterable[bytes], content_type: str, size: int | None) -> str:
        try:
            signed = self._platform.post("/v2/resources/storage/signed-url")
            if not isinstance(signed, dict) or not signed.get("put_url") or not signed.get("get_url"):
                raise StorageError("The platform gave no address for the attachment")
            if size is not None:
                self._put(str(signed["put_url"]), chunks, content_type, size)
            else:
                self._put_of_unknown_size(str(signed["put_url"]), chunks, content_type)
        except RequestError as error:
            text = f"The attachment cannot be stored: {error}"
            raise StorageError(text, error.status, final=error.final) from error
        return str(signed["get_url"])

    def _put_of_unknown_size(self, url: str, chunks: Iterable[bytes], content_type: str) -> None:
        """Collect the bytes first: steward needs the size before the content."""
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            for chunk in chunks:
                file.write(chunk)
            size = file.tell()
            file.seek(0)
            self._put(url, iter(lambda: file.read(CHUNK), b""), content_type, size)

    def _put(self, url: str, chunks: Iterable[bytes], content_type: str, size: int) -> None:
        headers = {"Content-Type": content_type, "Content-Length": str(size)}
        answer = rest.send("PUT", url, headers, chunks, self._settings.request_timeout / 1000)
        rest.checked(answer, f"PUT {shown(url)}")


class HttpBlob:
    """An open attachment; its bytes can be read once. `with` closes it."""

    def __init__(self, exchange: Exchange, content_type: str | None, limit: int) -> None:
        self.size = exchange.length
        self.content_type = content_type or exchange.headers.get("content-type")
        self._exchange, self._limit = exchange, limit

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes; StorageError when fewer come than were announced, or more than the limit."""
        try:
            yield from self._exchange.pieces(self._limit)
        except RequestError as error:
            raise StorageError(str(error), error.status, final=error.final) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._exchange.close()


class _Counted:
    """Passes chunks on and counts their bytes in `size`."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.size += len(chunk)
            yield chunk
