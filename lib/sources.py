"""Sources of uploads outside of the message: they are opened, and their first piece read, before the engine is asked.

A source that cannot be read then is an error of the input; later, the engine holds a part of it already.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from typing import Any

from lib.engine.errors import BadInput, EngineError, Unreachable
from lib.engine.upload import TAR, Upload, UploadBroken
from lib.sailor.destinations import Destinations
from lib.sailor.errors import RequestError
from lib.sailor.transport import Storage

Chunks = Generator[bytes, None, None]
SCHEMES = ("http://", "https://")


class SourceUnreachable(Unreachable):
    """The storage of an attachment gave nothing; the engine was not asked, and the call may be repeated."""


def url_upload(url: str, destinations: Destinations) -> Upload:
    """Return the content of an address as an upload of known size where the server tells it; BadInput otherwise."""
    from lib.sailor.fetching import fetched

    if not url.lower().startswith(SCHEMES):
        raise BadInput("url must begin with http:// or https://", field="url")

    def opened() -> tuple[int | None, Chunks]:
        exchange = fetched(url.strip(), destinations)
        return exchange.length, _chunks(exchange.pieces(destinations.max_bytes), exchange.close)

    def refused(fault: RequestError) -> EngineError:
        return BadInput(f"url: {fault}", field="url", hint="Nothing was sent to the engine")

    source = _Source(opened, "url", refused)
    return Upload(source, source.size, TAR)


def attachment_upload(
    storage: Storage, attachment: Mapping[str, Any], name: str, field: str = "attachment"
) -> Upload:
    """Return the content of an attachment as an upload; BadInput, or SourceUnreachable where it may be there later.

    `field` is the input that named the attachment.
    """

    def opened() -> tuple[int | None, Chunks]:
        blob = storage.open(attachment)
        try:
            return blob.size, _chunks(blob.chunks(), lambda: blob.__exit__(None, None, None))
        except BaseException:
            blob.__exit__(None, None, None)
            raise

    def refused(fault: RequestError) -> EngineError:
        text = f"{field} {name!r}: {fault}"
        if fault.passing:
            return SourceUnreachable(text, hint="Nothing was sent to the engine")
        return BadInput(text, field=field, hint="Nothing was sent to the engine")

    source = _Source(opened, f"{field} {name!r}", refused)
    stated = attachment.get("size")
    if type(stated) is not int or stated < 0:
        return Upload(source, source.size, TAR)
    if source.size is not None and source.size != stated:
        source.close()
        raise BadInput(
            f"{field} {name!r} has {source.size} bytes, but its size in the message is {stated}",
            field=field,
            hint="Map the attachment as a whole, with the size that its step gave",
        )
    return Upload(source, stated, TAR)


class _Source:
    """What Upload calls for its chunks: the first call gives those that were opened for it, a repeat opens anew."""

    def __init__(
        self,
        opened: Callable[[], tuple[int | None, Chunks]],
        what: str,
        refused: Callable[[RequestError], EngineError],
    ) -> None:
        self._opened, self._what, self._refused = opened, what, refused
        self._first, self._fresh = b"", False
        self.size, self._rest = self._begin()

    def __call__(self) -> Iterator[bytes]:
        if not self._fresh:
            _, self._rest = self._begin()
        self._fresh = False
        with closing(self._rest):
            try:
                if self._first:
                    yield self._first
                yield from self._rest
            except RequestError as fault:
                raise UploadBroken(f"{self._what}: {fault}") from fault

    def close(self) -> None:
        """End the source, read or not."""
        self._rest.close()

    def _begin(self) -> tuple[int | None, Chunks]:
        try:
            size, rest = self._opened()
            self._first = next(rest, b"")
        except RequestError as fault:
            raise self._refused(fault) from fault
        except OSError as fault:
            raise self._refused(RequestError(str(fault), final=True)) from fault
        self._fresh = True
        return size, rest


def _chunks(chunks: Iterator[bytes], close: Callable[[], None]) -> Chunks:
    try:
        yield from chunks
    finally:
        close()
