"""A request body that is sent piece by piece: tars and images, in pieces of 64 KiB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lib.engine.errors import EngineError

# Bytes of a piece. Larger ones cost more CPU time per byte, smaller ones more calls.
PIECE = 65536
TAR = "application/x-tar"

Chunks = bytes | Iterable[bytes] | Callable[[], Iterable[bytes]]


class UploadBroken(EngineError):
    """The source of an upload gave fewer or more bytes than announced, failed, or was read already."""


class Upload:
    """The bytes of a request body.

    `chunks` is bytes, a list, a function that opens them anew, or an iterator that can be read once. `size` is the
    number of bytes, None if unknown. `len()` works only if it is known: so an HTTP client chooses between
    Content-Length and chunked encoding. `repeatable` says whether it can be sent twice, `started` whether a byte of it
    was read.
    """

    def __new__(cls, chunks: Chunks, size: int | None = None, content_type: str = TAR) -> Upload:  # noqa: ARG004, PYI034
        """Choose the class with a length if the length is known."""
        known = size is not None or isinstance(chunks, bytes)
        return object.__new__(SizedUpload if known else cls)

    def __init__(self, chunks: Chunks, size: int | None = None, content_type: str = TAR) -> None:
        if isinstance(chunks, bytes):
            size = len(chunks) if size is None else size
            chunks = [chunks]
        self._chunks = chunks
        self.size = size
        self.content_type = content_type
        self.repeatable = callable(chunks) or isinstance(chunks, list | tuple)
        self.started = False

    def open(self) -> None:
        """Open a source that is still closed, before anything is sent; raises the errors of the source."""
        if (opened := getattr(self._chunks, "open", None)) is not None:
            opened()

    def close(self) -> None:
        """Close a source that was opened but not read."""
        if (close := getattr(self._chunks, "close", None)) is not None:
            close()

    @property
    def beginning(self) -> bytes:
        """The first bytes, as far as they are known before anything is sent, else b""."""
        if isinstance(self._chunks, list | tuple):
            return bytes(self._chunks[0]) if self._chunks else b""
        first: bytes = getattr(self._chunks, "first", b"")
        return first

    def __bool__(self) -> bool:
        """True also for an upload of 0 bytes."""
        return True

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in pieces; raises UploadBroken if their number is not `size`, or if the source fails.

        Only EngineErrors leave it: an OSError of the source must not look like one of the connection to the engine.
        """
        if self.started and not self.repeatable:
            raise UploadBroken("The source of the upload can be read only once and was read already")
        sent = 0
        for piece in self._pieces():
            self.started = True
            sent += len(piece)
            if self.size is not None and sent > self.size:
                raise UploadBroken(
                    f"The source of the upload gave more than the {self.size} bytes it announced"
                )
            yield piece
        if self.size is not None and sent < self.size:
            raise UploadBroken(
                f"The source of the upload ended after {sent} of {self.size} bytes",
                hint="Check that the attachment or file is complete",
            )

    def _pieces(self) -> Iterator[bytes]:
        try:
            yield from pieces(self._chunks() if callable(self._chunks) else self._chunks)
        except EngineError:
            raise
        except Exception as fault:
            raise UploadBroken(f"The source of the upload cannot be read: {fault}") from fault

    def __repr__(self) -> str:
        return f"<Upload {self.content_type}, {'unknown' if self.size is None else self.size} bytes>"


class SizedUpload(Upload):
    """An upload whose length is known."""

    def __len__(self) -> int:
        return self.size or 0


def pieces(chunks: Iterable[bytes], size: int = PIECE) -> Iterator[bytes]:
    """Cut long chunks and join short ones: each piece but the last has `size` bytes."""
    held: list[bytes] = []
    have = 0
    for chunk in chunks:
        if len(chunk) == size and not held:
            yield chunk
            continue
        view, start = memoryview(chunk), 0
        while have + len(view) - start >= size:
            stop = start + size - have
            held.append(bytes(view[start:stop]))
            yield b"".join(held)
            held.clear()
            start, have = stop, 0
        if start < len(view):
            held.append(bytes(view[start:]))
            have += len(view) - start
    if held:
        yield b"".join(held)
