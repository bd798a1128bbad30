"""Takes the archive that a build gives: into a file without a name, from which it is read when the build has ended.

The thread of the session writes it. It must not wait for a storage, since the engine wants its health checks answered
meanwhile; so the archive is not passed on while it comes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator

from lib.engine.answer.tar_check import whole
from lib.engine.buildkit.calls import EXHAUSTED, UNKNOWN, Methods, RefusedCallError
from lib.engine.closing import Closing
from lib.engine.errors import StreamCut
from lib.engine.protobuf import MalformedError, fields

MOST_BYTES = 1 << 30
"""Bytes of an archive."""

_PIECE = 1 << 18


class OutputFile(Closing):
    """The archive of one build; `close` deletes it."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._file = tempfile.TemporaryFile(prefix="build-")  # noqa: SIM115 - `close` closes it
        self._most = most
        self._calls = 0
        self._size = 0
        self._ended = False

    def methods(self) -> Methods:
        """Return the method by which the engine sends an archive."""
        return {"/moby.filesync.v1.FileSend/DiffCopy": lambda _: self._begun()}

    def _begun(self) -> OutputFile:
        self._calls += 1
        if self._calls > 1:
            raise RefusedCallError(UNKNOWN, "there is one output only")
        return self

    def take(self, message: bytes) -> Iterable[bytes]:
        """Write the data of a message. Raises RefusedCallError above the limit, and where the disk is full."""
        try:
            for number, data in fields(message):
                if number == 1 and isinstance(data, bytes):
                    self._write(data)
        except MalformedError:
            raise RefusedCallError(UNKNOWN, "a piece of the archive cannot be read") from None
        except OSError as fault:
            raise RefusedCallError(EXHAUSTED, f"the step cannot keep the archive: {fault.strerror}") from None
        return ()

    def _write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise RefusedCallError(EXHAUSTED, f"the archive is longer than {self._most} bytes")
        self._file.write(data)

    def end(self) -> Iterable[bytes]:
        """Take the end: the archive is whole."""
        self._ended = True
        return ()

    def cut(self) -> None:
        """The archive was cut; `chunks` says so."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the archive. Raises StreamCut if it did not come whole."""
        if not self._ended:
            raise StreamCut("The build ended, and its archive did not come whole")
        self._file.seek(0)
        yield from whole(iter(lambda: self._file.read(_PIECE), b""))

    def close(self) -> None:
        """Delete the archive."""
        self._file.close()
