"""A socket for http.client whose every wait is bounded: for the next bytes, and for everything."""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class LimitedSocket:
    """What http.client needs of a socket; TimeoutError when `idle` passes without a byte, or the `deadline`."""

    def __init__(self, sock: socket.socket, idle: float, deadline: float | None) -> None:
        self._sock = sock
        self._idle = idle
        self.deadline = deadline
        """By time.monotonic(); None while a stream is sent, which takes as long as its source."""

    def sendall(self, data: Any) -> None:
        """Send one piece."""
        with self.limited():
            self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a reader; the socket stays open until it is closed."""
        return io.BufferedReader(_Reader(self, self._sock.makefile("rb", buffering=0)))

    def close(self) -> None:
        self._sock.close()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Bound the wait within, and say which of the two limits it reached."""
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
