"""BuildKit's own service in the engine, Control, behind POST /grpc: there this side is the client.

It carries a session where POST /session is not let through, and takes builds that POST /build cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lib.engine.attach.duplex import Duplex
from lib.engine.attach.session import upgrade
from lib.engine.buildkit.calls import BrokenSessionError
from lib.engine.buildkit.rpc_client import Arrived, Ended, RpcClient
from lib.engine.client import Engine
from lib.engine.closing import Closing
from lib.engine.errors import NotSupported
from lib.engine.protobuf import MalformedError, fields, message

SERVICE = "/moby.buildkit.v1.Control"


class Control(Closing):
    """An open connection to Control; leaving its block ends it. Raises what `upgrade` does, and NotSupported."""

    def __init__(self, engine: Engine) -> None:
        self._connection: Duplex = upgrade(engine, "/grpc", {}, protocol="h2c")
        if not self._connection.upgraded:
            self._connection.close()
            raise NotSupported("POST /grpc was answered without opening a connection", path="/grpc")
        self.rpc = RpcClient()

    def flush(self) -> None:
        """Send what waits."""
        if data := self.rpc.data():
            self._connection.send(data)

    def events(self) -> Iterator[Arrived | Ended]:
        """Yield what arrives until the connection ends. Raises BrokenSessionError."""
        for data in self._connection.chunks():
            yield from self.rpc.feed(data)
            self.flush()

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all, from now; then LimitReached is raised."""
        self._connection.pace(idle, seconds)

    def shut_down(self) -> None:
        """End the connection under a thread that reads it."""
        self._connection.shut_down()

    def close(self) -> None:
        """End the connection; the engine ends the calls on it."""
        self._connection.close()


class Tunnel(Closing):
    """A session through Control: bytes in both directions, as the connection of POST /session has them."""

    def __init__(self, engine: Engine, headers: Sequence[tuple[str, str]]) -> None:
        self._control = Control(engine)
        self._call = self._control.rpc.call(
            f"{SERVICE}/Session", [(name.lower(), value) for name, value in headers]
        )
        self._control.flush()

    def send(self, data: bytes) -> None:
        """Send bytes to the engine."""
        if data:
            self._control.rpc.send(self._call, message((1, data)))
            self._control.flush()

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the engine until it ends the session. Raises BrokenSessionError."""
        for event in self._control.events():
            if isinstance(event, Arrived):
                yield _payload(event.message)
            elif isinstance(event, Ended):
                if event.code:
                    raise BrokenSessionError(f"{event.text or 'no reason'} (code {event.code})")
                return

    def shut_down(self) -> None:
        """End it under a thread that reads it."""
        self._control.shut_down()

    def close(self) -> None:
        """End it."""
        self._control.close()


def _payload(data: bytes) -> bytes:
    try:
        return b"".join(value for number, value in fields(data) if number == 1 and isinstance(value, bytes))
    except MalformedError as fault:
        raise BrokenSessionError("a message of the session cannot be read") from fault
