"""`context.storage` and `context.states` of a run without a platform: files in a folder."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, BinaryIO, Self
from urllib.parse import unquote, urlsplit

from lib.sailor.errors import StorageError
from lib.sailor.message.ids import random_id

CHUNK = 65_536
_NAME = re.compile("[0-9a-f]{64}")


class FolderStorage:
    """Stores attachments in one folder; opens any file:// address."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.abspath(folder)

    def open(self, attachment: Mapping[str, Any]) -> FileBlob:
        """Open an attachment for reading; StorageError when its address names no readable file."""
        url = str(attachment.get("url", ""))
        parts = urlsplit(url)
        if parts.scheme != "file":
            raise StorageError(f"Only file:// attachments exist without a platform, not {url!r}", final=True)
        try:
            file = open(unquote(parts.path), "rb")  # noqa: SIM115 - the blob closes it
        except OSError as error:
            raise StorageError(
                f"The attachment {url} cannot be opened: {error.strerror}", final=True
            ) from error
        return FileBlob(file, attachment.get("content-type"))

    def store(
        self,
        chunks: Iterable[bytes],
        *,
        content_type: str,
        size: int | None = None,  # noqa: ARG002 - part of `Storage`: other storages need the size first
    ) -> dict[str, Any]:
        """Write chunks to a new file and return the entry for a message; the file is removed if that fails."""
        os.makedirs(self._folder, exist_ok=True)
        path = os.path.join(self._folder, random_id())
        written = 0
        try:
            with open(path, "wb") as file:
                for chunk in chunks:
                    written += file.write(chunk)
        except BaseException:
            os.unlink(path)
            raise
        return {"url": f"file://{path}", "size": written, "content-type": content_type}


class FolderStates:
    """`context.states` of a run without a platform: files in one folder; a name is the SHA-256 of the content."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.abspath(folder)

    def put(self, data: bytes) -> str:
        """Write a file to the disk and return its name; StorageError when that fails."""
        name = hashlib.sha256(data).hexdigest()
        path = os.path.join(self._folder, name)
        beside = f"{path}.{os.getpid()}"
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(beside, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except OSError as error:
            raise StorageError(f"The state cannot be kept in {self._folder}: {error.strerror}") from error
        return name

    def get(self, name: str, most: int) -> bytes:
        """Return a file's bytes; the StorageError is `final` when there is none or it has more than `most` bytes."""
        if not _NAME.fullmatch(name):
            raise StorageError("This is no name of a state", final=True)
        try:
            with open(os.path.join(self._folder, name), "rb") as file:
                data = file.read(most + 1)
        except OSError as error:
            missing = isinstance(error, FileNotFoundError)
            raise StorageError(f"The state {name} cannot be read: {error.strerror}", final=missing) from error
        if len(data) > most:
            raise StorageError(f"The state {name} has more than {most} bytes", final=True)
        return data

    def delete(self, name: str) -> None:
        """Remove a file, and the folder if it is empty then; failures are ignored."""
        if _NAME.fullmatch(name):
            with suppress(OSError):
                os.unlink(os.path.join(self._folder, name))
            with suppress(OSError):
                os.rmdir(self._folder)


class FileBlob:
    """An open file as an attachment: `size` is in bytes; `with` closes it."""

    def __init__(self, file: BinaryIO, content_type: str | None) -> None:
        self._file = file
        self.size: int | None = os.fstat(file.fileno()).st_size
        self.content_type = content_type

    def chunks(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK):
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
