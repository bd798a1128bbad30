"""Gives the context of a build to an engine that pulls it over the session, from a file without a name.

The thread of the session reads it. It must not wait for the source of the context, an attachment for one, since the
engine wants its health checks answered meanwhile; so the context is fetched before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from lib.engine.buildkit.calls import NOT_FOUND, Answers, Call, Metadata, Methods, RefusedCallError
from lib.engine.closing import Closing
from lib.engine.protobuf import message
from lib.engine.request.upload import Upload

ADDRESS = "http://buildkit-session/"
"""What addresses of contexts begin with that are pulled over the session."""
_PIECE = 1 << 15
_IN_MEMORY = 1 << 20


class ContextPull(Closing):
    """One context; `address` is what the build calls it. Raises what the upload raises."""

    def __init__(self, upload: Upload, name: str) -> None:
        self.address = ADDRESS + name
        self._name = name
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, prefix="context-")  # noqa: SIM115 - `close` closes it
        try:
            for piece in upload:
                self._file.write(piece)
        except BaseException:
            self.close()
            raise

    def methods(self) -> Methods:
        """Return the method by which the engine pulls."""
        return {"/moby.upload.v1.Upload/Pull": self._pulled}

    def _pulled(self, metadata: Metadata) -> Call:
        if metadata.get("urlpath", "").strip("/") != self._name:
            raise RefusedCallError(NOT_FOUND, "there is no such context")
        return Answers(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        at = 0
        while True:  # each pull has its own place in the file
            self._file.seek(at)
            piece = self._file.read(_PIECE)
            if not piece:
                return
            at += len(piece)
            yield message((1, piece))

    def close(self) -> None:
        """Delete it."""
        self._file.close()
