"""The session of one build: a connection of our own on which the engine is the client, served by a thread.

The thread answers at once or not at all, since an engine that gets no answer to its health checks ends the session.
It ends when the engine ends the connection, and when `close` shuts it down.
"""

from __future__ import annotations

import threading
import uuid

from lib.engine.attach.session import upgrade
from lib.engine.buildkit.calls import Methods
from lib.engine.buildkit.rpc_server import BrokenSessionError, RpcServer
from lib.engine.client import Engine
from lib.engine.closing import Closing
from lib.engine.errors import EngineError, NotSupported

JOIN_SECONDS = 10.0
"""How long `close` waits for the thread; it needs a moment, as its connection is down."""


class BuildSession(Closing):
    """An open session; `id` is what `session` of POST /build has to be. Leaving its block ends it."""

    def __init__(self, engine: Engine, methods: Methods) -> None:
        self.id = uuid.uuid4().hex
        self.fault = ""
        """Why the session ended before it was closed, "" if it did not."""
        headers = [("X-Docker-Expose-Session-Uuid", self.id), ("X-Docker-Expose-Session-Name", "build")]
        headers += [("X-Docker-Expose-Session-Grpc-Method", path) for path in methods]
        self._connection = upgrade(engine, "/session", {}, protocol="h2c", headers=headers)
        if not self._connection.upgraded:
            self._connection.close()
            raise NotSupported("POST /session was answered without opening a session", path="/session")
        self._server = RpcServer(methods)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="build session", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            self._connection.send(self._server.start())
            for data in self._connection.chunks():
                self._connection.send(self._server.feed(data))
                if self._server.ended:
                    break
            self._ended("the engine ended it")
        except (EngineError, BrokenSessionError, OSError) as fault:
            self._ended(fault.message if isinstance(fault, EngineError) else str(fault))
        finally:
            self._server.cut()
            self._connection.close()

    def _ended(self, why: str) -> None:
        if not self._closing.is_set():
            self.fault = f"The connection of the build session was lost ({why})"

    def close(self) -> None:
        """End the session; the engine notices at once."""
        self._closing.set()
        self._connection.shut_down()
        self._thread.join(JOIN_SECONDS)
