"""A way to an engine that counts the calls which change something, and kills at the one that is told."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Self

BEFORE, AFTER = "before", "after"
Death = tuple[int, str]
"""At which changing call, from 1 up, and on which side of it."""
_PIECE, _END = 65536, b"\r\n\r\n"
_CALL = re.compile(rb"(\w+) (?:/v[\d.]+)?(/[^ ?]*)")
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
_READS = re.compile(r"(GET|HEAD) .*|POST /containers/[^/]+/wait|POST /auth")


class KillingProxy:
    """Passes one call a connection on to the engine, and kills at the one that is told."""

    def __init__(self, target: str, looks: list[str], folder: str, die: Death | None) -> None:
        self._target, self._looks, self._die = target, looks, die
        self.calls: list[str] = []
        self.kill: Callable[[], None] = lambda: None
        self._count, self._guard = 0, threading.Lock()
        self._open: set[socket.socket] = set()
        path = f"{folder}/engine.sock"
        self.url = f"unix://{path}"
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(path)
        self._door.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        with self._guard:
            for far in self._open:  # the step is gone, and what it talked to would talk on
                with suppress(OSError):
                    far.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._door.accept()[0]
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far, suppress(OSError), ExitStack() as stack:
            head, rest = _head(near)
            if not (match := _CALL.match(head)):
                return
            call = f"{match[1].decode()} {match[2].decode()}"
            side = self._side(call)
            if side == BEFORE:
                self.kill()
                return
            with self._guard:
                self._open.add(far)
            stack.callback(self._forget, far)
            far.connect(self._target)
            taken_over = re.search(rb"\r\nUpgrade:", head, re.IGNORECASE) is not None
            far.sendall(
                (head if taken_over else head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)) + rest
            )
            back = threading.Thread(target=_pump, args=(near, far), daemon=True)
            back.start()
            if side == AFTER:
                _head(far) if taken_over else _drained(far)
                self.kill()
                return
            _pump(far, near)

    def _forget(self, far: socket.socket) -> None:
        with self._guard:
            self._open.discard(far)

    def _side(self, call: str) -> str:
        """Count a call; return the side on which it is to kill, "" for none."""
        if _READS.fullmatch(call):
            self._looks.append(call)
            return ""
        with self._guard:
            self._count += 1
            side = self._die[1] if self._die and self._die[0] == self._count else ""
            if side != BEFORE:
                self.calls.append(call)
        return side


def _head(end: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while _END not in data:
        if not (piece := end.recv(_PIECE)):
            return b"", b""
        data += piece
    head, _, rest = data.partition(_END)
    return head + _END, rest


def _drained(end: socket.socket) -> None:
    """Read one answer to its end, which is the end of the connection, or where its head says so."""
    head, rest = _head(end)
    length = _LENGTH.search(head)
    while (length is None or len(rest) < int(length[1])) and (piece := end.recv(_PIECE)):
        rest += piece


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_PIECE):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
