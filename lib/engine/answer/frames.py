"""Splits the engine's multiplexed streams (logs, attach, exec without TTY) into frames.

A frame is a header of eight bytes (the number of the stream, three zeros, the length of the payload in four bytes,
most significant first) and the payload.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lib.engine.errors import StreamCut, StreamFailed, shortened

Frame = tuple[str, bytes]

_HEADER = 8
_ERROR = "error"
_STREAMS = {b"\0\0\0\0": "stdin", b"\1\0\0\0": "stdout", b"\2\0\0\0": "stderr", b"\3\0\0\0": _ERROR}
LONGEST_FRAME = 1 << 22
"""Bytes. Engines write 16 to 32 KiB a frame; a far longer one is not a frame but the output of a TTY."""


def frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """Yield (stream, payload) with the stream stdin, stdout or stderr; chunks may end anywhere.

    Empty frames are skipped. Raises StreamFailed for an error that the engine sends (type 3) and for bytes that are
    not frames (the container has a TTY), StreamCut for an end inside a frame.
    """
    count = have = 0
    need = _HEADER
    held: list[bytes] = []
    for chunk in chunks:
        held.append(chunk)
        have += len(chunk)
        if have < need:  # joining each chunk would take quadratic time for a long frame
            continue
        buffer = b"".join(held) if len(held) > 1 else chunk
        position, need = 0, _HEADER
        while have - position >= _HEADER:
            start = position + _HEADER
            stream = _STREAMS.get(buffer[position : position + 4])
            stop = start + int.from_bytes(buffer[position + 4 : start])
            if stream is None or stop - start > LONGEST_FRAME:
                raise _no_frames(count)
            if stop > have:
                need = stop - position
                break
            if stream is _ERROR:
                raise StreamFailed(shortened(buffer[start:stop].decode("utf-8", "replace").strip()))
            if stop > start:
                yield stream, buffer[start:stop]
            count += 1
            position = stop
        held = [buffer[position:]]
        have -= position
    if have:
        raise StreamCut(f"The stream was cut inside frame {count + 1}; {count} came whole", records=count)


def _no_frames(count: int) -> StreamFailed:
    return StreamFailed(
        f"What follows frame {count} of the stream is no frame of at most {LONGEST_FRAME} bytes",
        hint="A container with a TTY sends its output without frames: check its Tty setting",
    )


def raw(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """Yield the output of a TTY as stdout: it has no frames and mixes both streams."""
    for chunk in chunks:
        if chunk:
            yield "stdout", chunk
