"""Connections with data in both directions: ContainerAttach, ExecStart, websocket attach, Session, and HTTP/2."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from lib import jsontext
from lib.engine.answer.frames import Frame
from lib.engine.attach.duplex import Duplex, open_duplex
from lib.engine.attach.handshake import LOOK
from lib.engine.attach.http2 import PROTOCOLS, Http2Link, open_http2
from lib.engine.client import Engine, Fields
from lib.engine.errors import EngineError, EngineFault, NoAnswer, NotFound, OutcomeUnknown, Unreachable
from lib.engine.http.request_head import host_of, request_head
from lib.engine.request.query import Parameter
from lib.engine.request.upload import UploadBroken

if TYPE_CHECKING:  # it is imported late, with its library: few steps need it
    from lib.engine.attach.websocket import WebSocket

Opened = TypeVar("Opened")
END_OF_INPUT = b"\x04"
"""The byte that Ctrl-D sends: it ends the stdin of a terminal."""


@dataclass(frozen=True)
class Dialogue:
    """An open connection to a process. `stdin` is sent, `tty` says how the output is read, `after` looks up the end.

    `final_input` is sent after stdin, which is then not closed: an engine drops the rest of the output when the stdin
    of a terminal is closed, or that of a container which keeps it open for others.
    """

    connection: Duplex | WebSocket
    tty: bool
    stdin: Iterable[bytes] | None = None
    after: Callable[[], Mapping[str, Any]] = field(default=dict, repr=False)
    final_input: bytes | None = None

    def frames(self) -> Iterator[Frame]:
        """Send stdin and end it, and yield (stream, bytes) until the process ends.

        Raises OutcomeUnknown if the connection is cut: the process has read a part of stdin, and may be running.
        """
        try:
            yield from self._frames()
        except (NoAnswer, UploadBroken) as cut:
            raise _unknown(cut) from cut

    def outcome(self) -> Mapping[str, Any]:
        """Return what `after` finds out about the end of the process; raises OutcomeUnknown if the engine is gone.

        A container that was removed at its end (AutoRemove) has no exit code any more: exitCode is None.
        """
        try:
            return self.after()
        except NotFound:
            return {"running": False, "exitCode": None}
        except (NoAnswer, Unreachable, EngineFault) as gone:
            raise _unknown(gone) from gone

    def _frames(self) -> Iterator[Frame]:
        stdin = self.stdin
        if stdin is not None and self.final_input is not None:
            self.connection.keeps_input = True
            stdin = chain(stdin, [self.final_input] if self.final_input else [])
        if isinstance(self.connection, Duplex):
            return self.connection.frames(stdin, tty=self.tty)
        return self.connection.frames(stdin)

    def pace(self, idle: float | None, seconds: float | None) -> None:
        """Allow `idle` seconds of silence and `seconds` in all."""
        self.connection.pace(idle, seconds)

    def close(self) -> None:
        """End the connection; the process goes on without it."""
        self.connection.close()


def _unknown(fault: EngineError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"The outcome is unknown: {fault.message}",
        method=fault.method,
        path=fault.path,
        hint=LOOK,
    )


def upgrade(
    engine: Engine,
    path: str,
    fields: Fields,
    *,
    query: Sequence[Parameter] = (),
    body: Any = None,
    protocol: str = "tcp",
    headers: Iterable[tuple[str, str]] = (),
) -> Duplex:
    """POST and return the upgraded connection; raises as the methods of Engine do, OutcomeUnknown for a lost answer.

    `headers` are sent beside those of every upgrade.
    """
    engine.permit("POST", path, fields, reads=False)
    target = engine.endpoint.prefix + engine.target(path, fields, query)
    content = b"" if body is None else jsontext.encode(body)
    sent = [("Host", host_of(engine.endpoint)), ("Connection", "Upgrade"), ("Upgrade", protocol)]
    sent += [*engine.sender.identity, *headers]
    if content:
        sent.append(("Content-Type", "application/json"))
    sent.append(("Content-Length", str(len(content))))
    request = request_head("POST", target, sent) + content
    shown = target.partition("?")[0]

    def opened() -> Duplex:
        return open_duplex(_connect(engine), request, method="POST", path=shown, **_trust(engine))

    return _settled(opened, "POST", shown)


def websocket(engine: Engine, path: str, fields: Fields, *, query: Sequence[Parameter] = ()) -> WebSocket:
    """Open a websocket to a container (ContainerAttachWebsocket); raises as `upgrade` does."""
    from lib.engine.attach.websocket import open_websocket

    engine.permit("GET", path, fields, reads=False)
    target = engine.endpoint.prefix + engine.target(path, fields, query)
    shown = target.partition("?")[0]

    def opened() -> WebSocket:
        return open_websocket(
            _connect(engine),
            target,
            engine.sender.identity,
            path=shown,
            host=host_of(engine.endpoint),
            **_trust(engine),
        )

    return _settled(opened, "GET", shown)


def http2(engine: Engine, preface: bytes, *, shown: str) -> Http2Link:
    """Begin HTTP/2 at the engine's address with the client's `preface`; raises as `open_http2` does.

    `shown` is the path that errors name. TLS has a context of its own: on connections that are taken over, HTTP/2 must
    not be offered.
    """
    tls = engine.endpoint.tls.context() if engine.endpoint.tls else None
    if tls:
        tls.set_alpn_protocols(list(PROTOCOLS))

    def opened() -> Http2Link:
        return open_http2(_connect(engine), preface, **{**_trust(engine), "tls": tls})

    return _settled(opened, "POST", shown)


def _settled(opened: Callable[[], Opened], method: str, path: str) -> Opened:
    try:
        return opened()
    except EngineError as error:
        error.method, error.path = error.method or method, error.path or path
        raise


def _connect(engine: Engine) -> Callable[[], socket.socket]:
    return lambda: engine.sender.adapter.socket(engine.timeouts.connect, secure=False)


def _trust(engine: Engine) -> dict[str, Any]:
    tls = engine.endpoint.tls
    return {
        "timeout": engine.timeouts.stream.first_byte,
        "tls": engine.sender.adapter.context,
        "server_name": (tls and tls.server_name) or engine.endpoint.host,
    }
