"""A unix socket before an engine's own, which counts the requests that pass, and the bytes that come back."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

REQUEST = re.compile(rb"^((?:GET|HEAD|POST|PUT|DELETE) \S+) HTTP/1\.1\r$", re.MULTILINE)


class Counting:
    """`path` is where clients connect; who connects to `path` + ".count" is told the number so far.

    `calls` are the requests as "METHOD /path?query", `read` the bytes of all answers with their heads.
    """

    def __init__(self, path: str, target: str) -> None:
        self.path, self.target, self.requests, self.read = path, target, 0, 0
        self.calls: list[str] = []
        self._ends: list[socket.socket] = []
        self._carriers: list[threading.Thread] = []
        self._doors = [self._listen(path, self._pass), self._listen(f"{path}.count", self._tell)]

    def _listen(self, path: str, serve: object) -> socket.socket:
        door = socket.socket(socket.AF_UNIX)
        door.bind(path)
        door.listen(64)
        threading.Thread(target=self._accept, args=(door, serve), daemon=True).start()
        return door

    def _accept(self, door: socket.socket, serve: object) -> None:
        with contextlib.suppress(OSError):
            while True:
                serve(door.accept()[0])  # type: ignore[operator]

    def _tell(self, near: socket.socket) -> None:
        with near:
            near.sendall(str(self.requests).encode())

    def _pass(self, near: socket.socket) -> None:
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.target)
        self._ends += [near, far]
        self._carriers.append(threading.Thread(target=self._carry, args=(near, far), daemon=True))
        self._carriers[-1].start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            back = threading.Thread(target=self._pump, args=(far, near, False), daemon=True)
            back.start()
            self._pump(near, far, True)
            back.join()

    def _pump(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if counts:  # the head of a request comes in one piece
                    found = REQUEST.findall(data)
                    self.requests += len(found)
                    self.calls += [call.decode("latin-1") for call in found]
                else:
                    self.read += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Stop listening, and end what is still open."""
        for door in self._doors:
            door.shutdown(socket.SHUT_RDWR)
            door.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for carrier in self._carriers:
            carrier.join()
