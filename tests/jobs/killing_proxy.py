"""A way to an engine that counts the calls which change something, and kills at the one that is told."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

from tests.lab.door import ENDING, PIECE, Door, pump

BEFORE, AFTER = "before", "after"
Death = tuple[int, str]
"""At which changing call, from 1 up, and on which side of it."""
_CALL = re.compile(rb"(\w+) (?:/v[\d.]+)?(/[^ ?]*)")
_LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
_READS = re.compile(r"(GET|HEAD) .*|POST /containers/[^/]+/wait|POST /auth")


class KillingProxy(Door):
    """Passes one call a connection on to the engine, and kills at the one that is told.

    At its end the step is gone: what it talked to on the engine, which would talk on, ends too.
    """

    def __init__(self, target: str, looks: list[str], folder: str, die: Death | None) -> None:
        self._target, self._looks, self._die = target, looks, die
        self.calls: list[str] = []
        self.kill: Callable[[], None] = lambda: None
        self._count = 0
        path = f"{folder}/engine.sock"
        self.url = f"unix://{path}"
        door = socket.socket(socket.AF_UNIX)
        door.bind(path)
        door.listen(64)
        super().__init__(door)
        self.begin()

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
            back = threading.Thread(target=pump, args=(near, far), daemon=True)
            back.start()
            if side == AFTER:
                _head(far) if taken_over else _drained(far)
                self.kill()
                return
            pump(far, near)

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
    while ENDING not in data:
        if not (piece := end.recv(PIECE)):
            return b"", b""
        data += piece
    head, _, rest = data.partition(ENDING)
    return head + ENDING, rest


def _drained(end: socket.socket) -> None:
    """Read one answer to its end, which is the end of the connection, or where its head says so."""
    head, rest = _head(end)
    length = _LENGTH.search(head)
    while (length is None or len(rest) < int(length[1])) and (piece := end.recv(PIECE)):
        rest += piece
