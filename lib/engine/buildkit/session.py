"""The session of one build: a connection of our own on which the engine is the client, served by a thread.

The thread answers at once or not at all, since an engine that gets no answer to its health checks ends the session.
It ends when the engine ends the connection, and when `close` shuts it down.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from typing import Protocol

from lib.engine.attach.session import upgrade
from lib.engine.buildkit.calls import BrokenSessionError, Methods
from lib.engine.buildkit.control import Tunnel, answered, is_closed
from lib.engine.buildkit.rpc_server import RpcServer
from lib.engine.client import Engine
from lib.engine.closing import Closing
from lib.engine.errors import EngineError, NotSupported, Refused

_PATH = "/session"
JOIN_SECONDS = 10.0
"""How long `close` waits for the thread; it needs a moment, as its connection is down."""


class Pipe(Protocol):
    """What carries a session: bytes in both directions."""

    def send(self, data: bytes) -> None:
        """Send all of `data`."""

    def chunks(self) -> Iterator[bytes]:
        """Yield what arrives until the end."""

    def shut_down(self) -> None:
        """End it under a thread that reads it."""

    def close(self) -> None:
        """End it."""


class BuildSession(Closing):
    """An open session; `id` is what `session` of POST /build has to be. Leaving its block ends it.

    Raises NotSupported where the way to the engine has no sessions, and else what `upgrade` does.
    """

    def __init__(self, engine: Engine, methods: Methods) -> None:
        self.id = uuid.uuid4().hex
        self.fault = ""
        """Why the session ended before it was closed, "" if it did not."""
        headers = [("X-Docker-Expose-Session-Uuid", self.id), ("X-Docker-Expose-Session-Name", "build")]
        headers += [("X-Docker-Expose-Session-Grpc-Method", path) for path in methods]
        self._connection = _opened(engine, headers)
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


def _opened(engine: Engine, headers: Sequence[tuple[str, str]]) -> Pipe:
    """Open POST /session, or where there is none the same through Control; NotSupported tells how each was refused."""
    try:
        connection = upgrade(engine, _PATH, {}, protocol="h2c", headers=headers)
        if connection.upgraded:
            return connection
        connection.close()
        raise NotSupported("It opened no connection", path=_PATH)
    except Refused as refusal:
        if not is_closed(refusal):
            raise
        try:
            return Tunnel(engine, headers)
        except Refused as other:
            raise NotSupported(
                f"{answered(_PATH, refusal)}, {other.message}",
                status=refusal.status,
                method="POST",
                path=refusal.path,
            ) from other
