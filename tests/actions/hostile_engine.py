"""An engine that answers with any bytes, on a real socket, and closes the connection after them."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.actions.recorder import MAGIC, OBJECT
from tests.lab.waiting import DEADLINE, ended

PING = (
    b"HTTP/1.1 200 OK\r\nApi-Version: 1.56\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)
ACCEPT = b"@ACCEPT@"  # in an answer: what the websocket's handshake expects
_GOOD = json.dumps(OBJECT).encode()
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_GOOD),
    _GOOD,
)


@dataclass
class Script:
    """What is answered: `good` times an object that lets a handler go on, then always `answer`; and how often asked.

    `clock`: SystemPing as an operation is answered well, too; triggers read the time in it.
    """

    good: int = 0
    answer: bytes = b""
    asked: int = 0
    greeted: bool = False
    """Whether the versions were asked for: the first SystemPing is answered well."""
    clock: bool = False


class HostileEngine:
    """`url` is its address, `script` what it says; the first SystemPing of each is answered well."""

    def __init__(self, folder: Path) -> None:
        path = folder / "engine.sock"
        self.folder = str(folder)
        self.url = f"unix://{path}"
        self.script = Script()
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(str(path))
        self._door.listen(64)
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                peer = self._door.accept()[0]
            except OSError:
                return
            peer.settimeout(DEADLINE)
            threading.Thread(target=self._serve, args=(peer, self.script), daemon=True).start()

    @staticmethod
    def _serve(peer: socket.socket, script: Script) -> None:
        with suppress(OSError), peer:
            while request := _request(peer):
                if b"/_ping " in request[:40] and (script.clock or not script.greeted):
                    script.greeted = True
                    peer.sendall(PING)
                    return
                script.asked += 1
                if script.good:
                    script.good -= 1
                    peer.sendall(GOOD)
                    continue
                peer.sendall(script.answer.replace(ACCEPT, _accepted(request)))
                peer.shutdown(socket.SHUT_WR)
                while peer.recv(65536):
                    pass
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        ended(self._thread)


def _request(peer: socket.socket) -> bytes:
    """One request, with its body where the head says how long that is."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = peer.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length and (piece := peer.recv(65536)):
        body += piece
    return head


def _accepted(request: bytes) -> bytes:
    key = request.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0].decode()
    return base64.b64encode(hashlib.sha1((key + MAGIC).encode()).digest())
