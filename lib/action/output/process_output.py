"""Collects the output of a process as text, as base64 or as attachments, within the limits of message and step."""

from __future__ import annotations

import base64
import codecs
import io
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, BinaryIO, Self

from lib import jsontext
from lib.action.attachment_storage import store
from lib.action.settings import ATTACHMENT, BASE64, StepSettings
from lib.sailor import Context

MESSAGE_FULL = "messageSize"
"""Value of `truncated` if the platform's limit for messages ended the reading, and not a limit of the step."""
BYTES = "application/octet-stream"
_STREAMS = ("stdout", "stderr")
_AROUND = 512
"""Bytes of a body for the names of the fields, the exit code and the like."""
_IN_MEMORY = 1 << 20
"""Bytes of one stream that stay in memory; above it the stream goes to a temporary file."""
_CHUNK = 1 << 16


def output(
    settings: StepSettings, context: Context, room: int, most: int | None, *, repeatable: bool = False
) -> Output:
    """Return the collector for the form in the step's setting `output`.

    `room`: bytes of JSON that the body may have. `most`: bytes of output that the step takes, None for no limit.
    `repeatable`: the same output can be read again if the storage does not answer now.
    """
    if settings.output == ATTACHMENT:
        return Files(context, settings.archive_bytes, repeatable=repeatable)
    return (Base64 if settings.output == BASE64 else Text)(room - _AROUND, most)


class Output(ABC):
    """Collects pieces of output. When a piece does not fit as a whole, `full` names the limit."""

    def __init__(self, room: int, most: int | None) -> None:
        self.full: str | None = None
        self._room = room
        self._most = most
        self._ends = ExitStack()

    def add(self, stream: str, payload: bytes) -> None:
        """Keep a piece, or as much of its beginning as has room; `stream` is stdout or stderr."""
        if self._most is not None:
            if len(payload) > self._most:
                payload, self.full = payload[: self._most], "maxBytes"
            self._most -= len(payload)
        if (cost := self._cost(payload)) > self._room:
            payload, self.full = self._beginning(payload), MESSAGE_FULL
            cost = self._cost(payload)
        self._room -= cost
        self._keep(stream, payload)

    def _beginning(self, payload: bytes) -> bytes:
        """Return the longest beginning that fits, by binary search; each byte costs at least one byte of room."""
        low, high = 0, min(len(payload), max(self._room, 0))
        while low < high:
            middle = (low + high + 1) // 2
            if self._cost(payload[:middle]) <= self._room:
                low = middle
            else:
                high = middle - 1
        return payload[:low]

    @abstractmethod
    def _cost(self, payload: bytes) -> int:
        """Return an upper bound of the bytes of JSON that this piece needs."""

    @abstractmethod
    def _keep(self, stream: str, payload: bytes) -> None:
        """Store a piece that has room."""

    @abstractmethod
    def body(self) -> dict[str, Any]:
        """Return the fields of the message's body; call it once, at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.close()


class Text(Output):
    """Both streams as text, and in addition both together, in the order in which they came."""

    def __init__(self, room: int, most: int | None) -> None:
        super().__init__(room, most)
        self._bytes = {name: bytearray() for name in _STREAMS}
        # One decoder for each stream: output of the other stream may come between the bytes of a character.
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in _STREAMS}
        self._together = io.StringIO()

    def _cost(self, payload: bytes) -> int:
        return 2 * (len(jsontext.encode(payload.decode("utf-8", "replace"))) - len('""'))

    def _keep(self, stream: str, payload: bytes) -> None:
        if stream in self._bytes:
            self._bytes[stream] += payload
            self._together.write(self._decoders[stream].decode(payload))

    def body(self) -> dict[str, Any]:
        """Return {stdout, stderr, text}, and `lossy: true` if bytes that are no UTF-8 were replaced."""
        found: dict[str, Any] = {}
        lossy = False
        for name, data in self._bytes.items():
            found[name], replaced = _decoded(bytes(data), whole=not self.full)
            lossy = lossy or replaced
            if not self.full:
                self._together.write(self._decoders[name].decode(b"", final=True))
        return {**found, "text": self._together.getvalue(), **({"lossy": True} if lossy else {})}


def _decoded(data: bytes, *, whole: bool) -> tuple[str, bool]:
    """Return the text, and whether it is lossy; a character that a limit cut off is dropped and does not count."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=whole), False
    except UnicodeDecodeError:
        return codecs.getincrementaldecoder("utf-8")("replace").decode(data, final=whole), True


class Base64(Output):
    """Both streams byte for byte, each in base64."""

    def __init__(self, room: int, most: int | None) -> None:
        super().__init__(room, most)
        self._bytes = {name: bytearray() for name in _STREAMS}

    def _cost(self, payload: bytes) -> int:
        return (len(payload) * 4 + 2) // 3

    def _keep(self, stream: str, payload: bytes) -> None:
        if stream in self._bytes:
            self._bytes[stream] += payload

    def body(self) -> dict[str, Any]:
        """Return {stdout, stderr, encoding}."""
        found = {name: base64.b64encode(data).decode() for name, data in self._bytes.items()}
        return {**found, "encoding": BASE64}


class Files(Output):
    """Both streams byte for byte, each an attachment; above 1 MiB a stream is buffered in a file."""

    def __init__(self, context: Context, most: int, *, repeatable: bool) -> None:
        super().__init__(0, most)
        self._storage, self._repeatable = context.storage, repeatable
        self._files: dict[str, BinaryIO] = {}

    def _cost(self, payload: bytes) -> int:  # noqa: ARG002 - the message has only the address
        return 0

    def _keep(self, stream: str, payload: bytes) -> None:
        if stream not in _STREAMS or not payload:
            return
        if stream not in self._files:
            file = self._ends.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115
            self._files[stream] = file  # type: ignore[assignment]
        self._files[stream].write(payload)

    def body(self) -> dict[str, Any]:
        """Store the streams that have output; return {attachments: {stdout, stderr}}. Raises as `store`."""
        return {"attachments": {name: self._stored(file) for name, file in self._files.items()}}

    def _stored(self, file: BinaryIO) -> Any:
        assert self._storage is not None  # noqa: S101 - see check_room
        size = file.tell()
        file.seek(0)
        return store(self._storage, _chunks(file), content_type=BYTES, size=size, repeatable=self._repeatable)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk
