"""An HTTP proxy before an engine's socket that lets chosen calls through and answers 403 to all others."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.lab.door import PIECE, Door, pump, until

REFUSAL = (
    b"HTTP/1.0 403 Forbidden\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n"
    b"<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"
)
"""As the usual ones say it: HAProxy with a list of rules."""

# Method and path behind the version; patterns match whole.
PING = r"(GET|HEAD) /_ping"
EVENTS = r"GET /events"
READS = r"(GET|HEAD) /.*"
POSTS = r"(POST|PUT|DELETE) /.*"
NO_EXEC = r"(?!POST /containers/[^/]+/exec)(?!\S+ /exec/).*"
_VERSION = re.compile(r"^/v\d+\.\d+(?=/)")


class SocketProxy(Door):
    """Listens at `url`; `calls` has all calls as "METHOD /path", `targets` the same ones with their query.

    `refused` has those that were answered with 403.
    `before` is called with each call before it is passed on; bytes that it returns are the answer, in its place. What
    it raises cuts the connection; a ConnectionError is meant to do just that, anything else is raised again at the end.
    """

    def __init__(self, target: str, *allowed: str) -> None:
        self._target = target
        self._allowed = [re.compile(pattern) for pattern in allowed]
        self.calls: list[str] = []
        self.targets: list[str] = []
        self.refused: list[str] = []
        self.before: Callable[[str], object] = lambda _: None
        super().__init__(socket.create_server(("127.0.0.1", 0)))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self._faults: list[BaseException] = []
        self.begin()

    def _serve(self, near: socket.socket) -> None:
        """One request a connection, as HAProxy does it when it is told to close: the next may be another one."""
        with near, suppress(OSError):
            head = until(near)
            call = call_of(head)
            if not head:
                return
            self.calls.append(call)
            self.targets.append(head.split(b" ", 2)[1].decode("latin-1"))
            try:
                instead = self.before(call)
            except ConnectionError:  # the connection is to break here
                return
            except BaseException as fault:  # noqa: BLE001 - raised again at the end
                self._faults.append(fault)
                return
            if isinstance(instead, bytes):
                near.sendall(instead)
                near.shutdown(socket.SHUT_WR)
                while near.recv(PIECE):  # the rest of the request
                    pass
                return
            if not any(pattern.fullmatch(call) for pattern in self._allowed):
                self.refused.append(call)
                near.sendall(REFUSAL)
                return
            with socket.socket(socket.AF_UNIX) as far:
                far.connect(self._target)
                with self._guard:
                    self._open |= {near, far}
                far.sendall(closing(head))
                back = threading.Thread(target=pump, args=(far, near), daemon=True)
                back.start()
                pump(near, far)
                back.join()
                with self._guard:
                    self._open -= {near, far}

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._faults:
            raise self._faults[0]


def call_of(head: bytes) -> str:
    method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    path = rest.partition(" ")[0].partition("?")[0]
    return f"{method} {_VERSION.sub('', path)}"


def closing(head: bytes) -> bytes:
    """The engine is to end the connection after its answer, but for one that is taken over."""
    if re.search(rb"\r\nUpgrade:", head, re.IGNORECASE):
        return head
    return head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
