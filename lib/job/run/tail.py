"""The end of what a program wrote: so many bytes of its outputs, in the order in which they came.

An engine hears both outputs at once and orders them as it hears them: a last line on stderr may come before the last
hundred on stdout. So neither pushes the other out: the shorter one is kept whole up to half of the room.
"""

from __future__ import annotations

import codecs
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from lib import jsontext
from lib.action.output.process_output import MESSAGE_FULL

_STREAMS = ("stdout", "stderr")
_CONTINUES = range(0x80, 0xC0)
"""Bytes of UTF-8 that begin no character."""
Piece = tuple[int, str, bytes]
"""Its number in the order in which all came, the output, and the bytes."""


@dataclass(slots=True)
class _Output:
    pieces: deque[Piece] = field(default_factory=deque)
    size: int = 0
    dropped: bool = False


@dataclass(slots=True)
class Tail:
    """Keeps the last `most` bytes; `seen` and `frames_seen` count all that came."""

    most: int
    seen: int = 0
    frames_seen: int = 0
    _outputs: dict[str, _Output] = field(default_factory=lambda: {name: _Output() for name in _STREAMS})

    def add(self, stream: str, payload: bytes) -> None:
        """Take a piece in, and let go of what is too old."""
        if (output := self._outputs.get(stream)) is None:
            return
        self.seen += len(payload)
        self.frames_seen += 1
        output.pieces.append((self.frames_seen, stream, payload))
        output.size += len(payload)
        for name, room in self._rooms(self.most).items():
            output = self._outputs[name]
            while output.pieces and output.size - len(output.pieces[0][2]) >= room:
                output.size -= len(output.pieces.popleft()[2])
                output.dropped = True

    def body(self, room: int) -> dict[str, Any]:
        """Return {stdout, stderr, text}, and `truncated` where the beginning is missing.

        `room`: bytes of JSON that they may have; both outputs stand there twice.
        """
        most, full = self.most, False
        while True:
            told, cut = self._told(most)
            size = len(jsontext.encode(told))
            if size <= room or not most:
                break
            full = True
            most = min(most, self.seen) * max(room, 0) // (size + 1)
        if full or cut:
            told["truncated"] = MESSAGE_FULL if full else "maxBytes"
        return told

    def _rooms(self, most: int) -> dict[str, int]:
        """Return how many bytes of each output are kept of `most` together."""
        sizes = {name: output.size for name, output in self._outputs.items()}
        if sum(sizes.values()) <= most:
            return sizes
        shorter = min(*sizes.values(), most // 2)
        first = min(_STREAMS, key=lambda name: sizes[name])
        return {name: shorter if name == first else most - shorter for name in _STREAMS}

    def _told(self, most: int) -> tuple[dict[str, Any], bool]:
        kept: list[Piece] = []
        cut = False
        for name, room in self._rooms(most).items():
            output = self._outputs[name]
            over = output.size - room
            fresh = over > 0 or output.dropped
            cut = cut or fresh
            for number, stream, payload in output.pieces:
                part = payload[max(over, 0) :]
                over -= len(payload)
                if part and fresh:
                    fresh, part = False, _from_character(part)
                if part:
                    kept.append((number, stream, part))
        return _texts(sorted(kept)), cut


def _from_character(data: bytes) -> bytes:
    start = 0
    while start < min(3, len(data)) and data[start] in _CONTINUES:
        start += 1
    return data[start:]


def _texts(pieces: list[Piece]) -> dict[str, Any]:
    decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in _STREAMS}
    parts = [(stream, decoders[stream].decode(data)) for _, stream, data in pieces]
    parts += [(name, decoders[name].decode(b"", final=True)) for name in _STREAMS]
    told = {name: "".join(text for stream, text in parts if stream == name) for name in _STREAMS}
    return {**told, "text": "".join(text for _, text in parts)}
