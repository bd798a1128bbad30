"""What the lab's proxies have in common: a door, a thread for each connection, and an end that leaves none open."""

from __future__ import annotations

import socket
import threading
from abc import abstractmethod
from contextlib import suppress

from lib.engine.closing import Closing

ENDING = b"\r\n\r\n"
"""What ends the head of a request or an answer."""
PIECE = 65536


class Door(Closing):
    """Serves each connection in a thread of its own; `close` ends all of them, and what is in `_open`."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def begin(self) -> None:
        """Let them in."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._door.accept()[0]
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    @abstractmethod
    def _serve(self, near: socket.socket) -> None:
        """Serve one connection and close it."""

    def close(self) -> None:
        with self._guard:
            ends = [self._door, *self._open]
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._door.close()


def until(end: socket.socket, mark: bytes = ENDING) -> bytes:
    """What one side says up to a mark, and perhaps more; b"" where it ends before."""
    data = b""
    while mark not in data:
        piece = end.recv(PIECE)
        if not piece:
            return b""
        data += piece
    return data


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what one side says, and its end, which is that of one direction only."""
    with suppress(OSError):
        for data in iter(lambda: source.recv(PIECE), b""):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
