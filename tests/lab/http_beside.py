"""A small HTTP server on the loopback of an engine, where the engine reaches it by an address of its own."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.lab.engine import LabEngine
from tests.lab.netns import listen_inside


class HttpBeside(ThreadingHTTPServer):
    """Serves until the `with` block ends; `address` is host:port as the engine reaches it.

    A handler finds its server, and with it what a subclass keeps, as `self.server`.
    """

    def __init__(self, engine: LabEngine, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listen_inside(engine.namespace)
        self.address = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.shutdown()
        self.server_close()
