"""The Engine's multiplexed streams (logs, attach, exec without TTY): eight bytes of header, a payload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lib.engine.errors import StreamCut, StreamFailed, shortened

Frame = tuple[str, bytes]

_HEADER = 8
_ERROR = "error"
_STREAMS = {b"\0\0\0\0": "stdin", b"\1\0\0\0": "stdout", b"\2\0\0\0": "stderr", b"\3\0\0\0": _ERROR}
LONGEST_FRAME = 1 << 22
"""Bytes. Engines write 16 to 32 KiB a frame; what claims to be far longer is no frame but the output of a TTY."""


def frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """Yield (stream, payload), stream being stdin, stdout or stderr, wherever the chunks were cut.

    Empty frames are passed over. The engine's own error (type 3) is a StreamFailed, an end inside a frame a
    StreamCut, and bytes that are no frames (the container has a TTY) a StreamFailed that says so.
    """
    count = have = 0
    need = _HEADER
    held: list[bytes] = []
    for chunk in chunks:
        held.append(chunk)
        have += len(chunk)
        if have < need:  # joining again and again would make one long frame in small chunks quadratic
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
    """Yield the output of a TTY, which has no frames and mixes both streams: all of it is stdout."""
    for chunk in chunks:
        if chunk:
            yield "stdout", chunk
