"""A request body that is streamed: tars and images on their way to the engine, in pieces of 64 kB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from lib.engine.errors import EngineError

# Larger pieces cost more CPU a byte, smaller ones more calls.
PIECE = 65536
TAR = "application/x-tar"

Chunks = bytes | Iterable[bytes] | Callable[[], Iterable[bytes]]


class UploadBroken(EngineError):
    """The source of an upload gave less or more than it had announced, or is used up."""


class Upload:
    """Bytes for a request body.

    `chunks` is bytes, a list, a function that opens them anew, or an iterator that can be read once.
    `size` is the number of bytes if it is known; `len()` works then and only then, which is how an HTTP
    client tells Content-Length from chunked encoding. `repeatable` says whether it can be sent twice,
    `started` whether a byte of it has been handed out.
    """

    def __new__(cls, chunks: Chunks, size: int | None = None, content_type: str = TAR) -> Upload:  # noqa: ARG004, PYI034
        """Choose the class with a length where the length is known."""
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
        """Open a source that is still closed, before anything is sent; raises what its owner makes of a failure."""
        if (opened := getattr(self._chunks, "open", None)) is not None:
            opened()

    def close(self) -> None:
        """Let go of a source that was opened before it was read."""
        if (close := getattr(self._chunks, "close", None)) is not None:
            close()

    @property
    def beginning(self) -> bytes:
        """The first bytes, as far as they are known before anything is sent."""
        if isinstance(self._chunks, list | tuple):
            return bytes(self._chunks[0]) if self._chunks else b""
        first: bytes = getattr(self._chunks, "first", b"")
        return first

    def __bool__(self) -> bool:
        """An empty upload is an upload."""
        return True

    def __iter__(self) -> Iterator[bytes]:
        """Yield the bytes in pieces; raises UploadBroken if they are not as many as announced, or cannot be read.

        No other error comes from here: an OSError of the source is not one of the connection to the engine.
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
    """Cut long chunks and join short ones, so that each piece but the last has `size` bytes."""
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
