"""BuildKit's own service in the engine, Control: there this side is the client.

It is behind POST /grpc, and from engine 29.2 on at the engine's own address for those who speak HTTP/2 there; engines
may drop the first. It carries a session where POST /session is not let through, and takes builds that POST /build
cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lib.engine.attach.duplex import Duplex
from lib.engine.attach.http2 import Http2Link
from lib.engine.attach.session import http2, upgrade
from lib.engine.buildkit.calls import DENIED, NO_LOGIN, OK, UNAVAILABLE, UNIMPLEMENTED, BrokenSessionError
from lib.engine.buildkit.rpc_client import Arrived, Ended, RpcClient
from lib.engine.client import Engine
from lib.engine.closing import Closing
from lib.engine.errors import NotFound, NotSupported, Refused, StreamCut, Unauthorized
from lib.engine.http.faults import Exit
from lib.engine.http.request_head import host_of
from lib.engine.protobuf import MalformedError, fields, message

SERVICE = "/moby.buildkit.v1.Control"
_PATH = "/grpc"
_NOT_ALLOWED = 405
_CLOSED = (DENIED, NO_LOGIN, UNIMPLEMENTED)


class Control(Closing):
    """An open connection to Control; leaving its block ends it.

    Raises NotSupported where neither way leads to it, StreamCut where HTTP/2 ends before it is asked, and else what
    `upgrade` and `http2` raise.
    """

    def __init__(self, engine: Engine) -> None:
        self._connection, self.rpc = _opened(engine)

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


def is_closed(refusal: Refused) -> bool:
    """Whether a refusal says that a call is not to be had: of a proxy, of Podman, of an engine without the route."""
    return isinstance(refusal, NotFound | Unauthorized | NotSupported) or refusal.status == _NOT_ALLOWED


def answered(path: str, refusal: Refused) -> str:
    """Return in words how a POST that would open a connection was refused."""
    if refusal.status is None:
        return f"POST {path} was answered without opening a connection"
    return f"POST {path} was answered with {refusal.status}"


def _opened(engine: Engine) -> tuple[Duplex | Http2Link, RpcClient]:
    try:
        return _upgraded(engine), RpcClient()
    except Refused as refusal:
        if not is_closed(refusal):
            raise
        told = answered(_PATH, refusal)
        if not isinstance(
            refusal, NotFound | NotSupported
        ):  # a proxy that forbids it forbids it in every form
            raise _none(told, refusal) from refusal
        try:
            return _direct(engine)
        except NotSupported as none:
            raise _none(f"{told}, and {none.message}", refusal) from none


def _upgraded(engine: Engine) -> Duplex:
    connection = upgrade(engine, _PATH, {}, protocol="h2c")
    if not connection.upgraded:
        connection.close()
        raise NotSupported("It opened no connection", path=_PATH)
    return connection


def _direct(engine: Engine) -> tuple[Http2Link, RpcClient]:
    endpoint, seconds = engine.endpoint, engine.timeouts.stream.first_byte
    rpc = RpcClient(
        scheme="https" if endpoint.tls else "http",
        authority=host_of(endpoint),
        prefix=endpoint.prefix,
        headers=[(name.lower(), value) for name, value in engine.sender.identity],
    )
    link = http2(engine, rpc.data(), shown=_PATH)
    try:
        link.limit(seconds)
        with Exit(reads=False):
            end = _asked(link, rpc)
        link.limit(None)
    except BaseException:
        link.close()
        raise
    if end.code == OK:
        return link, rpc
    link.close()
    if end.code in _CLOSED:
        raise NotSupported(f"by HTTP/2 there is no BuildKit: {end.text} (code {end.code})")
    raise StreamCut(f"by HTTP/2 {end.text} (code {end.code})", method="POST", path=_PATH)


def _asked(link: Http2Link, rpc: RpcClient) -> Ended:
    """Ask for what every engine tells: HTTP/2 may lead to a proxy, which is no BuildKit."""
    call = rpc.call(f"{SERVICE}/ListWorkers")
    rpc.send(call, b"")
    rpc.end(call)
    link.send(rpc.data())
    try:
        for data in link.chunks():
            events = list(rpc.feed(data))
            link.send(rpc.data())
            if end := next((event for event in events if isinstance(event, Ended)), None):
                return end
    except BrokenSessionError as broken:
        raise StreamCut(str(broken), method="POST", path=_PATH) from broken
    return Ended(call, UNAVAILABLE, "the engine ended the connection")


def _none(told: str, refusal: Refused) -> NotSupported:
    return NotSupported(told, status=refusal.status, method="POST", path=refusal.path)
