"""The client library's connection, with one change: what belongs together is sent together."""

from __future__ import annotations

from collections.abc import Sequence

from pika import SelectConnection

JOINED_UP_TO = 65_536


class Connection(SelectConnection):
    """Writes the frames of a small publish with one system call instead of three."""

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        if len(marshaled_frames) > 1 and sum(map(len, marshaled_frames)) <= JOINED_UP_TO:
            marshaled_frames = [b"".join(marshaled_frames)]
        super()._output_marshaled_frames(marshaled_frames)
