"""Uploads from outside the message: attachments and addresses.

A source is opened, and its first 64 kB are read, before the engine is called. An error until then is an error of the
input; after it, the engine has already received a part of the upload (UploadBroken).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from typing import Any

from lib.action.attachment_storage import StorageUnreachable
from lib.engine.errors import BadInput, EngineError
from lib.engine.request.upload import PIECE, TAR, Upload, UploadBroken
from lib.sailor.errors import RequestError
from lib.sailor.net.destinations import Destinations
from lib.sailor.transport import Storage

Chunks = Generator[bytes, None, None]
Opened = tuple[int | None, Chunks]
"""(number of bytes, None if unknown; the bytes)"""
SCHEMES = ("http://", "https://")
NOTHING_SENT = "Nothing was sent to the engine"


def url_upload(url: str, destinations: Destinations) -> Upload:
    """Return the content of an http or https address as an open upload; its size is None if the server sends none.

    Raises BadInput if the address is not allowed by `destinations` or cannot be read.
    """
    from lib.sailor.net.fetching import fetched

    address = url.strip()
    if not address.lower().startswith(SCHEMES):
        raise BadInput("url must begin with http:// or https://", field="url")

    def opened() -> Opened:
        exchange = fetched(address, destinations)
        return exchange.length, _chunks(exchange.pieces(destinations.max_bytes), exchange.close)

    source = _Source(opened, "url", lambda fault: BadInput(f"url: {fault}", field="url", hint=NOTHING_SENT))
    source.open()
    return Upload(source, source.size, TAR)


def attachment_upload(storage: Storage, attachment: Mapping[str, Any], name: str) -> Upload:
    """Return the content of an attachment as an open upload; `name` is its name in the message.

    Raises BadInput if it cannot be read, StorageUnreachable if the storage may answer later.
    """
    source = _attachment(storage, attachment, name, "attachment")
    source.open()
    return Upload(source, source.size, TAR)


def attachment_input(storage: Storage, attachment: Mapping[str, Any], name: str, field: str) -> Upload:
    """Return an attachment as an upload for stdin of a process; it is opened when it is used, with the same errors.

    `field` is the input that names the attachment.
    """
    return Upload(_attachment(storage, attachment, name, field), None, TAR)


def _attachment(storage: Storage, attachment: Mapping[str, Any], name: str, field: str) -> _Source:
    what = f"{field} {name!r}"
    stated = attachment.get("size")

    def opened() -> Opened:
        blob = storage.open(attachment)
        size, chunks = blob.size, _chunks(blob.chunks(), lambda: blob.__exit__(None, None, None))
        if type(stated) is not int or size is None or stated == size:
            return size, chunks
        blob.__exit__(None, None, None)
        raise BadInput(
            f"{what} has {size} bytes, but its size in the message is {stated}",
            field=field,
            hint="Map the attachment as a whole, with the size that its step gave",
        )

    def refused(fault: RequestError) -> EngineError:
        text = f"{what}: {fault}"
        if fault.passing:
            return StorageUnreachable(text, hint=NOTHING_SENT)
        return BadInput(text, field=field, hint=NOTHING_SENT)

    return _Source(opened, what, refused)


class _Source:
    """The callable that gives an Upload its chunks: the first call uses the open source, a repeat opens it again."""

    def __init__(
        self, opened: Callable[[], Opened], what: str, refused: Callable[[RequestError], EngineError]
    ) -> None:
        self._opened, self._what, self._refused = opened, what, refused
        self.first = b""
        self._rest: Chunks | None = None
        self._fresh = False
        self.size: int | None = None

    def open(self) -> None:
        """Open the source and read its first 64 kB: most errors show here. Raises BadInput or StorageUnreachable."""
        if self._fresh:
            return
        try:
            self.size, self._rest = self._opened()
            self.first = b""
            while len(self.first) < PIECE and (piece := next(self._rest, b"")):
                self.first += piece
        except RequestError as fault:
            raise self._refused(fault) from fault
        except OSError as fault:
            raise self._refused(RequestError(str(fault), final=True)) from fault
        self._fresh = True

    def __call__(self) -> Iterator[bytes]:
        self.open()
        rest, self._fresh = self._rest, False
        try:
            if self.first:
                yield self.first
            yield from rest or ()
        except RequestError as fault:
            raise UploadBroken(f"{self._what}: {fault}") from fault
        finally:
            if rest is not None:
                rest.close()

    def close(self) -> None:
        """Close the source, read or not."""
        if self._rest is not None:
            with suppress(ValueError):  # another thread, which feeds a process, may be reading it
                self._rest.close()


def _chunks(chunks: Iterator[bytes], close: Callable[[], None]) -> Chunks:
    try:
        yield from chunks
    finally:
        close()
