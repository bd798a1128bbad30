"""A socket for http.client with two limits on its waits: seconds without a byte, and a deadline for everything."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class LimitedSocket:
    """The methods of a socket that http.client calls.

    Each raises TimeoutError after `idle` seconds without a byte, or at the `deadline`.
    """

    def __init__(self, sock: socket.socket, idle: float, deadline: float | None) -> None:
        self._sock = sock
        self._idle = idle
        self.deadline = deadline
        """A time of time.monotonic(); None while a stream is sent, which takes as long as its source."""

    def sendall(self, data: Any) -> None:
        """Send all of `data`; `idle` limits the time for it."""
        with self.limited():
            self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a buffered reader; the socket stays open until the reader is closed, too."""
        return io.BufferedReader(_Reader(self, self._sock.makefile("rb", buffering=0)))

    def close(self) -> None:
        self._sock.close()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Set the time limit of the calls in the `with` block; the TimeoutError names the limit that was reached."""
        left = self._idle if self.deadline is None else self.deadline - time.monotonic()
        if left > 0:
            self._sock.settimeout(min(left, self._idle))
            try:
                yield
            except TimeoutError:
                if left >= self._idle:
                    raise TimeoutError(f"timed out, nothing came within {self._idle:g} s") from None
            else:
                return
        raise TimeoutError("it took too long in all")


class _Reader(io.RawIOBase):
    def __init__(self, limits: LimitedSocket, raw: io.RawIOBase) -> None:
        self._limits, self._raw = limits, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        with self._limits.limited():
            return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
